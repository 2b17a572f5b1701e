"""The papers' experiments: data, augmentation, runner and command line."""
