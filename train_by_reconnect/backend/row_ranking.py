"""Rankings of weight vectors, permuting values into them, and sorting, in NumPy: cache-sized blocks on all cores."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.backend.scratch import borrowed
from train_by_reconnect.backend.stable_order import NOT_FINITE, bits_of, infinity_of, keys_of, stable_order
from train_by_reconnect.backend.threads import run
from train_by_reconnect.backend.types import Axes

# So many weights at a time: enough that calling NumPy, and waiting for Python where there are threads, costs little
# beside what it does, and few enough that what is made of them stays in the cache. A kernel of no more is taken whole.
_BLOCK = 1 << 17
# The columns of a larger kernel that are brought into rows, and back, at a time: as many as share two lines of the
# cache.
_COLUMNS = 32
# But not fewer weights than the first number, else calling NumPy costs more than moving them, nor more than the second,
# else the memory for them is asked of the system each time anew.
_FEW, _LARGE = 1 << 12, 1 << 18


def permute_kernels(
    kernels: Sequence[np.ndarray], unit_axes: Sequence[Axes], sorted_rows: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Permute the sorted weight vectors of every kernel into the ranking of its present ones.

    The r-th smallest value of a sorted weight vector goes where the r-th smallest present weight is. Equal values
    keep their order, as in the original code.

    Args:
        kernels: list of arrays of floats of any shape, the present weights.
        unit_axes: list of tuples of ints, the axes of each that number the neurons.
        sorted_rows: list of arrays (units, size of a weight vector), every row in ascending order.

    Returns:
        List of new arrays of the shapes of `kernels` and the dtypes of `sorted_rows`.

    Raises:
        ValueError: a kernel holds a NaN or an infinity, which has no place in a ranking.

    Example:

    >>> kernel = np.array([[0.3, 1.0], [-2.0, 5.0], [4.0, 2.0]], "float32")
    >>> permute_kernels([kernel], [(-1,)], [np.array([[10, 20, 30], [40, 50, 60]])])[0].tolist()
    [[20, 40], [10, 60], [30, 50]]

    Reference:
        Qiu and Suda 2020, section 4, "Synchronization".
    """
    rows = [to_rows(kernel, axes, np) for kernel, axes in zip(kernels, unit_axes, strict=True)]
    # In the layout of the rows, which for the usual kernels are its columns.
    permuted = [np.empty_like(old, new.dtype, subok=False) for old, new in zip(rows, sorted_rows, strict=True)]
    strips: dict[Any, list[tuple[np.ndarray, ...]]] = {}
    for arrays in zip(rows, sorted_rows, permuted, strict=True):
        for strip in _strips(*arrays):
            strips.setdefault((strip[0].shape, strip[0].dtype, strip[1].dtype), []).append(strip)
    blocks = [block for (shape, *_), alike in strips.items() for block in _blocks(alike, math.prod(shape))]
    run([functools.partial(_permute, block) for block in blocks], sum(map(np.size, rows)))
    return [
        from_rows(new, kernel.shape, axes, np) for new, kernel, axes in zip(permuted, kernels, unit_axes, strict=True)
    ]


def permute_if_finite(
    kernels: Sequence[np.ndarray], unit_axes: Sequence[Axes], sorted_rows: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], int]:
    """As `permute_kernels`, for a compiled step, whose errors would come with call stacks nobody can read.

    Args:
        kernels: as in `permute_kernels`.
        unit_axes: as there.
        sorted_rows: as there.

    Returns:
        The new kernels, and -1; or the kernels as they were, and the index of the first that is not finite.

    Example:

    >>> permute_if_finite([np.array([[np.nan, 1.0]])], [(0,)], [np.array([[1.0, 2.0]])])
    ([array([[nan,  1.]])], 0)
    """
    try:
        return permute_kernels(kernels, unit_axes, sorted_rows), -1
    except ValueError:
        return list(kernels), [bool(np.isfinite(kernel).all()) for kernel in kernels].index(False)


def permute_to_ranking(rows: np.ndarray, sorted_rows: np.ndarray) -> np.ndarray:
    """Permute every sorted weight vector so that it has the ranking of its counterpart.

    Args:
        rows: float array of shape (units, size of a weight vector), the weights whose ranking is wanted.
        sorted_rows: array of the same shape, every row in ascending order.

    Returns:
        Array of the same shape: the rows of `sorted_rows`, permuted as by `permute_kernels`.

    Raises:
        ValueError: `rows` holds a NaN or an infinity, which has no place in a ranking.

    Example:

    >>> permute_to_ranking(np.array([[0.3, -2.0, 5.0]], "float32"), np.array([[1.0, 2.0, 3.0]], "float32"))
    array([[2., 1., 3.]], dtype=float32)
    """
    return permute_kernels([rows], [(0,)], [sorted_rows])[0]


