"""How far the order of the weights has moved: rankings and the distance between two of them."""

import numpy as np

from train_by_reconnect.backend.row_ranking import rank_rows
from train_by_reconnect.backend.rows import from_rows, numpy_of, to_rows
from train_by_reconnect.backend.types import Axes, Tensor


def ranking(kernel: Tensor, unit_axes: Axes = (-1,)) -> np.ndarray:
    """The rank of every weight within its weight vector: 0 for the smallest, one less than its size for the largest.

    Equal weights rank in order of position, as in a synchronization of `LaPerm`; a plain definition leaves their order
    open.

    Args:
        kernel: array, tensor or variable of finite numbers. One with a single axis is one weight vector.
        unit_axes: tuple of ints, the axes that number the neurons; all others together are the weight vector. `()`
            makes the whole kernel one weight vector. Defaults to the last axis: dense layers and convolutions.

    Returns:
        Int32 array of the kernel's shape.

    Raises:
        ValueError: a weight is NaN or infinite, or the kernel has no such axes.

    Example:

    >>> ranking(np.array([[0.5, 3.0], [-1.0, 3.0], [2.0, 1.0]])).tolist()
    [[1, 1], [0, 2], [2, 0]]

    Reference:
        Qiu and Suda 2020, section 3.
    """
    value = numpy_of(kernel)
    axes = _check_axes(value.shape, unit_axes)
    try:
        return from_rows(rank_rows(to_rows(_as_ranked(value), axes, np)), value.shape, axes, np)
    except ValueError as error:
        raise ValueError(
            f"A ranking needs finite weights. Received: kernel of shape {value.shape} with "
            f"{int(np.sum(~np.isfinite(value)))} that are NaN or infinite. Check whether the training has diverged."
        ) from error


def _as_ranked(value: np.ndarray) -> np.ndarray:
    """The same order in a dtype that `rank_rows` takes without rounding numbers to ties."""
    if value.dtype.kind in "iub" or value.dtype == np.longdouble:
        if not np.isfinite(value).all():
            raise ValueError
        return np.unique(value, return_inverse=True)[1].reshape(value.shape).astype("float64")
    return value.astype(value.dtype.newbyteorder("="), copy=False)


def ranking_distance(before: Tensor, after: Tensor, unit_axes: Axes = (-1,)) -> tuple[float, float]:
    """Mean and standard deviation of the change in rank, over all weights of a kernel.

    With the rankings R_t of a kernel W, `D_t = sum |R_t - R_(t-1)| / #W` and
    `SD[D_t] = sqrt(sum (|R_t - R_(t-1)| - D_t)^2 / #W)`, where #W counts all weights. Divided by the size of a weight
    vector these are the numbers of the paper's Fig. 3.

    Args:
        before: array, tensor or variable, the kernel at one time.
        after: the same kernel later.
        unit_axes: as in `ranking`. Defaults to the last axis.

    Returns:
        Pair of floats in ranks: the mean D_t, from 0 to half the size of a weight vector, and SD[D_t].

    Raises:
        ValueError: the shapes differ, a weight is NaN or infinite, or the kernel has no such axes.

    Example:

    >>> ranking_distance(np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[4.0], [2.0], [3.0], [5.0]]))
    (1.0, 0.7071067811865476)

    Reference:
        Qiu and Suda 2020, section 3.
    """
    before, after = (numpy_of(kernel) for kernel in (before, after))
    if before.shape != after.shape:
        raise ValueError(
            "`before` and `after` must be one kernel at two times. Received: shapes "
            f"before.shape={before.shape}, after.shape={after.shape}. Pass two of the same shape."
        )
    return mean_and_deviation(rank_changes(ranking(before, unit_axes), ranking(after, unit_axes)))


def rank_changes(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How far each weight has moved in rank between two rankings: |R_t - R_(t-1)|.

    Example:

    >>> rank_changes(np.array([0, 1, 2]), np.array([2, 1, 0])).tolist()
    [2, 0, 2]
    """
    return np.abs(after - before)


def mean_and_deviation(changes: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, divided by the number of all entries as in the paper; of no entries (0.0, 0.0).

    Example:

    >>> mean_and_deviation(np.array([2, 0, 2, 0]))
    (1.0, 1.0)
    """
    if not changes.size:
        return 0.0, 0.0
    return float(np.mean(changes)), float(np.std(changes))


def _check_axes(shape: Axes, unit_axes: Axes) -> Axes:
    if len(shape) <= 1:
        return ()
    axes = tuple(unit_axes)
    if len({axis % len(shape) for axis in axes if axis in range(-len(shape), len(shape))}) < len(axes):
        raise ValueError(
            f"`unit_axes` must be axes of the kernel's shape {shape}. Received: unit_axes={unit_axes!r}. Name existing "
            "axes, each once."
        )
    return axes
