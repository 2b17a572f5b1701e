"""Binary splitting of the sorted order: an arrangement as bits, each with its exact probability.

Each sequence starts as one node, its places from left to right. A node whose values differ is split at a boundary of
distinct values. Let h be size // 2. Of the first and the one after the last place of the value at place h of the sorted
values, the boundary is the one inside the node and nearer to h; the first of them if both are as near. Each place, from
left to right, has a bit: one if its value belongs to the upper part. Upper and lower part, places in their order, are
the nodes of the next level.

Of a node the number of ones is known, so a bit has the probability ones left / places left, and one that is certain is
not written. The bits of a level are written by step: the first of all its nodes, then the second of all that have two,
and so on; within a step the larger nodes first, of equal ones the earlier. A node with m of its n places in the upper
part so costs log2(n! / m! (n - m)!) bits, and all nodes of a sequence log2(n! / prod m_i!).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from train_by_reconnect.coding.entropy import Reader, Writer


class _Level(NamedTuple):
    """The nodes of a level that are split, the larger first: their first sorted places, sizes and lower parts."""

    starts: np.ndarray
    sizes: np.ndarray
    lower: np.ndarray


def _index(size: int) -> type[np.signedinteger]:
    """The integer of a place among so many: half the memory, where it is enough."""
    return np.int32 if size < 2**31 else np.int64


def _levels(flat: np.ndarray, lengths: np.ndarray) -> Iterator[_Level]:
    """The nodes of each level, from the sorted values alone."""
    index = _index(flat.size)
    sizes = lengths[lengths > 0].astype(index)
    starts = (np.cumsum(sizes) - sizes).astype(index)
    first = np.ones(flat.size, bool)
    first[1:] = flat[1:] != flat[:-1]
    first[starts] = True
    runs = np.append(np.flatnonzero(first), flat.size).astype(index)
    run = np.cumsum(first, dtype=index) - index(1)
    while True:
        differ = flat[starts] != flat[starts + sizes - 1]
        starts, sizes = starts[differ], sizes[differ]
        if not starts.size:
            return
        order = np.argsort(-sizes, kind="stable")
        starts, sizes = starts[order], sizes[order]
        middle = starts + sizes // 2
        before, after = runs[run[middle]], runs[run[middle] + 1]
        late = (before == starts) | ((after < starts + sizes) & (after - middle < middle - before))
        lower = np.where(late, after, before) - starts
        yield _Level(starts, sizes, lower)
        starts, sizes = np.concatenate([starts, starts + lower]), np.concatenate([lower, sizes - lower])
        order = np.argsort(starts)
        starts, sizes = starts[order], sizes[order]


def _steps(level: _Level) -> np.ndarray:
    """How many nodes have a bit at each step."""
    return level.sizes.size - np.searchsorted(level.sizes[::-1], np.arange(level.sizes[0]), side="right")


def _move(level: _Level, step: int, active: int, bits: np.ndarray, ones: np.ndarray) -> np.ndarray:
    """Where the places of a step go, of which `ones` ones came before in their nodes."""
    starts = level.starts[:active]
    return np.where(bits, starts + level.lower[:active] + ones, starts + step - ones)


def write_places(values: np.ndarray, in_order: np.ndarray, lengths: np.ndarray, writer: Writer) -> None:
    """Write the order of flat sequences whose sorted values are known."""
    if values.size:
        _walk(in_order, lengths, values, writer, None)


def read_places(in_order: np.ndarray, lengths: np.ndarray, reader: Reader) -> np.ndarray:
    """Read the values in their order."""
    values = np.empty_like(in_order)
    if values.size:
        values[_walk(in_order, lengths, None, None, reader)] = in_order
    return values


def _walk(
    flat: np.ndarray, lengths: np.ndarray, values: np.ndarray | None, writer: Writer | None, reader: Reader | None
) -> np.ndarray:
    """Split to the end, writing bits or reading them; the place of each sorted value."""
    places = np.arange(flat.size, dtype=_index(flat.size))
    for level in _levels(flat, lengths):
        moved = places.copy()
        limits = flat[level.starts + level.lower]
        ones = np.zeros_like(level.sizes)
        upper = level.sizes - level.lower
        for step, active in enumerate(_steps(level)):
            here = places[level.starts[:active] + step]
            left, total = upper[:active] - ones[:active], level.sizes[:active] - step
            open_ = (left > 0) & (left < total)
            chances = left[open_] / total[open_]
            if values is not None and writer is not None:
                bits = values[here] >= limits[:active]
                writer.write(bits[open_], chances)
            elif reader is not None:
                bits = left > 0
                bits[open_] = reader.read(chances)
            moved[_move(level, step, active, bits, ones[:active])] = here
            ones[:active] += bits
        places = moved
    return places