def rank_rows(rows: np.ndarray) -> np.ndarray:
    """The rank of every weight in its weight vector, from 0; equal values rank in order of position.

    Args:
        rows: float array of shape (units, size of a weight vector).

    Returns:
        Int32 array of the same shape.

    Raises:
        ValueError: `rows` holds a NaN or an infinity, which has no place in a ranking.

    Example:

    >>> rank_rows(np.array([[0.3, -2.0, 5.0, 0.3]], "float32")).tolist()
    [[1, 0, 3, 2]]

    Reference:
        Qiu and Suda 2020, section 3.
    """
    return permute_to_ranking(rows, np.broadcast_to(np.arange(rows.shape[1], dtype=np.int32), rows.shape))


def sort_kernel(kernel: np.ndarray, unit_axes: Axes) -> np.ndarray:
    """The sorted weight vectors of a kernel, as rows; equal values keep their order, which -0.0 and 0.0 show.

    Args:
        kernel: array of floats of any shape.
        unit_axes: tuple of ints, the axes that number the neurons.

    Returns:
        New array of shape (units, size of a weight vector).

    Raises:
        ValueError: the kernel holds a NaN or an infinity.

    Example:

    >>> sort_kernel(np.array([[0.5, 1.0], [-2.0, -1.0]], "float32"), (-1,)).tolist()
    [[-2.0, 0.5], [-1.0, 1.0]]
    """
    rows = to_rows(kernel, unit_axes, np)
    ordered = np.empty(rows.shape, rows.dtype)
    run([functools.partial(_sort, *strip) for strip in _strips(rows, ordered)], rows.size)
    return ordered


def _strips(*arrays: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """A few rows of each array at a time; all of small ones, which lie in one piece."""
    units, size = arrays[0].shape
    few = max(1, _FEW // max(1, size), min(_COLUMNS, _LARGE // max(1, size)))
    step = max(units, 1) if units * size <= _BLOCK else few
    return [tuple(array[first : first + step] for array in arrays) for first in range(0, units, step)]


def _blocks(strips: list[tuple[np.ndarray, ...]], weights: int) -> list[list[tuple[np.ndarray, ...]]]:
    """Strips of so many weights, in lists of about as many weights as are taken at a time, and of equal lengths."""
    count = max(1, len(strips) * weights // _BLOCK)
    step = -(-len(strips) // count)
    return [strips[first : first + step] for first in range(0, len(strips), step)]


def _permute(strips: list[tuple[np.ndarray, ...]]) -> None:
    """Fill the last of each three."""
    rows, count = strips[0][0], len(strips)
    with borrowed() as scratch:
        # Side by side first: what lies far apart in a large kernel falls on few lines of the cache.
        columns = scratch.array("columns", (count, *rows.T.shape), rows.dtype)
        np.stack([rows.T for rows, _, _ in strips], out=columns)
        for (_, values, into), order in zip(strips, stable_order(columns, scratch), strict=True):
            is_whole = into.T.flags.c_contiguous
            permuted = into.T if is_whole else scratch.array("permuted", into.T.shape, into.dtype)
            permuted.reshape(-1)[order.reshape(-1)] = values.reshape(-1)
            if not is_whole:
                into[...] = permuted.T


def _sort(rows: np.ndarray, into: np.ndarray) -> None:
    rows = np.ascontiguousarray(np.ascontiguousarray(rows.T).T)  # side by side first, as above
    with borrowed() as scratch:
        keys, infinity = keys_of(rows, scratch), infinity_of(rows.dtype)
        # NumPy counts 16 bits instead of comparing them.
        ordered = np.sort(keys, axis=1, kind="stable" if keys.itemsize == 2 else None)
        if (ordered[:, -1:] >= infinity).any() or (ordered[:, :1] <= -infinity).any():
            raise ValueError(NOT_FINITE)
        least = np.iinfo(keys.dtype).min  # the bits of -0.0
        signs = ordered >> (8 * keys.itemsize - 1)
        bits = bits_of(into)
        np.bitwise_or((ordered ^ signs) - signs, signs & least, out=bits)
        if (bits_of(rows) == least).any():
            bits[ordered == 0] = bits_of(rows)[keys == 0]
