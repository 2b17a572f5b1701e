"""Layers with fixed kernels. Private: import from `train_by_reconnect`."""
