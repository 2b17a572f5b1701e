"""Where the gradient of a network is largest, and how often in a training."""

from collections.abc import Sequence
from typing import Literal

import keras
import numpy as np

from train_by_reconnect.backend.types import Arrays, Logs
from train_by_reconnect.weights.flat_parameters import count_of
from train_by_reconnect.weights.gradients import full_batch, most_active


class ActivityMap(keras.callbacks.Callback):
    """Count how often each parameter is among the most active ones, in a training.

    At the end of every epoch the gradient of the mean loss over a data set is computed, and the largest alpha % of its
    absolute components over the whole network are counted as active, for several alpha. A further `fit` of the same
    model goes on counting; with another model, or other trainable variables, the counts start anew.

    An epoch costs a pass over the data set, forward and backward, and memory of 4 bytes for each parameter and alpha.
    The training itself is not changed.

    `counts` holds, for each percentage, a list of int32 arrays in the order and shapes of the trainable variables;
    `epochs` is the number of epochs counted; `paths` the paths of the variables, without the name of the model.

    Unlike the paper, which does not say when in an epoch it computes the gradient, this callback does so at the end:
    the final weights are counted, the initial ones are not. A component of exactly 0 is never active: in a network with
    dead ReLUs fewer than alpha % of the components may differ from 0, and only the order of the layers would decide
    which zeros count.

    Args:
        x: array, or list or dict of arrays, the inputs of the data set; usually those of the training.
        y: array, or list or dict of arrays, the targets.
        percents: tuple of floats from 0 to 100, alpha. Defaults to `(1, 10, 30)`.
        batch_size: int, at least 1, examples of which the gradient is computed at a time. Defaults to 256.
        training: bool, as in `full_batch_gradient`. Defaults to `False`.

    Raises:
        ValueError: a percentage is not in its range; from `fit`, what `full_batch_gradient` and `most_active` raise.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="bottom"), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((8, 4)), np.ones((8, 1))
    >>> activity = ActivityMap(x, y, percents=(50,))
    >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=[activity])
    >>> [frequency.shape for frequency in activity.frequencies(50)]
    [(4, 2), (2,), (2, 1), (1,)]
    >>> activity.epochs, sum(int(counts.sum()) for counts in activity.counts[50])  # round(6.5) = 6, three times
    (3, 18)

    Reference:
        Li and Banerjee 2021, section 5, Fig. 5, 6 and 17 to 20.
    """

    def __init__(
        self,
        x: Arrays,
        y: Arrays,
        percents: Sequence[float] = (1, 10, 30),
        batch_size: int = 256,
        training: bool = False,
    ) -> None:
        super().__init__()
        for percent in percents:
            count_of(percent, 0)
        self.x, self.y, self.percents = x, y, tuple(percents)
        self.batch_size, self.training = batch_size, training
        self.counts: dict[float, list[np.ndarray]] = {}
        self.epochs = 0
        self.paths: list[str] = []
        self._variables: list[keras.Variable] = []

    def __repr__(self) -> str:
        """The percentages, and what was counted."""
        percents = ", ".join(map(str, self.percents))
        return f"<ActivityMap of {percents} %: {self.epochs} epochs of {len(self.paths)} variables>"

    def on_train_begin(self, logs: Logs = None) -> None:
        """Compile the gradient."""
        self._gradient = full_batch(self.model, self.x, self.y, self.batch_size, self.training)
        variables = list(self.model.trainable_variables)
        if list(map(id, variables)) != list(map(id, self._variables)):
            self._variables, self.epochs = variables, 0
            self.paths = [variable.path.removeprefix(f"{self.model.name}/") for variable in variables]
            self.counts = {percent: [np.zeros(v.shape, np.int32) for v in variables] for percent in self.percents}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Count the active parameters."""
        gradients = self._gradient()
        for percent, counts in self.counts.items():
            for count, active, gradient in zip(counts, most_active(gradients, percent), gradients, strict=True):
                count += active & (gradient != 0)
        self.epochs += 1

    def frequencies(self, percent: float) -> list[np.ndarray]:
        """How often each parameter was active.

        Args:
            percent: float, one of `percents`.

        Returns:
            List of float arrays in [0, 1], in the order and shapes of the trainable variables: epochs in which a
            parameter was active, divided by all epochs.

        Raises:
            ValueError: no epoch was counted, or `percent` is not one of `percents`.
        """
        return [counts / self.epochs for counts in self._counts_of(percent)]

    def shares(self, percent: float, by: Literal["layer", "variable"] = "layer") -> dict[str, dict[str, float]]:
        """Where the active parameters were, as numbers.

        Args:
            percent: float, one of `percents`.
            by: `"layer"` or `"variable"`. Defaults to `"layer"`.

        Returns:
            Dict from the path of each layer (or variable) within the model, in the order of the trainable variables, to
            a dict of `share`, the fraction of all active parameters that lie in it (these sum to 1, unless
            the percentage is so small that none is active), and `fraction`, the fraction of its own parameters that
            were active, both over all epochs.

        Raises:
            ValueError: no epoch was counted, `percent` is not one of `percents`, or `by` is neither.
        """
        if by not in ("layer", "variable"):
            raise ValueError(f'`by` must be "layer" or "variable". Received: by={by!r}. Leave it out for "layer".')
        active: dict[str, int] = {}
        possible: dict[str, int] = {}
        for path, counts in zip(self.paths, self._counts_of(percent), strict=True):
            name = path.rpartition("/")[0] or self.model.name if by == "layer" else path
            active[name] = active.get(name, 0) + int(counts.sum(dtype=np.int64))
            possible[name] = possible.get(name, 0) + counts.size * self.epochs
        total = sum(active.values()) or 1
        return {name: {"share": active[name] / total, "fraction": active[name] / possible[name]} for name in active}

    def _counts_of(self, percent: float) -> list[np.ndarray]:
        if not self.epochs or percent not in self.counts:
            raise ValueError(
                f"`percent` must be one of those counted, after at least one epoch. Received: percent={percent}, with "
                f"percents={self.percents} and epochs={self.epochs}. Give it to `ActivityMap` before `fit`."
            )
        return self.counts[percent]
