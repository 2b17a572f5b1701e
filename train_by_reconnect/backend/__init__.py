"""What each backend does its own way, and arrays that know no layer. Private: import from `train_by_reconnect`."""
