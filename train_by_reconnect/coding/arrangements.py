"""In which order rows hold their values, where the sorted rows are known."""

import math
import struct

import numpy as np

from train_by_reconnect.coding.entropy import Reader, Writer, check_codec
from train_by_reconnect.coding.splitting import read_places, write_places
from train_by_reconnect.coding.swaps import read_orders, write_orders

_FEW = 256  # a row of n values of which n / 256 equal one before them is coded as if all differed


def arrangement_bits(in_order: np.ndarray) -> float:
    """The bits that sorted rows need: the sum over rows of log2(n! / prod m_i!), m_i the multiplicities."""
    rows, n = in_order.shape
    if not rows * n:
        return 0.0
    counts = np.diff(np.append(np.flatnonzero(_begins(in_order)), rows * n))
    sizes, times = np.unique(counts, return_counts=True)
    ties = sum(int(often) * math.lgamma(int(size) + 1) for size, often in zip(sizes, times, strict=True))
    return (rows * math.lgamma(n + 1) - ties) / math.log(2)


def encode_arrangements(values: np.ndarray, codec: str) -> bytes:
    """The order of the values (rows, n) of each row, integers of any kind, in bytes.

    By `"range"` close to `arrangement_bits`; by `"packed"` as many bits a value as the number of different ones in a
    row has, e.g. 10 for 576.
    """
    check_codec(codec)
    order = np.argsort(values, axis=1, kind="stable")
    in_order = np.take_along_axis(values, order, axis=1)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(values.shape[1])[None], axis=1)
    del order
    if codec == "packed":
        ranks = np.take_along_axis(_ranks(in_order), places, axis=1)
        width = int(ranks.max(initial=0)).bit_length()
        planes = (np.packbits((ranks >> bit & 1).astype(bool), bitorder="little") for bit in range(width))
        return b"".join(plane.tobytes() for plane in planes)
    writer, is_alone = Writer(), _alone(in_order)
    places += np.arange(len(values))[:, None] * values.shape[1]  # among the sorted values of all rows
    places = places.ravel()
    if not is_alone.all():
        classes = _classes(in_order, is_alone)
        at_places = classes.ravel()[places]
        write_places(at_places.reshape(values.shape), np.sort(classes, axis=1), writer)
        places = (np.cumsum(is_alone) - 1)[places[at_places == 0]]  # among those that are alone
    write_orders(places, is_alone.sum(axis=1), writer)
    words = writer.data()
    return struct.pack("<I", len(words) // 4) + words


def decode_arrangements(data: bytes, in_order: np.ndarray, codec: str) -> np.ndarray:
    """The values that `encode_arrangements` was given, of rows whose sorted values are known.

    Raises:
        ValueError: if the data cannot be an arrangement of them.
    """
    check_codec(codec, reading=True)
    in_order = np.asarray(in_order)
    if codec == "packed":
        return _unpack(data, in_order)
    if len(data) < 4 or len(data) - 4 != 4 * struct.unpack_from("<I", data)[0]:
        raise ValueError(f"The data must have as many words as it begins with. Received: {len(data)} bytes.")
    reader = Reader(data[4:])
    values = read_places(in_order, reader) if codec == "splitting" else _read(in_order, reader)
    reader.finish()
    return values


def _read(in_order: np.ndarray, reader: Reader) -> np.ndarray:
    """The values in their order: first the ties, then those that are alone."""
    is_alone = _alone(in_order)
    lengths = is_alone.sum(axis=1)
    if is_alone.all():
        return in_order.ravel()[read_orders(lengths, reader)].reshape(in_order.shape)
    classes = _classes(in_order, is_alone)
    tied = _begins(in_order) & ~is_alone
    first = np.cumsum(tied.sum(axis=1)) - tied.sum(axis=1)
    classes = read_places(np.sort(classes, axis=1), reader)
    values = np.empty_like(in_order)
    values[classes == 0] = in_order[is_alone][read_orders(lengths, reader)]
    values[classes > 0] = in_order[tied][(classes - 1 + first[:, None])[classes > 0]]
    return values


def _begins(in_order: np.ndarray) -> np.ndarray:
    """Where in sorted rows another value begins."""
    begins = np.ones(in_order.shape, bool)
    begins[:, 1:] = in_order[:, 1:] != in_order[:, :-1]
    return begins


def _ranks(in_order: np.ndarray) -> np.ndarray:
    """The dense ranks of sorted rows: how many smaller values a row has, equal ones counted once."""
    return np.cumsum(_begins(in_order), axis=1, dtype=np.int32) - np.int32(1)


def _alone(in_order: np.ndarray) -> np.ndarray:
    """Which values of sorted rows differ from all others of their row; all of a row with few that do not."""
    begins = _begins(in_order)
    alone = begins.copy()
    alone[:, :-1] &= begins[:, 1:]
    alone[in_order.shape[1] - np.count_nonzero(begins, axis=1) <= in_order.shape[1] // _FEW] = True
    return alone


def _classes(in_order: np.ndarray, is_alone: np.ndarray) -> np.ndarray:
    """Of sorted rows 0 for all that are alone, and 1, 2, ... for the values that occur more than once."""
    return np.where(is_alone, 0, np.cumsum(_begins(in_order) & ~is_alone, axis=1, dtype=np.int32))


def _unpack(data: bytes, in_order: np.ndarray) -> np.ndarray:
    """The values from the planes of bits of their ranks."""
    in_ranks = _ranks(in_order)
    size, width = in_ranks.size, int(in_ranks.max(initial=0)).bit_length()
    stride = -(-size // 8)
    if len(data) != width * stride:
        raise ValueError(f"The ranks must have {width * stride} bytes. Received: {len(data)} bytes.")
    ranks = np.zeros(size, np.int32)
    for bit in range(width):
        plane = np.unpackbits(np.frombuffer(data, np.uint8, stride, bit * stride), bitorder="little")
        if plane[size:].any():
            raise ValueError("The last byte must be filled up with zeros: the file is damaged, get it once more.")
        ranks |= plane[:size].astype(np.int32) << bit
    order = np.argsort(ranks.reshape(in_ranks.shape), axis=1, kind="stable")
    if not np.array_equal(np.take_along_axis(ranks.reshape(in_ranks.shape), order, axis=1), in_ranks):
        raise ValueError("The ranks must be an arrangement of those that are known: the file is damaged.")
    values = np.empty_like(in_order)
    np.put_along_axis(values, order, in_order, axis=1)
    return values
