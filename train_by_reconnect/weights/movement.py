"""How far each parameter moved in a training, and networks in which a part of it is undone."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import keras
import numpy as np
import numpy.typing as npt

from train_by_reconnect.weights.flat_parameters import count_of, flat_absolute, split
from train_by_reconnect.weights.kernels import check_built

Result = TypeVar("Result")


def trainable_values(model: keras.Model) -> list[np.ndarray]:
    """Copies of the values of all trainable variables, to be taken before a training.

    Args:
        model: a built `keras.Model`.

    Returns:
        List of arrays in the order of `model.trainable_variables`.

    Raises:
        ValueError: the model is not built.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> [value.shape for value in trainable_values(model)]
    [(4, 3), (3,)]
    """
    check_built(model)
    return [np.array(variable.numpy()) for variable in model.trainable_variables]


class Movement:
    """How far each parameter moved from its initialization, and the model with the far ones or the near ones put back.

    All p trainable parameters of the network are sorted together by the distance `|theta^T - theta^0|` between their
    trained and their initial value, descending. The first g % are the active ones, all others are lazy. Equal distances
    keep the order of `model.trainable_variables`, and within a variable that of its flattened positions. g % are
    exactly `k = round(g * p / 100)` parameters, a half rounded to the even number.

    Every method starts from the trained weights, whatever the model holds by then, and assigns trainable variables
    only: an optimizer's state and BatchNorm's moving statistics stay as the training left them. Nothing is compiled or
    trained anew, and the parameters are sorted once, here. With float32 this keeps 12 bytes a parameter (the trained
    weights, the initial ones and the ranks) and needs about twice as much while it sorts.

    Unlike the paper, which studies networks of convolutional and fully-connected layers only, all that is trainable
    takes part, so the scale and offset of a BatchNorm layer as well; freeze a layer (`trainable = False`) before
    `trainable_values` to leave it out.

    Args:
        model: a built, trained `keras.Model`, which the methods change in place.
        initial_weights: list of arrays, what `trainable_values(model)` was before the training.

    Raises:
        ValueError: the model is not built; `initial_weights` are not of the shapes of its trainable variables; a weight
            is NaN or infinite. From the methods, a percentage is not between 0 and 100.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    >>> initial_weights = trainable_values(model)
    >>> model.set_weights([np.array([[3.0], [-5.0], [1.0]])])  # for a training
    >>> movement = Movement(model, initial_weights)
    >>> movement  # doctest: +ELLIPSIS
    <Movement of 'sequential...': parameters=3, moved=3, farthest=5 in .../kernel>
    >>> movement.reinitialize_active(100 / 3)
    >>> model.get_weights()[0].ravel().tolist()
    [3.0, 0.0, 1.0]
    >>> movement.evaluate_lazy([0, 33, 100], lambda model: float(model.predict_on_batch(np.ones((1, 3)))[0, 0]))
    [0.0, -5.0, -1.0]

    Reference:
        Li and Banerjee 2021, section 4.
    """

    def __init__(self, model: keras.Model, initial_weights: Sequence[npt.ArrayLike]) -> None:
        self.model = model
        self._trained = trainable_values(model)
        self._variables = list(model.trainable_variables)
        self._initial = _check_initial(self._trained, initial_weights)
        nearness = flat_absolute(self.distances)
        np.negative(nearness, out=nearness)
        if not np.isfinite(nearness).all():
            raise ValueError(
                "`Movement` expects finite weights, trained and initial. Received: a NaN or an infinity in "
                f"{self._first_not_finite()}. The training has diverged; lower its learning rate."
            )
        order = np.argsort(nearness, kind="stable")
        ranks = np.empty(order.size, np.min_scalar_type(order.size))
        ranks[order] = np.arange(order.size, dtype=ranks.dtype)
        self._ranks = split(ranks, self._trained)

    def __repr__(self) -> str:
        farthest = [float(np.max(each, initial=0)) for each in self.distances]
        moved = sum(np.count_nonzero(each) for each in self.distances)
        first = int(np.argmax(farthest)) if farthest else None
        shown = "" if first is None else f", farthest={farthest[first]:.4g} in {self._variables[first].path}"
        parameters = sum(each.size for each in self._trained)
        return f"<Movement of {self.model.name!r}: parameters={parameters}, moved={moved}{shown}>"

    @property
    def distances(self) -> list[np.ndarray]:
        """List of arrays in the order and shapes of the trainable variables: `|theta^T - theta^0|`."""
        return [np.abs(trained - initial) for trained, initial in zip(self._trained, self._initial, strict=True)]

    def active(self, percent: float) -> list[np.ndarray]:
        """Which parameters are among those that moved farthest.

        Args:
            percent: float from 0 to 100.

        Returns:
            List of boolean arrays in the order and shapes of the trainable variables.
        """
        count = count_of(percent, sum(ranks.size for ranks in self._ranks))
        return [ranks < count for ranks in self._ranks]

    def reinitialize_active(self, percent: float) -> None:
        """Put the active parameters back to their initial values; the lazy ones are as trained.

        Args:
            percent: float from 0 to 100, gamma; 0 is the trained network, 100 the initial one.
        """
        self._assign(self._initial, self._trained, percent)

    def reinitialize_lazy(self, percent: float) -> None:
        """Keep the active parameters as trained; the lazy ones are put back to their initial values.

        Args:
            percent: float from 0 to 100, epsilon, of the parameters that are kept; 0 is the initial network, 100 the
                trained one.
        """
        self._assign(self._trained, self._initial, percent)

    def restore(self) -> None:
        """Make the model the trained one again."""
        self.reinitialize_active(0)

    def evaluate_active(self, percents: Iterable[float], evaluate: Callable[[keras.Model], Result]) -> list[Result]:
        """Evaluate the network after each of several `reinitialize_active`, then restore the trained one.

        Args:
            percents: iterable of floats from 0 to 100.
            evaluate: function of the model, e.g. `lambda model: model.evaluate(x, y, verbose=0)`. If it raises, the
                model is restored too.

        Returns:
            List of what `evaluate` returned, in the order of `percents`.
        """
        return self._evaluate(self.reinitialize_active, percents, evaluate)

    def evaluate_lazy(self, percents: Iterable[float], evaluate: Callable[[keras.Model], Result]) -> list[Result]:
        """Evaluate the network after each of several `reinitialize_lazy`, then restore the trained one.

        Args:
            percents: iterable of floats from 0 to 100.
            evaluate: as in `evaluate_active`.

        Returns:
            List of what `evaluate` returned, in the order of `percents`.
        """
        return self._evaluate(self.reinitialize_lazy, percents, evaluate)

    def _evaluate(
        self,
        reinitialize: Callable[[float], None],
        percents: Iterable[float],
        evaluate: Callable[[keras.Model], Result],
    ) -> list[Result]:
        results = []
        try:
            for percent in percents:
                reinitialize(percent)
                results.append(evaluate(self.model))
        finally:
            self.restore()
        return results

    def _assign(self, of_active: list[np.ndarray], of_lazy: list[np.ndarray], percent: float) -> None:
        active = self.active(percent)
        for variable, chosen, far, near in zip(self._variables, active, of_active, of_lazy, strict=True):
            variable.assign(np.where(chosen, far, near))

    def _first_not_finite(self) -> str:
        pairs = zip(self._variables, self.distances, strict=True)
        return next(variable.path for variable, distance in pairs if not np.isfinite(flat_absolute([distance])).all())


def _check_initial(trained: list[np.ndarray], initial_weights: Sequence[npt.ArrayLike]) -> list[np.ndarray]:
    initial = [np.asarray(value) for value in initial_weights]
    expected, received = [value.shape for value in trained], [value.shape for value in initial]
    if expected != received:
        raise ValueError(
            "`initial_weights` must be of the shapes of `model.trainable_variables`, in their order. Received: "
            f"initial_weights of the shapes {received} for variables of {expected}. Take them with "
            "`trainable_values(model)` before the training."
        )
    # As the variable will hold it, so that a network put back entirely has moved nowhere.
    return [value.astype(now.dtype, copy=False) for value, now in zip(initial, trained, strict=True)]
