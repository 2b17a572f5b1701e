"""A network as a rule for its initial weights and where they go. Private: import from `train_by_reconnect`."""

import keras  # noqa: F401 - with it comes all of the library, before a module here is in the midst of its import
