"""What weights are, and what is done to them and seen in them. Private: import from `train_by_reconnect`."""
