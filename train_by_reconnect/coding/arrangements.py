"""Which place of a row has which rank, where the sorted ranks are known."""

import math
import struct

import numpy as np

from train_by_reconnect.coding.entropy import Reader, Writer, check_codec
from train_by_reconnect.coding.splitting import read_places, write_places


def arrangement_bits(sorted_ranks: np.ndarray) -> float:
    """The bits that arrangements need: the sum over rows of log2(n! / prod m_i!), m_i the multiplicities."""
    rows, n = sorted_ranks.shape
    if not rows * n:
        return 0.0
    starts = np.ones((rows, n), bool)
    starts[:, 1:] = sorted_ranks[:, 1:] != sorted_ranks[:, :-1]
    counts = np.diff(np.append(np.flatnonzero(starts), rows * n))
    sizes, times = np.unique(counts, return_counts=True)
    ties = sum(int(often) * math.lgamma(int(size) + 1) for size, often in zip(sizes, times, strict=True))
    return (rows * math.lgamma(n + 1) - ties) / math.log(2)


def encode_arrangements(ranks: np.ndarray, codec: str) -> bytes:
    """The ranks (rows, n) in bytes.

    By `"range"` close to `arrangement_bits`; by `"packed"` as many bits a weight as the greatest rank has, e.g. 10 for
    576 distinct values.
    """
    check_codec(codec)
    ranks = np.asarray(ranks)
    if codec == "packed":
        width = int(ranks.max()).bit_length() if ranks.size else 0
        planes = (np.packbits((ranks >> bit & 1).astype(bool), bitorder="little") for bit in range(width))
        return b"".join(plane.tobytes() for plane in planes)
    writer = Writer()
    write_places(ranks, np.sort(ranks, axis=1), writer)
    words = writer.data()
    return struct.pack("<I", len(words) // 4) + words


def decode_arrangements(data: bytes, sorted_ranks: np.ndarray, codec: str) -> np.ndarray:
    """The ranks that `encode_arrangements` wrote, of rows whose sorted ranks are given.

    Raises:
        ValueError: if the data cannot be an arrangement of them.
    """
    check_codec(codec)
    sorted_ranks = np.asarray(sorted_ranks)
    if codec == "packed":
        return _unpack(data, sorted_ranks)
    if len(data) < 4 or len(data) - 4 != 4 * struct.unpack_from("<I", data)[0]:
        raise ValueError(f"The data must have as many words as it begins with. Received: {len(data)} bytes.")
    reader = Reader(data[4:])
    ranks = read_places(sorted_ranks, reader)
    reader.finish()
    return ranks


def _unpack(data: bytes, sorted_ranks: np.ndarray) -> np.ndarray:
    """The ranks from their planes of bits."""
    size = sorted_ranks.size
    width = int(sorted_ranks.max()).bit_length() if size else 0
    stride = -(-size // 8)
    if len(data) != width * stride:
        raise ValueError(f"The ranks must have {width * stride} bytes. Received: {len(data)} bytes.")
    ranks = np.zeros(size, sorted_ranks.dtype)
    for bit in range(width):
        plane = np.unpackbits(np.frombuffer(data, np.uint8, stride, bit * stride), bitorder="little")
        if plane[size:].any():
            raise ValueError("The last byte must be filled up with zeros: the file is damaged, get it once more.")
        ranks |= plane[:size].astype(ranks.dtype) << bit
    ranks = ranks.reshape(sorted_ranks.shape)
    if not np.array_equal(np.sort(ranks, axis=1), sorted_ranks):
        raise ValueError("The ranks must be an arrangement of those that are known: the file is damaged.")
    return ranks
