"""What watches a training, or steers it. Private: import from `train_by_reconnect`."""
