"""The command `train-by-reconnect`: what is known of a model in a file, and its weight profiles."""
