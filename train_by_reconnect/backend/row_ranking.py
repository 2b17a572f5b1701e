"""Rankings, and permuting values into one, in NumPy: the exact, stable sort behind a synchronization on a CPU."""

import numpy as np

_POSITION = np.int64(0xFFFFFFFF)
_INFINITY = np.int64(0x7F800000)
# So many weights at a time: their packed form stays in the cache, and its memory is used again.
_CHUNK = 1 << 17
_NOT_FINITE = "a weight is NaN or infinite"


def _keys(values: np.ndarray) -> np.ndarray:
    """Integers in the order of floats, -0.0 equal to 0.0.

    The bits of floats, read as integers, order positive ones rightly; a negative one becomes minus its magnitude's
    bits. No arithmetic is done on the floats: TensorFlow's threads take subnormal numbers for zero in it.
    """
    bits = np.ascontiguousarray(values).view({4: np.int32, 8: np.int64}[values.dtype.itemsize])
    signs = bits >> (8 * bits.itemsize - 1)
    keys = bits & np.iinfo(bits.dtype).max
    keys ^= signs
    keys -= signs
    return keys


def _pack(rows: np.ndarray) -> np.ndarray:
    """One int64 a weight: its order in the high half, its position in the low half.

    The position breaks ties, so a plain sort of these is a stable argsort, several times faster than `np.argsort`.
    """
    # In rows, whatever the layout of a transposed kernel: everything after runs along them.
    packed = _keys(np.ascontiguousarray(rows, np.float32)).astype(np.int64)
    packed <<= 32
    packed |= np.arange(rows.shape[1], dtype=np.int64)
    return packed


def permute_to_ranking(rows: np.ndarray, sorted_rows: np.ndarray) -> np.ndarray:
    """Permute every sorted weight vector so that it has the ranking of its counterpart.

    Row for row: the r-th smallest value of `sorted_rows` goes where the r-th smallest of `rows` is. Equal values
    keep their order, as in the original code.

    Args:
        rows: float array of shape (units, size of a weight vector), the weights whose ranking is wanted.
        sorted_rows: array of the same shape, every row in ascending order.

    Returns:
        Array of the same shape: the rows of `sorted_rows`, permuted.

    Raises:
        ValueError: `rows` holds a NaN or an infinity, which has no place in a ranking.

    Example:

    >>> permute_to_ranking(np.array([[0.3, -2.0, 5.0]], "float32"), np.array([[1.0, 2.0, 3.0]], "float32"))
    array([[2., 1., 3.]], dtype=float32)

    Reference:
        Qiu and Suda 2020, section 4, "Synchronization".
    """
    units, size = rows.shape
    permuted = np.empty(rows.shape, sorted_rows.dtype)
    step = max(1, min(units, _CHUNK // max(1, size)))
    starts = np.arange(step)[:, np.newaxis] * size
    for first in range(0, units, step):
        chunk = slice(first, first + step)
        positions = _positions(rows[chunk])
        positions += starts[: len(positions)]
        permuted[chunk].reshape(-1)[positions.reshape(-1)] = sorted_rows[chunk].reshape(-1)
    return permuted


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


def sort_rows(rows: np.ndarray) -> np.ndarray:
    """Every weight vector in ascending order; equal values keep their order.

    Example:

    >>> sort_rows(np.array([[0.3, -2.0, 5.0]], "float32")).tolist()
    [[-2.0, 0.30000001192092896, 5.0]]
    """
    return np.take_along_axis(rows, _positions(rows), axis=1)


def _positions(rows: np.ndarray) -> np.ndarray:
    """Where the r-th smallest value of each row is: a stable argsort."""
    if rows.dtype == np.float64:  # 64 bits of value leave no room for a position
        if not np.isfinite(rows).all():
            raise ValueError(_NOT_FINITE)
        return np.argsort(_keys(rows), axis=1, kind="stable")
    packed = _pack(rows)
    packed.sort(axis=1)
    if (packed[:, -1:] >> 32 >= _INFINITY).any() or (packed[:, :1] >> 32 <= -_INFINITY).any():
        raise ValueError(_NOT_FINITE)
    packed &= _POSITION
    return packed
