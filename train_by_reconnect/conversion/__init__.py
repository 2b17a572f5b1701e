"""One model made into another. Private: import from `train_by_reconnect`."""
