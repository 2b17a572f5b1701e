"""A callback that keeps the weights that a kernel has during a training."""

import keras
import numpy as np

from train_by_reconnect.backend.types import Logs
from train_by_reconnect.callbacks.periods import check_every
from train_by_reconnect.weights.profiles import WeightProfile, weight_profiles


class KernelSnapshots(keras.callbacks.Callback):
    """Keep the weight vectors of one kernel from its initialization to the end of a training.

    The first snapshot is of the weights that `fit` starts with, the last of those that it ends with: for LaPerm,
    after the final synchronization. Each takes as much memory as the kernel. A further `fit` of the same model goes on;
    with another model, or one that is back at an earlier step, the snapshots start anew.

    Args:
        layer: str, the name of the layer whose kernel is wanted, or the kernel's path where a layer has several.
        every: int, at least 1, optimizer steps between snapshots. Defaults to 1. With `steps_per_execution` they
            are taken at the end of the call in which they are due.

    Raises:
        ValueError: `every` is no integer of at least 1; at the start of `fit`, there is no such layer, or it has
            several kernels.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> snapshots = KernelSnapshots("dense", every=2)
    >>> history = model.fit(np.ones((20, 4)), np.ones((20, 3)), batch_size=4, verbose=0, callbacks=[snapshots])
    >>> snapshots.steps, snapshots.rows[0].shape
    ([0, 2, 4, 5], (3, 4))
    """

    def __init__(self, layer: str, every: int = 1) -> None:
        super().__init__()
        self.layer, self.every = layer, check_every("every", every)
        self.steps: list[int] = []
        self.rows: list[np.ndarray] = []
        self._kept: keras.Model | None = None

    def __repr__(self) -> str:
        """The layer, and what was kept of it."""
        steps = f", from step {self.steps[0]} to {self.steps[-1]}" if self.steps else ""
        return f"<KernelSnapshots of {self.layer!r}, every={self.every}: {len(self.steps)}{steps}>"

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find the kernel and keep the weights that the training starts with."""
        self._profile = self._find()
        if self._kept is not self.model or (self.steps and self.steps[-1] > self._step()):
            self._kept, self.steps, self.rows = self.model, [], []
        if self._step() not in self.steps:  # a second `fit` goes on where the first ended
            self._keep()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Keep the weights if a snapshot is due."""
        if self._step() // self.every > self.steps[-1] // self.every:
            self._keep()

    def on_train_end(self, logs: Logs = None) -> None:
        """Keep the weights that the training ends with: a final synchronization changes them without a step."""
        if self.steps[-1] == self._step():
            self.steps.pop()
            self.rows.pop()
        self._keep()

    def _step(self) -> int:
        return int(self.model.optimizer.iterations.numpy())

    def _keep(self) -> None:
        self.steps.append(self._step())
        self.rows.append(self._profile.unsorted)

    def _find(self) -> WeightProfile:
        profiles = weight_profiles(self.model)
        found = [profile for profile in profiles if profile.name == self.layer]
        found = found or weight_profiles(self.model, self.layer)
        if len(found) > 1:
            raise ValueError(
                f"`layer` must name one kernel. Received: layer={self.layer!r}, which has {len(found)}. Pass one of "
                f"their paths: {', '.join(profile.name for profile in found)}."
            )
        return found[0]
