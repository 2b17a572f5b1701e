"""Whether the weights are a permutation of others: of the initial ones, as LaPerm promises, or of any."""

import dataclasses
from collections.abc import Iterable, Sequence

import keras
import numpy as np
import numpy.typing as npt

from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.backend.types import Axes
from train_by_reconnect.optimizers.laperm import LaPerm
from train_by_reconnect.optimizers.nesting import find_optimizer
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.variables import describe_variables, path_of


@dataclasses.dataclass(frozen=True)
class PermutationCheck:
    """What `is_permutation` found. It is true if every kernel is a permutation.

    Args:
        kernels: int, the number of variables compared.
        differs: str, the path of the first that is no permutation, or None if all are.
        cure: str, what makes it one, where something does, or None.

    Example:

    >>> bool(PermutationCheck(kernels=2)), bool(PermutationCheck(kernels=2, differs="dense/kernel"))
    (True, False)
    """

    kernels: int
    differs: str | None = None
    cure: str | None = None

    def __bool__(self) -> bool:
        return self.differs is None


def is_permutation(model: keras.Model, other: keras.Model | Sequence[npt.ArrayLike] | None = None) -> PermutationCheck:
    """Whether each weight vector of a model holds exactly the values that it held initially, in any order.

    Without `other`, the initial weights are those that the model's `LaPerm` keeps, and all that it permutes is
    compared: the kernels, and biases and normalization layers if they are not skipped. It holds right after a
    synchronization, and before the first step. With `other`, the kernels of any two networks are compared.

    Args:
        model: a built `keras.Model`, without `other` compiled with `LaPerm`.
        other: optional model of the same architecture, or the list of its weights as `get_weights()` gives it.

    Returns:
        `PermutationCheck`, true or false; if false it names the first variable that is no permutation.

    Raises:
        ValueError: the model is not built; it has no LaPerm and there is no `other`; `other` has other shapes.

    Example:

    >>> from train_by_reconnect import LaPerm
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="net")
    >>> model.compile(LaPerm("adam", sync_period=2, final_sync=False), loss="mse")
    >>> history = model.fit(np.ones((3, 4)), np.ones((3, 3)), batch_size=1, verbose=0)  # the third step is left
    >>> is_permutation(model)
    PermutationCheck(kernels=1, differs='net/dense/kernel', cure='model.optimizer.synchronize()')
    >>> model.optimizer.synchronize()
    >>> bool(is_permutation(model))
    True

    Reference:
        Qiu and Suda 2020, section 4.
    """
    check_built(model)
    if other is not None:
        return _compare(_with_values_of(model, other))
    optimizer = _laperm(model)
    found = _compare(optimizer.initial_rows())
    cure = None if found else "model.optimizer.synchronize()"
    if cure and optimizer is not model.optimizer:
        cure = "model.optimizer.inner_optimizer.synchronize()"
    return dataclasses.replace(found, cure=cure)


def _compare(kernels: Iterable[tuple[keras.Variable, Axes, np.ndarray]]) -> PermutationCheck:
    count, differs = 0, None
    for variable, axes, sorted_rows in kernels:
        rows = np.sort(to_rows(keras.ops.convert_to_numpy(variable), axes, np), axis=1)
        if differs is None and not np.array_equal(rows, sorted_rows):
            differs = path_of(variable)
        count += 1
    return PermutationCheck(count, differs)


def _with_values_of(
    model: keras.Model, other: keras.Model | Sequence[npt.ArrayLike]
) -> list[tuple[keras.Variable, Axes, np.ndarray]]:
    weights = other.get_weights() if isinstance(other, keras.Layer) else [np.asarray(each) for each in other]
    shapes, expected = [each.shape for each in weights], [tuple(variable.shape) for variable in model.weights]
    if shapes != expected:
        raise ValueError(
            f"`other` must hold the weights of the same architecture. Received: shapes {shapes} for a model with "
            f"{expected}. Pass a clone of the model, or what `model.get_weights()` gave."
        )
    layouts = describe_variables(model.weights, model=model)
    return [
        (variable, layout.unit_axes, np.sort(to_rows(value, layout.unit_axes, np), axis=1))
        for variable, layout, value in zip(model.weights, layouts, weights, strict=True)
        if layout.kind == "kernel" and layout.unit_axes is not None
    ]


def _laperm(model: keras.Model) -> LaPerm:
    optimizer = find_optimizer(model, LaPerm)
    if optimizer is None:
        raise ValueError(
            "`model` must be compiled with `LaPerm`, which keeps its initial weights. Received: "
            f"optimizer={getattr(model, 'optimizer', None)!r}. Pass the weights to compare with as `other`."
        )
    return optimizer
