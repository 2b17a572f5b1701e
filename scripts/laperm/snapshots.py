"""Snapshots of a kernel that outlive a run, and a restart of it."""

import numpy as np

from scripts.running.files import replacing
from train_by_reconnect import KernelSnapshots


class SavedSnapshots(KernelSnapshots):
    """`KernelSnapshots` in a file: `steps`, and `rows` of shape (snapshots, units, size of a weight vector).

    Args:
        path: path of the file, `.npz`. A training that goes on at a later step keeps what it holds of earlier ones.
        layer: as in `KernelSnapshots`.
        every: as in `KernelSnapshots`. Defaults to 1.
    """

    def __init__(self, path, layer, every=1):
        super().__init__(layer, every)
        self.path = path

    def on_train_begin(self, logs=None):
        """Take up the snapshots of an earlier attempt."""
        super().on_train_begin()
        now = int(self.model.optimizer.iterations.numpy())
        if now and self.path.exists():
            steps, rows = load_snapshots(self.path)
            keep = [number for number, step in enumerate(steps) if step < now]
            if now % self.every:  # a restart is no reason for a snapshot
                self.steps, self.rows = [], []
            self.steps = [steps[number] for number in keep] + self.steps
            self.rows = [rows[number] for number in keep] + self.rows

    def on_epoch_end(self, epoch, logs=None):
        """Write the file."""
        with replacing(self.path) as partial:
            np.savez(partial, steps=self.steps, rows=self.rows)

    def on_train_end(self, logs=None):
        """Write the file with the last snapshot."""
        super().on_train_end()
        self.on_epoch_end(None)


def load_snapshots(path):
    """Read snapshots.

    Args:
        path: path of the file.

    Returns:
        Pair: list of steps; array of shape (snapshots, units, size of a weight vector).
    """
    with np.load(path) as file:
        return file["steps"].tolist(), file["rows"]
