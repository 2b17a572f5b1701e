"""In which order sequences hold their values, where the values are known."""

import math
import struct

import numpy as np

from train_by_reconnect.coding.entropy import Reader, Writer, check_codec
from train_by_reconnect.coding.splitting import read_places, write_places
from train_by_reconnect.coding.swaps import read_orders, write_orders

_FEW = 256  # a sequence of n values of which n / 256 equal one before them is coded as if all differed


def arrangement_bits(in_order: np.ndarray) -> float:
    """The bits that sorted rows need: the sum over rows of log2(n! / prod m_i!), m_i the multiplicities."""
    rows, n = in_order.shape
    if not rows * n:
        return 0.0
    begins = _begins(in_order.ravel(), np.full(rows, n))
    counts = np.diff(np.append(np.flatnonzero(begins), rows * n))
    sizes, times = np.unique(counts, return_counts=True)
    ties = sum(int(often) * math.lgamma(int(size) + 1) for size, often in zip(sizes, times, strict=True))
    return (rows * math.lgamma(n + 1) - ties) / math.log(2)


def encode_arrangements(values: np.ndarray, lengths: np.ndarray, codec: str) -> bytes:
    """The order in which sequences hold their values, in bytes.

    By `"range"` close to log2(n! / prod m_i!) bits for n values with the multiplicities m_i; by `"packed"` as many bits
    a value as the number of different ones in a sequence has, e.g. 10 for 576.

    Args:
        values: flat array of integers, the sequences one after the other.
        lengths: how many values each has.
        codec: str.
    """
    check_codec(codec)
    order = _sorting(values, lengths)
    in_order = values[order]
    places = np.empty_like(order)
    places[order] = np.arange(values.size)
    del order
    return (_pack if codec == "packed" else _write)(places, in_order, lengths)


def decode_arrangements(data: bytes, in_order: np.ndarray, lengths: np.ndarray, codec: str) -> np.ndarray:
    """The values that `encode_arrangements` was given, of sequences whose sorted values are known.

    Raises:
        ValueError: if the data cannot be an arrangement of them.
    """
    check_codec(codec, reading=True)
    if codec == "packed":
        return _unpack(data, in_order, lengths)
    if len(data) < 4 or len(data) - 4 != 4 * struct.unpack_from("<I", data)[0]:
        raise ValueError(f"The data must have as many words as it begins with. Received: {len(data)} bytes.")
    reader = Reader(data[4:])
    values = (read_places if codec == "splitting" else _read)(in_order, lengths, reader)
    reader.finish()
    return values


def sort_sequences(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The values with each sequence sorted."""
    return values[_sorting(values, lengths)]


def _sorting(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The places of all values such that those of each sequence ascend, equal ones in their order."""
    if lengths.size and (lengths == lengths[0]).all():
        rows = np.argsort(values.reshape(lengths.size, lengths[0]), axis=1, kind="stable")
        return (rows + (np.arange(lengths.size) * lengths[0])[:, None]).ravel()
    return np.lexsort((values, np.repeat(np.arange(lengths.size), lengths)))


def _write(places: np.ndarray, in_order: np.ndarray, lengths: np.ndarray) -> bytes:
    """First the ties, then the order of the values that are alone; of all values the sorted place is given."""
    writer, is_alone = Writer(), _alone(in_order, lengths)
    if not is_alone.all():
        classes = _classes(in_order, is_alone, lengths)
        at_places = classes[places]
        write_places(at_places, sort_sequences(classes, lengths), lengths, writer)
        places = (np.cumsum(is_alone) - 1)[places[at_places == 0]]  # among those that are alone
    write_orders(places, _counts(is_alone, lengths), writer)
    words = writer.data()
    return struct.pack("<I", len(words) // 4) + words


def _read(in_order: np.ndarray, lengths: np.ndarray, reader: Reader) -> np.ndarray:
    """The values that `_write` wrote."""
    is_alone = _alone(in_order, lengths)
    if is_alone.all():
        return in_order[read_orders(lengths, reader)]
    tied = _begins(in_order, lengths) & ~is_alone
    counts = _counts(tied, lengths)
    first = np.repeat(np.cumsum(counts) - counts, lengths)
    classes = read_places(sort_sequences(_classes(in_order, is_alone, lengths), lengths), lengths, reader)
    values = np.empty_like(in_order)
    values[classes == 0] = in_order[is_alone][read_orders(_counts(is_alone, lengths), reader)]
    values[classes > 0] = in_order[tied][(first + classes - 1)[classes > 0]]
    return values


def _begins(in_order: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Where in sorted sequences another value begins."""
    begins = np.ones(in_order.size, bool)
    begins[1:] = in_order[1:] != in_order[:-1]
    begins[_starts(lengths[lengths > 0])] = True
    return begins


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.cumsum(lengths) - lengths


def _counts(marks: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """How many places of each sequence are marked."""
    before = np.append(0, np.cumsum(marks))
    starts = _starts(lengths)
    return before[starts + lengths] - before[starts]


def _numbers(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """How many marks a sequence has up to each place."""
    counts = _counts(begins, lengths)
    return (np.cumsum(begins) - np.repeat(_starts(counts), lengths)).astype(np.int32)


def _alone(in_order: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Which sorted values differ from all others of their sequence; all, where few do not."""
    begins = _begins(in_order, lengths)
    alone = begins & np.append(begins[1:], True)[: begins.size]
    few = lengths - _counts(begins, lengths) <= lengths // _FEW
    return alone | np.repeat(few, lengths)


def _classes(in_order: np.ndarray, is_alone: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """0 for the sorted values that are alone, and 1, 2, ... for those that occur more than once."""
    return np.where(is_alone, 0, _numbers(_begins(in_order, lengths) & ~is_alone, lengths))


def _pack(places: np.ndarray, in_order: np.ndarray, lengths: np.ndarray) -> bytes:
    """Planes of the bits of the ranks."""
    ranks = (_numbers(_begins(in_order, lengths), lengths) - 1)[places]
    width = int(ranks.max(initial=0)).bit_length()
    planes = (np.packbits((ranks >> bit & 1).astype(bool), bitorder="little") for bit in range(width))
    return b"".join(plane.tobytes() for plane in planes)


def _unpack(data: bytes, in_order: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The values from the planes of bits of their ranks."""
    in_ranks = _numbers(_begins(in_order, lengths), lengths) - 1
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
    order = _sorting(ranks, lengths)
    if not np.array_equal(ranks[order], in_ranks):
        raise ValueError("The ranks must be an arrangement of those that are known: the file is damaged.")
    values = np.empty_like(in_order)
    values[order] = in_order
    return values
