"""A training of the rich regime paper in which the components of a step's gradient are sorted, every now and then."""

import dataclasses

import keras
import numpy as np

from scripts.rich.training import PreparedRich, RichTraining
from scripts.running.files import read_csv, write_csv
from train_by_reconnect import full_batch_gradient

GRADIENTS = "gradients.csv"
FRACTIONS = (0.001, 0.01, 0.1, 0.5)  # of all components: their ranks are always among those written
_POINTS = 300


@dataclasses.dataclass(frozen=True)
class GradientTraining(RichTraining):
    """The setting of Fig. 1: the gradient of one mini-batch, its components sorted by their absolute values.

    Args:
        gradients_after: tuple of int, the numbers of epochs after which the gradient is taken; 0 is before the first
            step. Defaults to `(0, 1)`.
    """

    gradients_after: tuple = (0, 1)

    def prepared(self, model, loaded, seed):
        """What is ready to start."""
        return PreparedGradients(self, model, loaded, seed)


class PreparedGradients(PreparedRich):
    """A training whose stochastic gradient is sorted; `gradients.csv` in its folder has the components."""

    def callbacks(self, folder, log_dir=None):
        """Take the gradients, all of the same mini-batch, so that only the weights differ."""
        x, y, size = self.loaded.x_train, self.loaded.y_train, min(self.training.batch_size, len(self.loaded.x_train))
        chosen = np.random.default_rng(self.seed).choice(len(x), size, replace=False)
        return [SortedGradients(folder / GRADIENTS, x[chosen], y[chosen], self.training.gradients_after)]


class SortedGradients(keras.callbacks.Callback):
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
        if self._epochs is None and epoch:  # an earlier attempt was cut
            self._rows = [row for row in read_csv(self.path) if row["epoch"] < epoch] if self.path.exists() else []
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
