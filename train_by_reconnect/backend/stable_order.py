"""The exact order of floats in columns, equal ones in theirs, by NumPy: the sort behind a synchronization on a CPU."""

import functools
import time
from collections.abc import Callable

import numpy as np

from train_by_reconnect.backend.scratch import Scratch

NOT_FINITE = "a weight is NaN or infinite"
_POSITION = np.int64(0xFFFFFFFF)
# Shorter rows cost more in counting their digits than in sorting them, whatever the processor.
_SHORT = 512


def keys_of(values: np.ndarray, scratch: Scratch) -> np.ndarray:
    """Integers in the order of floats, -0.0 equal to 0.0, of the floats' size.

    The bits of floats, read as integers, order positive ones rightly; a negative one becomes minus its magnitude's
    bits. No arithmetic is done on the floats: TensorFlow's threads take subnormal numbers for zero in it.

    Args:
        values: contiguous array of floats of 16, 32 or 64 bits.
        scratch: `Scratch`, in which they will lie.

    Returns:
        Array of their shape.
    """
    bits = bits_of(values)
    signs = np.right_shift(bits, 8 * bits.itemsize - 1, out=scratch.array("signs", bits.shape, bits.dtype))
    keys = np.bitwise_and(bits, np.iinfo(bits.dtype).max, out=scratch.array("keys", bits.shape, bits.dtype))
    keys ^= signs
    keys -= signs
    return keys


def bits_of(values: np.ndarray) -> np.ndarray:
    """The same memory, read as integers.

    Args:
        values: contiguous array of floats of 16, 32 or 64 bits.
    """
    return values.view({2: np.int16, 4: np.int32, 8: np.int64}[values.dtype.itemsize])


def infinity_of(dtype: np.dtype) -> np.integer:
    """The key of infinity: those of finite numbers lie between minus it and it.

    Args:
        dtype: of the floats.
    """
    return bits_of(np.array([np.inf], dtype))[0]


def stable_order(columns: np.ndarray, scratch: Scratch) -> np.ndarray:
    """Where the r-th smallest value of each column is, of equal ones the first first.

    Args:
        columns: contiguous array of floats of shape (matrices, size of a weight vector, units).
        scratch: `Scratch`, in which the answer may lie.

    Returns:
        Int64 array of shape (matrices, units, size): of each matrix, indices into it when it is flat.

    Raises:
        ValueError: `columns` holds a NaN or an infinity, which has no place in a ranking.

    Example:

    >>> stable_order(np.array([[[0.5, 3.0], [-2.0, 1.0], [0.5, 2.0]]], "float32"), Scratch()).tolist()
    [[[2, 0, 4], [3, 5, 1]]]
    """
    if not columns.size:
        return np.empty(columns.transpose(0, 2, 1).shape, np.int64)
    keys, infinity = keys_of(columns, scratch), infinity_of(columns.dtype)
    if keys.max() >= infinity or keys.min() <= -infinity:
        raise ValueError(NOT_FINITE)
    # 64 bits of value leave no room for a position.
    packs = keys.itemsize < 8 and (keys.shape[1] <= _SHORT or not _are_digits_faster())
    return _order_packed(keys, scratch) if packs else _order_by_digits(keys)


def _order_packed(keys: np.ndarray, scratch: Scratch) -> np.ndarray:
    """By one sort of integers that hold a key in their high half and its position in the low one, so none are equal."""
    matrices, size, units = keys.shape
    packed = scratch.array("packed", (matrices, units, size), np.dtype(np.int64))
    packed[...] = keys.transpose(0, 2, 1)
    packed <<= 32
    packed |= np.add.outer(np.arange(units), np.arange(0, size * units, units))
    packed.sort(axis=-1)
    packed &= _POSITION
    return packed


def _order_by_digits(keys: np.ndarray) -> np.ndarray:
    """By 16 bits at a time, the lowest first, which NumPy counts instead of comparing."""
    matrices, size, units = keys.shape
    rows, bits = np.ascontiguousarray(keys.transpose(0, 2, 1)).reshape(-1, size), 8 * keys.itemsize
    starts = np.arange(0, keys.size, size)[:, np.newaxis]
    order = _argsort_digits(rows, 0)
    for shift in range(16, bits, 16):
        order += starts
        order = order.take(_argsort_digits(rows, shift, order) + starts, mode="wrap")
        order -= starts
    order *= units
    order = order.reshape(matrices, units, size)
    order += np.arange(units)[:, np.newaxis]
    return order


def _argsort_digits(rows: np.ndarray, shift: int, order: np.ndarray | None = None) -> np.ndarray:
    """A stable argsort of 16 bits of each key, in some order of the keys. Only the highest bits have a sign."""
    digits = (rows >> shift).astype(np.int16 if shift + 16 == 8 * rows.itemsize else np.uint16)
    return np.argsort(digits if order is None else digits.take(order, mode="wrap"), axis=1, kind="stable")


@functools.cache
def _are_digits_faster() -> bool:
    """Which of the two, equal in what they find, is faster here for long rows: as is measured once.

    By comparing it takes a third of the time with AVX2 that it takes without, and on some processors AVX-512 makes it
    slower again; counting takes the same everywhere.
    """
    keys = np.random.default_rng(0).integers(-(2**31), 2**31 - 1, (1, 2048, 16), np.int32)

    def seconds(order: Callable[[np.ndarray], np.ndarray]) -> float:
        start = time.perf_counter()
        order(keys)
        return time.perf_counter() - start

    scratch = Scratch()
    orders = (_order_by_digits, lambda keys: _order_packed(keys, scratch))
    by_digits, packed = (min(seconds(order) for _ in range(5)) for order in orders)
    return by_digits < packed
