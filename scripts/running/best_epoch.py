"""The weights of the best epoch so far, kept beside a run."""

import contextlib
import math

import keras
import numpy as np

from scripts.running.files import read_csv, replacing

_FILE = "best.npz"


class BestEpoch(keras.callbacks.Callback):
    """Keep the weights of the epoch with the highest held-out accuracy; of equal ones the first.

    Args:
        folder: path, the folder of the run.
        column: str, what the accuracy is called in the run's `rows.csv`: where a resumed run reads the best so far.
        first: int, the first epoch, from 0, that may be the best. Defaults to 0.
    """

    def __init__(self, folder, column, first=0):
        super().__init__()
        self.folder, self.column, self.first = folder, column, first

    def on_train_begin(self, logs=None):
        """Find the best of the epochs that an earlier attempt finished."""
        self._best = -math.inf
        done = int(self.model.optimizer.iterations.numpy())
        if done and (self.folder / _FILE).exists():
            rows = read_csv(self.folder / "rows.csv")
            counted = rows[(rows["step"] <= done) & (rows["epoch"] >= self.first)]
            self._best = max(counted[self.column].dropna(), default=-math.inf)

    def on_epoch_end(self, epoch, logs=None):
        """Keep the weights if they are better."""
        if epoch >= self.first and logs["val_accuracy"] > self._best:
            self._best = logs["val_accuracy"]
            with replacing(self.folder / _FILE) as partial:
                np.savez(partial, *self.model.get_weights())


@contextlib.contextmanager
def has_best(model, folder):
    """Give a model the weights of its best epoch, kept in the folder of the run, and its own back afterwards."""
    own = model.get_weights()
    with np.load(folder / _FILE) as best:
        model.set_weights([best[f"arr_{index}"] for index in range(len(best.files))])
    yield
    model.set_weights(own)
