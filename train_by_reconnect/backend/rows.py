"""A kernel as rows, one weight vector each, and back."""

import math
import mmap
from types import ModuleType
from typing import Any

import numpy as np

from train_by_reconnect.backend.types import Axes, Tensor

_PIECE = 1 << 22  # numbers of a mapped file that are looked at together


def to_rows(value: Tensor, unit_axes: Axes, xp: ModuleType | None = None) -> Tensor:
    """Bring a kernel into rows, one weight vector each.

    Args:
        value: array of any shape.
        unit_axes: tuple of ints, the axes that number the neurons.
        xp: the module whose `reshape` and `transpose` are used: `numpy`, or None (default)
            for `keras.ops`.

    Returns:
        Array of shape (units, size of a weight vector).

    Example:

    >>> import numpy as np
    >>> to_rows(np.array([[1, 2, 3], [4, 5, 6]]), (-1,), np).tolist()
    [[1, 4], [2, 5], [3, 6]]
    """
    xp = xp or _keras_ops()
    units, incoming = _split_axes(value.shape, unit_axes)
    count, size = (math.prod(value.shape[axis] for axis in axes) for axes in (units, incoming))
    if incoming + units == list(range(len(value.shape))):  # the usual case: transposing a matrix is cheapest
        return xp.transpose(xp.reshape(value, (size, count)))
    return xp.reshape(xp.transpose(value, units + incoming), (count, size))


def from_rows(rows: Tensor, shape: Axes, unit_axes: Axes, xp: ModuleType | None = None) -> Tensor:
    """Put rows back into the shape of their kernel: the inverse of `to_rows`.

    Args:
        rows: array of shape (units, size of a weight vector).
        shape: tuple of ints, the shape of the kernel.
        unit_axes: tuple of ints, the axes that number the neurons.
        xp: as in `to_rows`.

    Returns:
        Array of the given shape.

    Example:

    >>> import numpy as np
    >>> from_rows(np.array([[1, 4], [2, 5], [3, 6]]), (2, 3), (-1,), np).tolist()
    [[1, 2, 3], [4, 5, 6]]
    """
    xp = xp or _keras_ops()
    units, incoming = _split_axes(shape, unit_axes)
    if incoming + units == list(range(len(shape))):
        return xp.reshape(xp.transpose(rows), shape)
    order = units + incoming
    inverse = [order.index(axis) for axis in range(len(shape))]
    return xp.transpose(xp.reshape(rows, [shape[axis] for axis in order]), inverse)


def count_rows(shape: Axes, unit_axes: Axes) -> tuple[int, int]:
    """How many weight vectors a kernel of this shape has, and the size of each.

    Example:

    >>> count_rows((3, 3, 8, 16), (-1,)), count_rows((5, 2), ())
    ((16, 72), (1, 10))
    """
    units, incoming = (math.prod(shape[axis] for axis in axes) for axes in _split_axes(shape, unit_axes))
    return units, incoming


def take_rows(value: np.ndarray, unit_axes: Axes, chosen: np.ndarray | slice) -> np.ndarray:
    """Some weight vectors of a kernel: only these are copied, so that a file in memory may be much larger.

    Numbers of 16 and 8 bits with a point, which are not computed with, become float32: here, and not before.

    Args:
        value: array of any shape, also a memory-mapped one.
        unit_axes: tuple of ints, the axes that number the neurons.
        chosen: ints or a slice, which of the weight vectors.

    Returns:
        Array of shape (chosen units, size of a weight vector), row by row in memory.

    Example:

    >>> take_rows(np.array([[1, 2, 3], [4, 5, 6]]), (-1,), slice(1, 3)).tolist()
    [[2, 5], [3, 6]]
    """
    units, incoming = _split_axes(value.shape, unit_axes)
    if isinstance(value, np.memmap) and units == [value.ndim - 1] and value.flags.c_contiguous:
        return _take_columns(value.reshape(-1, value.shape[-1]), chosen)
    by_unit = np.transpose(value, units + incoming)
    if len(units) == 1:
        taken = by_unit[chosen]
    else:
        numbers = np.arange(math.prod(by_unit.shape[: len(units)]))[chosen]
        taken = by_unit[np.unravel_index(numbers, by_unit.shape[: len(units)])] if units else by_unit[None][numbers]
    rows = as_float32(np.ascontiguousarray(taken)).reshape(len(taken), -1)
    forget_pages(value)
    return rows


def _take_columns(value: np.ndarray, chosen: np.ndarray | slice) -> np.ndarray:
    """Some columns of a mapped matrix as rows: each lies in all of its pages, of which no more than some are kept."""
    rows, step = [], max(1, _PIECE // value.shape[1])
    for first in range(0, len(value), step):
        rows.append(as_float32(np.ascontiguousarray(value[first : first + step, chosen].T)))
        forget_pages(value)
    return np.concatenate(rows, axis=1)


def as_float32(value: np.ndarray) -> np.ndarray:
    """Numbers with a point as float32, if they are not float64; whole numbers as they are.

    Example:

    >>> as_float32(np.ones(2, "float16")).dtype, as_float32(np.ones(2, "int8")).dtype
    (dtype('float32'), dtype('int8'))
    """
    if value.dtype.kind in "iub" or value.dtype == np.float64:
        return value
    return value.astype("float32", copy=False)


def forget_pages(value: np.ndarray) -> None:
    """Let go of what an array that maps a file has read into memory; what is looked at again is read again.

    Of any other array nothing happens.
    """
    base: Any = value
    while base is not None and not isinstance(base, mmap.mmap):
        base = base.obj if isinstance(base, memoryview) else getattr(base, "base", None)
    # Of a map that may be written to, what was written would be lost.
    if base is not None and hasattr(mmap, "MADV_DONTNEED") and memoryview(base).readonly:
        base.madvise(mmap.MADV_DONTNEED)


def numpy_of(value: Tensor) -> np.ndarray:
    """An array, tensor or variable as an array of NumPy; Keras is needed for those of its backend only."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.array(value)
    return _keras_ops().convert_to_numpy(value)


def _keras_ops() -> Any:
    from keras import ops

    return ops


def _split_axes(shape: Axes, unit_axes: Axes) -> tuple[list[int], list[int]]:
    units = [axis % len(shape) for axis in unit_axes]
    return units, [axis for axis in range(len(shape)) if axis not in units]
