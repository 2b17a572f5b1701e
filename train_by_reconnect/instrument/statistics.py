"""What is drawn of a weight matrix too large for its points: densities and extremes, to which every weight counts."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from train_by_reconnect.backend.rows import count_rows, take_rows
from train_by_reconnect.backend.types import Axes
from train_by_reconnect.weights.envelope import percentiles, shown_ranks

_CHUNK = 1 << 22  # weights at a time: what is computed of them needs little memory beside the matrix
_PART = 1 << 20  # of which copies are made, sorted
_MOST_VECTORS = 1 << 15


def spread(
    value: np.ndarray, unit_axes: Axes, random: np.random.Generator, points: int = 200
) -> tuple[np.ndarray, np.ndarray, int]:
    """The `envelope` of a kernel of any size, of which little is copied at a time.

    Args:
        value: float array of any shape, also a memory-mapped one.
        unit_axes: tuple of ints, the axes that number the neurons.
        random: chooses the weight vectors of a kernel that has more than 32,768 of them.
        points: int, the number of ranks at most. Defaults to 200.

    Returns:
        Triple of the ranks, the percentiles, and of how many weight vectors these are.

    Example:

    >>> ranks, bands, units = spread(np.array([[3.0, 9.0], [1.0, 1.0], [2.0, 4.0]]), (-1,), np.random.default_rng(0))
    >>> ranks.tolist(), bands[[0, 3, 6]].tolist(), units
    ([0, 1, 2], [[1.0, 2.0, 3.0], [1.0, 3.0, 6.0], [1.0, 4.0, 9.0]], 2)
    """
    units, size = count_rows(value.shape, unit_axes)
    ranks, step = shown_ranks(size, points), max(1, _PART // size)
    if units > _MOST_VECTORS:
        chosen = np.sort(random.choice(units, _MOST_VECTORS, replace=False))
        parts: list[Any] = [chosen[first : first + step] for first in range(0, len(chosen), step)]
        units = len(chosen)
    else:
        parts = [slice(first, min(first + step, units)) for first in range(0, units, step)]
    at_ranks = [np.sort(take_rows(value, unit_axes, part), axis=1)[:, ranks] for part in parts]
    return ranks, percentiles(np.concatenate(at_ranks)), units


def density(rows: np.ndarray, columns: int = 256, bins: int = 192) -> np.ndarray:
    """How the weights of all weight vectors lie over position and value.

    Args:
        rows: float array of shape (units, size): the weight vectors, sorted or not.
        columns: int, neighbouring positions are taken together into at most so many. Defaults to 256.
        bins: int, intervals of equal width from the smallest to the largest weight. Defaults to 192.

    Returns:
        Array of shape (columns, bins): for each column, the share of its weights in each interval; its sum is 1.

    Example:

    >>> density(np.array([[0.0, 1.0], [0.0, 0.0]]), bins=2).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    size = rows.shape[1]
    columns = min(columns, size)
    low, high = float(rows.min()), float(rows.max())
    scale = bins / (high - low) if high > low else 0.0
    offset = (np.arange(size, dtype=np.int64) * columns // size * bins).astype(np.int32)
    counts = np.zeros(columns * bins, np.int64)
    for chunk in _chunks(rows):
        places = ((chunk - low) * scale).astype(np.int32)
        np.minimum(places, bins - 1, out=places)
        places += offset
        counts += np.bincount(places.ravel(), minlength=counts.size)
    of_column = counts.reshape(columns, bins)
    return of_column / of_column.sum(axis=1, keepdims=True)


def ribbons(rows: np.ndarray, groups: int = 48, columns: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """The extremes of groups of neighbouring weight vectors, over groups of neighbouring positions.

    Args:
        rows: float array of shape (units, size): the weight vectors, sorted or not.
        groups: int, the number of groups of vectors at most. Defaults to 48.
        columns: int, the number of groups of positions at most. Defaults to 96.

    Returns:
        Pair of arrays of shape (groups, columns): the least and the greatest weight of each.

    Example:

    >>> low, high = ribbons(np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 5.0, 0.0, 0.0]]), groups=1, columns=2)
    >>> low.tolist(), high.tolist()
    ([[0.0, 0.0]], [[5.0, 4.0]])
    """
    units, size = rows.shape
    columns, groups = min(columns, size), min(groups, units)
    starts = np.arange(columns) * size // columns
    edges = np.arange(groups + 1) * units // groups
    parts = [rows[first:last] for first, last in itertools.pairwise(edges)]
    low = [np.minimum.reduceat(part.min(axis=0), starts) for part in parts]
    high = [np.maximum.reduceat(part.max(axis=0), starts) for part in parts]
    return np.array(low), np.array(high)


def _chunks(rows: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, _CHUNK // rows.shape[1])
    return (rows[first : first + step] for first in range(0, len(rows), step))
