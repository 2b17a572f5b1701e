"""An observer of the rich regime paper: the components of a step's gradient, sorted every now and then."""

import dataclasses
import typing

import keras
import numpy as np

from scripts.running.files import read_csv, records, write_csv
from scripts.running.observers import Observation
from train_by_reconnect import full_batch_gradient

GRADIENTS = "gradients.csv"
FRACTIONS = (0.001, 0.01, 0.1, 0.5)  # of all components: their ranks are always among those written
_POINTS = 300


@dataclasses.dataclass(frozen=True)
class SortedGradients:
    """Sort the components of the gradient of one mini-batch by their absolute values, as in Fig. 1.

    The run's folder gets `gradients.csv`, with the components after each of these epochs.

    Args:
        after: tuple of int, the numbers of epochs after which the gradient is taken; 0 is before the first step.
            Defaults to `(0, 1)`.
    """

    after: tuple = (0, 1)

    files: typing.ClassVar = (GRADIENTS,)  # for the record of the run

    def observe(self, prepared):
        """Take all gradients of the same mini-batch, so that only the weights differ."""
        x, y = prepared.loaded.x_train, prepared.loaded.y_train
        size = min(prepared.training.batch_size, len(x))
        chosen = np.random.default_rng(prepared.seed).choice(len(x), size, replace=False)
        return Observation([GradientSorter(prepared.folder / GRADIENTS, x[chosen], y[chosen], self.after)])


class GradientSorter(keras.callbacks.Callback):
    """Write the sorted absolute components of the gradient of a batch, thinned to some hundred ranks.

    The gradient is that of a train step: batch normalization takes the statistics of the batch. Weight decay is left
    out, which would give every component the size of its weight.

    Args:
        path: path of the CSV.
        x: array, the batch.
        y: array, its targets.
        after: tuple of int, the numbers of epochs after which the gradient is taken.
    """

    def __init__(self, path, x, y, after):
        super().__init__()
        self.path, self.x, self.y, self.after = path, x, y, after
        self._epochs, self._rows = None, []

    def on_epoch_begin(self, epoch, logs=None):
        """Take the gradient after as many epochs as are behind the model."""
        if self._epochs is None and epoch and self.path.exists():  # an earlier attempt was cut
            rows = read_csv(self.path)
            self._rows = records(rows[rows["epoch"] < epoch])
        self._take(epoch)

    def on_epoch_end(self, epoch, logs=None):
        """Count the epochs."""
        self._epochs = epoch + 1

    def on_train_end(self, logs=None):
        """Take the last gradient."""
        self._take(self._epochs)

    def _take(self, epochs):
        self._epochs = epochs
        if epochs in self.after:
            self._rows += [{"epoch": epochs, **row} for row in sorted_components(self._gradient())]
            write_csv(self.path, self._rows)

    def _gradient(self):
        variables = self.model.trainable_variables
        decays = [variable.regularizer for variable in variables]
        try:
            for variable in variables:
                variable.regularizer = None
            return full_batch_gradient(self.model, self.x, self.y, batch_size=len(self.x), training=True)
        finally:
            for variable, decay in zip(variables, decays, strict=True):
                variable.regularizer = decay


def sorted_components(gradients):
    """The absolute components of a gradient from the largest to the smallest, at some hundred ranks.

    Args:
        gradients: list of arrays.

    Returns:
        List of dict: `rank`, from 1 to the number of components; its `magnitude`; and `norm_share`, the fraction of the
        squared norm that the components up to this rank have.

    Example:

    >>> [row["norm_share"] for row in sorted_components([np.array([1.0, -3.0]), np.array([[0.0]])])]
    [0.9, 1.0, 1.0]
    """
    magnitudes = np.sort(np.concatenate([np.abs(gradient).ravel() for gradient in gradients]))[::-1]
    squares = np.cumsum(magnitudes.astype("float64") ** 2)
    ranks = {rank_of(fraction, magnitudes.size) for fraction in FRACTIONS}
    ranks |= {round(rank) for rank in np.geomspace(1, magnitudes.size, _POINTS)}
    return [
        {
            "rank": rank,
            "magnitude": float(magnitudes[rank - 1]),
            "norm_share": float(squares[rank - 1] / (squares[-1] or 1)),
        }
        for rank in sorted(ranks)
    ]


def rank_of(fraction, count):
    """The rank up to which a fraction of all components is.

    Args:
        fraction: float.
        count: int, the number of components.

    Returns:
        Int, at least 1.
    """
    return max(1, round(fraction * count))
