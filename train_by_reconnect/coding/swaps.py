"""The orders of values that all differ, as integers of which each is as likely as any other below its limit.

A sequence of n such values is cut into k = n / 256 parts, rounded up, by the places that its values have in the sorted
sequence: part p has the sorted places i with i * k // n = p. The first integers, below k, are the parts of all values
in their order, where k > 1. That costs a little more than the parts need, as it does not use how many belong to each:
0.26 % of log2 n! at most. Within a part, of m <= 256 values, the order is exact.

The values of a part, in the order of the sequence, hold the numbers 0 to m - 1 by size. From the last place t = m - 1
down to 1 the integer of t, below t + 1, is the place of the number t, and the numbers at these two places are swapped
(Fisher and Yates). So all m! orders have m - 1 integers of their own. They are written from t = 1 on, part after part.
"""

import numpy as np

from train_by_reconnect.coding.entropy import Reader, Writer

PART = 256  # values at most: more parts cost more bits, larger ones more time


def write_orders(places: np.ndarray, lengths: np.ndarray, writer: Writer) -> None:
    """Write the order of some sequences.

    `places` are the sorted places of all their values, where the sorted sequences too follow each other; `lengths` how
    many values each sequence has.
    """
    parts = _Parts(lengths)
    part_of = np.repeat(np.arange(parts.sizes.size), parts.sizes)[places]
    symbols, limits = part_of - np.repeat(parts.first, lengths), np.repeat(parts.counts, lengths)
    writer.write_below(symbols[limits > 1], limits[limits > 1])
    numbers = places[_by_part(part_of, parts)]
    del part_of, symbols, limits
    found = np.empty_like(numbers)
    found[numbers] = np.arange(numbers.size)
    for place in range(parts.largest - 1, 0, -1):
        tops = parts.at(place)
        at, number = found[tops], numbers[tops]
        numbers[at], found[number] = number, at
    within, limits = parts.within()
    writer.write_below((found - within)[limits > 1], limits[limits > 1])


def read_orders(lengths: np.ndarray, reader: Reader) -> np.ndarray:
    """The places that `write_orders` was given; a `ValueError` where the data cannot be some."""
    parts = _Parts(lengths)
    part_of, limits = np.repeat(parts.first, lengths), np.repeat(parts.counts, lengths)
    part_of[limits > 1] += reader.read_below(limits[limits > 1])
    if not np.array_equal(np.bincount(part_of, minlength=parts.sizes.size), parts.sizes):
        raise ValueError("The parts must have as many values as they are long: the file is damaged, get it once more.")
    found, limits = parts.within()
    found[limits > 1] += reader.read_below(limits[limits > 1])
    del limits
    numbers = np.arange(found.size)
    for place in range(1, parts.largest):
        tops = parts.at(place)
        at = found[tops]
        numbers[tops] = numbers[at]
        numbers[at] = tops
    places = np.empty_like(numbers)
    places[_by_part(part_of, parts)] = numbers
    return places


class _Parts:
    """The parts of sequences of these lengths: how many and the first of each sequence, and their sizes and starts."""

    def __init__(self, lengths: np.ndarray) -> None:
        self.counts = -(-lengths // PART)
        self.first = np.cumsum(self.counts) - self.counts
        number = np.arange(self.counts.sum()) - np.repeat(self.first, self.counts)
        length, count = (np.repeat(each, self.counts) for each in (lengths, self.counts))
        self.sizes = -(-(number + 1) * length // count) + (-number * length // count)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.largest = int(self.sizes.max(initial=0))
        order = np.argsort(-self.sizes, kind="stable")
        self._starts, self._sizes = self.starts[order], -self.sizes[order]

    def within(self) -> tuple[np.ndarray, np.ndarray]:
        """Of all places the start of their part, and how many places of it there are up to this one."""
        starts = np.repeat(self.starts, self.sizes)
        return starts, np.arange(1, starts.size + 1) - starts

    def at(self, place: int) -> np.ndarray:
        """This place of all parts that have it."""
        return self._starts[: np.searchsorted(self._sizes, -place)] + place


def _by_part(part_of: np.ndarray, parts: _Parts) -> np.ndarray:
    """Which value comes where, if the parts follow each other."""
    small = np.uint16 if parts.sizes.size <= 2**16 else np.int64  # NumPy sorts integers of 16 bits by counting
    return np.argsort(part_of.astype(small), kind="stable")
