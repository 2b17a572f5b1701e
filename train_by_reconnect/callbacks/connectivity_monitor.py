"""A callback that reports how many connections a training has changed."""

import keras

from train_by_reconnect.backend.types import Logs
from train_by_reconnect.layers.fixed_kernels import connectivity_layers
from train_by_reconnect.layers.objective import changed_fractions


class ConnectivityMonitor(keras.callbacks.Callback):
    """Report the fraction of changed connections with the metrics of every epoch.

    It is added to the logs as `changed` (all layers) and `changed_<layer>`, so the history, `CSVLogger`, TensorBoard
    and `ModelCheckpoint` see it; put this callback before those. It is counted once an epoch; the steps are as fast as
    without.

    Args:
        layers: bool, whether to report every layer too. Defaults to `True`.

    Raises:
        ValueError: the model has no layers with fixed kernels.

    Example:

    >>> import numpy as np
    >>> from train_by_reconnect import Masked
    >>> model = keras.Sequential([keras.Input((4,)), Masked(keras.layers.Dense(1, name="output"))])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> history = model.fit(np.ones((8, 4)), np.ones(8), verbose=0, callbacks=[ConnectivityMonitor()])
    >>> sorted(history.history)
    ['changed', 'changed_output', 'loss']

    Reference:
        Ivan and Florian 2020, Fig. 1 and 2, lower rows.
    """

    def __init__(self, layers: bool = True) -> None:
        super().__init__()
        self.layers = layers

    def on_train_begin(self, logs: Logs = None) -> None:
        """Refuse a model that has nothing to report."""
        connectivity_layers(self.model)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the fractions into the logs."""
        fractions = changed_fractions(self.model)
        total = fractions.pop("all")
        if logs is not None:
            logs["changed"] = total
            if self.layers:
                logs.update({f"changed_{name}": fraction for name, fraction in fractions.items()})
