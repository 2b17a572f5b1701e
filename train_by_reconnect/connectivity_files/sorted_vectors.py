"""Sorted weight vectors as bytes: each value once, and where in its weight vector the next one begins."""

import struct
import zlib

import numpy as np

from train_by_reconnect.coding import decode_bits, encode_bits

_PARTS = struct.Struct("<BQQQ")  # kind, bytes of the beginnings, numbers in the table, inflated bytes
_DIFFERENCES, _INDICES = 0, 1


def encode_sorted(rows: np.ndarray, codec: str) -> bytes:
    """Bytes of rows of words in ascending order."""
    begins = rows[:, 1:] != rows[:, :-1]
    flags = encode_bits(begins.ravel(), codec)
    is_first = np.ones(rows.shape, bool)
    is_first[:, 1:] = begins
    values = rows[is_first]
    table, indices = np.unique(values, return_inverse=True)
    if len(table) <= 2**16 and 2 * len(table) <= len(values):
        kind, numbers = _INDICES, indices.astype("<u1" if len(table) <= 2**8 else "<u2")
    else:
        kind, table = _DIFFERENCES, table[:0]
        numbers = np.diff(values, prepend=values[:1] * 0)
        starts = np.concatenate([[0], is_first.sum(axis=1).cumsum()[:-1]]) if len(rows) else np.zeros(0, int)
        numbers[starts] = values[starts]
    planes = np.ascontiguousarray(numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize).T).tobytes()
    head = _PARTS.pack(kind, len(flags), len(table), len(planes))
    return b"".join([head, flags, table.tobytes(), zlib.compress(planes, 6)])


def decode_sorted(data: bytes | memoryview, shape: tuple[int, int], dtype: np.dtype, codec: str) -> np.ndarray:
    """The rows of words again; a ValueError says what is wrong with the bytes."""
    rows = np.zeros(shape, dtype)
    if len(data) < _PARTS.size:
        raise ValueError("sorted vectors that are cut")
    kind, length, in_table, inflated = _PARTS.unpack_from(data)
    place = _PARTS.size + length
    flags = decode_bits(bytes(data[_PARTS.size : place]), shape[0] * max(0, shape[1] - 1), codec)
    is_first = np.ones(shape, bool)
    is_first[:, 1:] = flags.reshape(shape[0], max(0, shape[1] - 1))
    count = int(is_first.sum())
    end = place + in_table * dtype.itemsize
    if kind not in (_DIFFERENCES, _INDICES) or in_table > 2**16 or end > len(data):
        raise ValueError("sorted vectors of an unknown kind")
    table = np.frombuffer(data[place:end], dtype)
    number_dtype = dtype if kind == _DIFFERENCES else np.dtype("<u1" if in_table <= 2**8 else "<u2")
    planes = _inflated(data[end:], inflated, count * number_dtype.itemsize)
    numbers = np.frombuffer(planes, np.uint8).reshape(number_dtype.itemsize, count).T.copy().view(number_dtype).ravel()
    if kind == _INDICES:
        if count and (not in_table or numbers.max() >= in_table):
            raise ValueError("sorted vectors of values that are not in their table")
        numbers = table[numbers]
    rows[is_first] = numbers
    if kind == _DIFFERENCES:
        np.cumsum(rows, axis=1, dtype=dtype, out=rows)  # what is equal to its predecessor differs by 0
    else:
        rows = np.take_along_axis(rows, _last_first(is_first), axis=1)
    if (rows[:, 1:] < rows[:, :-1]).any() or not np.array_equal(rows[:, 1:] != rows[:, :-1], is_first[:, 1:]):
        raise ValueError("sorted vectors that are not sorted")
    return rows


def _last_first(is_first: np.ndarray) -> np.ndarray:
    places = np.where(is_first, np.arange(is_first.shape[1]), 0)
    return np.maximum.accumulate(places, axis=1)


def _inflated(data: memoryview | bytes, declared: int, expected: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        planes = inflater.decompress(data, expected + 1)
    except zlib.error as error:
        raise ValueError(f"sorted vectors that cannot be inflated, {error}") from error
    if declared != expected or len(planes) != expected or not inflater.eof:
        raise ValueError("sorted vectors of another size")
    return planes
