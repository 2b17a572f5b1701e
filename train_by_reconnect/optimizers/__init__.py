"""Optimizers around another. Private: import from `train_by_reconnect`."""
