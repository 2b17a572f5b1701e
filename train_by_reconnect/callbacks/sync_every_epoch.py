"""A callback that synchronizes at the end of an epoch, before anything else sees that end."""

import numbers

import keras

from train_by_reconnect.backend import keras_training
from train_by_reconnect.backend.types import Logs
from train_by_reconnect.callbacks.synchronization import periodic_optimizer


class SyncEveryEpoch(keras.callbacks.Callback):
    """Synchronize at the end of every so many epochs: after the last step, before validation and `on_epoch_end`.

    So Keras' validation, `ModelCheckpoint`, `EarlyStopping`, `BackupAndRestore` and every other callback that acts at
    the end of an epoch see synchronized weights, wherever this callback stands in the list, with or without validation
    data, and where an epoch has an unknown number of steps or is cut short. The training metrics of the epoch are those
    of its steps, as always.

    It adds to the synchronizations that `LaPerm` makes itself; with `LaPerm(..., sync_period=None)` there are no others
    but the final one.

    Args:
        epochs: int, at least 1. Epochs are counted from the first of the whole training, also where `initial_epoch`
            or `BackupAndRestore` resumes it. Defaults to 1.

    Raises:
        ValueError: `epochs` is below 1; from `fit`, the model has no optimizer that synchronizes.

    Example:

    >>> import numpy as np
    >>> from train_by_reconnect import LaPerm, is_permutation
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> model.compile(LaPerm("adam", sync_period=None), loss="mse")
    >>> best = keras.callbacks.EarlyStopping("loss", restore_best_weights=True)
    >>> x, y = np.ones((40, 4)), np.ones((40, 3))
    >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=[best, SyncEveryEpoch()])
    >>> bool(is_permutation(model))
    True
    """

    def __init__(self, epochs: int = 1) -> None:
        super().__init__()
        if isinstance(epochs, bool) or not isinstance(epochs, numbers.Integral) or epochs < 1:
            raise ValueError(f"`epochs` must be an integer of at least 1. Received: epochs={epochs!r}. Pass e.g. 1.")
        self.epochs: int = int(epochs)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Take the place before all other callbacks at the end of an epoch."""
        self._optimizer = periodic_optimizer(self.model)
        keras_training.call_after_last_batch(self.model, self._synchronize)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note which epoch it is."""
        self._epoch = epoch

    def on_train_end(self, logs: Logs = None) -> None:
        """Leave the model as it was."""
        keras_training.call_after_last_batch(self.model, None)

    def _synchronize(self) -> None:
        if (self._epoch + 1) % self.epochs or not self._optimizer.built:
            return
        if self._optimizer.last_sync != int(self._optimizer.iterations.numpy()):
            self._optimizer.synchronize()
