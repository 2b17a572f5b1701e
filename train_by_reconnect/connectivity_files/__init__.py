"""A network as a rule for its initial weights and where they go. Private: import from `train_by_reconnect`."""
