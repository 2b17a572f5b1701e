"""Random numbers that are the same on every machine: raw words of Philox, and exact arithmetic with them."""

from collections.abc import Iterator

import numpy as np

_AT_ONCE = 2**20
ZEROS = 1 << 63  # added to the number of a kernel: the stream that says which of its weights are zero


def words(seed: int, stream: int, size: int) -> Iterator[tuple[slice, np.ndarray]]:
    """The 64-bit words of a stream, some at a time, each with where it belongs among all.

    They are those of Philox4x64 with 10 rounds (Salmon et al. 2011), key (seed, stream), counters 1, 2, 3, ..., four
    words of each counter.

    >>> [part.tolist() for _, part in words(0, 0, 2)]
    [[213000021201967259, 4455796210202625458]]
    """
    generator = np.random.Philox(key=np.array([seed, stream], np.uint64))
    for start in range(0, size, _AT_ONCE):
        place = slice(start, min(start + _AT_ONCE, size))
        yield place, generator.random_raw(place.stop - start)


def symmetric(seed: int, stream: int, size: int) -> np.ndarray:
    """Uniform in (-1, 1), never 0: `(2 u + 1) / 2**24 - 1` of the highest 24 bits u of each word, exact in float32."""
    values = np.empty(size, np.float32)
    for place, part in words(seed, stream, size):
        odd = ((part >> np.uint64(40)).astype(np.int64) << 1) + 1 - 2**24
        values[place] = odd.astype(np.float32) * np.float32(2.0**-24)
    return values


def below(seed: int, stream: int, size: int, probability: float) -> np.ndarray:
    """Where `u / 2**53` of the highest 53 bits `u` of each word is below a probability."""
    found = np.empty(size, bool)
    for place, part in words(seed, stream, size):
        found[place] = (part >> np.uint64(11)).astype(np.float64) * 2.0**-53 < probability
    return found


def lowest(seed: int, stream: int, size: int, count: int) -> np.ndarray:
    """Where the `count` lowest words are; of equal ones the first count."""
    found = np.zeros(size, bool)
    if count:
        drawn = np.concatenate([part for _, part in words(seed, stream, size)])
        limit = np.partition(drawn, count - 1)[count - 1]
        found = drawn < limit
        found[np.flatnonzero(drawn == limit)[: count - int(found.sum())]] = True
    return found
