"""A callback that reports how many connections a training has changed."""

import os
from typing import Any

import keras

from train_by_reconnect.backend.types import Logs
from train_by_reconnect.callbacks.event_file import EventFile
from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.objective import changed_fractions


class ConnectivityMonitor(keras.callbacks.Callback):
    """Report the fraction of changed connections with the metrics of every epoch.

    That of all layers together is added to the logs as `changed`, so the history, `CSVLogger`, TensorBoard and
    `ModelCheckpoint` see it; put this callback before those. That of each layer is in `history`, a dict for each epoch
    of its number, `"epoch"`, of `"changed"`, and of `"layers"`, from the name of each layer to its fraction; and in
    TensorBoard, with `log_dir`. Keras prints all logs in the line of the epoch, which is no place for a hundred layers.
    It is counted once an epoch; the steps are as fast as without.

    Args:
        layers: bool, whether to add `changed_<layer>` to the logs for every layer too. Defaults to `False`.
        log_dir: str or path, where logs for TensorBoard are written: `changed` and `changed_<layer>`. Defaults to
            `None`, no logs.

    Raises:
        ValueError: the model has no layers with fixed kernels.

    Example:

    >>> import numpy as np
    >>> from train_by_reconnect import Masked
    >>> model = keras.Sequential([keras.Input((4,)), Masked(keras.layers.Dense(1, name="output"))])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> history = model.fit(np.ones((8, 4)), np.ones(8), verbose=0, callbacks=[monitor := ConnectivityMonitor()])
    >>> sorted(history.history), list(monitor.history[0]["layers"])
    (['changed', 'loss'], ['output'])

    Reference:
        Ivan and Florian 2020, Fig. 1 and 2, lower rows.
    """

    def __init__(self, layers: bool = False, log_dir: str | os.PathLike[str] | None = None) -> None:
        super().__init__()
        self.layers, self.log_dir = layers, log_dir
        self.history: list[dict[str, Any]] = []
        self._reported: keras.Model | None = None

    def __repr__(self) -> str:
        """The newest fraction of all layers."""
        newest = f", {self.history[-1]['changed']:.1%} changed" if self.history else ""
        return f"<ConnectivityMonitor: {len(self.history)} epochs{newest}>"

    def on_train_begin(self, logs: Logs = None) -> None:
        """Refuse a model that has nothing to report; with another one the history starts anew."""
        connectivity_layers(self.model)
        if self.model is not self._reported:
            self._reported, self.history = self.model, []
        self._writer = None if self.log_dir is None else EventFile(self.log_dir)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the fractions where they belong."""
        fractions = changed_fractions(self.model)
        total = fractions.pop("all")
        self.history.append({"epoch": epoch, "changed": total, "layers": fractions})
        named = {"changed": total, **{f"changed_{name}": fraction for name, fraction in fractions.items()}}
        if self._writer is not None:
            self._writer.write(epoch, named)
        if logs is not None:
            logs.update(named if self.layers else {"changed": total})

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the logs."""
        if self._writer is not None:
            self._writer.close()
