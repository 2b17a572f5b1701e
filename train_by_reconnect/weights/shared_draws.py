"""The draws of the nulls, made once for all kernels that have as many weight vectors of one size.

No measure depends on the scale of a kernel, so what is drawn depends on these two numbers only.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from train_by_reconnect.weights.sorted_noise import Family, Noise, sorted_noise

_Result = TypeVar("_Result")
_BLOCK = 1 << 18  # numbers at a time, or one draw: what is made of them about stays in a processor's cache
_KEPT = 6 << 20  # numbers of all draws of a null, each of 4 bytes: where there are more, each kernel gets its own
_MOST_KEPT = 4  # of which so many are kept: Gaussian noise, that of two initializers, and positions
_IN_CACHE = 1 << 18  # numbers of 8 bytes that a processor's own cache about holds
_AT_ONCE = 1 << 22  # numbers in all threads together: what is made of each takes some times 8 bytes
_MOST_THREADS = 4
# What is drawn, as a part of the seed.
_CODES = {"uniform": 0, "normal": 1, "truncated_normal": 2, "positions": 3}


class SharedDraws:
    """Draws of nulls, by threads whose number changes nothing: each block of draws has a seed of its own.

    It keeps the last that were drawn, at most 100 MB: kernels are best scored by shape. Of the noise that is kept each
    kernel takes the rows in an order of its own, so that its draws are not those of the next; the positions that are
    dealt out are the same for all of a shape. To be used in a `with` statement, which ends the threads.

    Args:
        n_draws: int, how often each null is drawn.
        seed: int.
        threads: int, or None for as many as there are processors, at most 4.
        once: pairs of a number and a size of weight vectors that one kernel only has: its draws are made where they are
            measured, and none is kept.

    Example:

    >>> with SharedDraws(n_draws=5, seed=0) as draws:
    ...     noise, positions = draws.noise("normal", 3, 4, 0), draws.positions(3, 4, place=0)
    ...     draws.each(3, 4, lambda first, last: (noise(first, last).shapes.shape, positions(first, last).shape))
    [((5, 3, 4), (5, 3, 4))]
    """

    def __init__(
        self, n_draws: int, seed: int, threads: int | None = None, once: Collection[tuple[int, int]] = ()
    ) -> None:
        self.n_draws, self.seed, self._once = n_draws, seed, once
        self._threads = threads or min(_MOST_THREADS, _processors())
        self._executor = ThreadPoolExecutor(self._threads)
        self._kept: OrderedDict[tuple[str, int, int], tuple[np.ndarray, ...]] = OrderedDict()

    def __enter__(self) -> "SharedDraws":
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.clear()
        self._executor.shutdown()

    def each(self, units: int, size: int, measure: Callable[[int, int], _Result]) -> list[_Result]:
        """What a function gives of the draws from a first to before a last, for one block of them after the other."""
        blocks = self._blocks(units * size)
        # One after the other at worst: memory has an end.
        at_once = min(self._threads, _AT_ONCE // ((blocks[0][1] - blocks[0][0]) * units * size))
        if at_once < 2 or len(blocks) < 2:
            return [measure(*block) for block in blocks]
        groups = [blocks[first : first + at_once] for first in range(0, len(blocks), at_once)]
        if at_once == self._threads:
            groups = [blocks]
        return [found for group in groups for found in self._executor.map(lambda block: measure(*block), group)]

    def noise(self, family: Family, units: int, size: int, *of: int) -> Callable[[int, int], Noise]:
        """A function that gives the draws of a block: `Noise` of shape (draws, units, size).

        Args:
            family: the distribution.
            units: int, the number of rows of a draw.
            size: int, of each row, at least 2.
            of: ints, for what it is: the place of the kernel, and the null.
        """

        def drawn(count: int, random: np.random.Generator) -> Noise:
            return sorted_noise(family, (count, units, size), random)

        kept = self._keep(family, units, size, drawn)
        if kept is None:
            return lambda first, last: drawn(last - first, self._random(family, units, size, first, *of))
        order = self._random(family, units, size, self.n_draws, *of).permutation(self.n_draws * units)
        rows = [each.reshape(-1, *each.shape[2:]) for each in kept]
        return lambda first, last: Noise(
            *(each[order[first * units : last * units].reshape(-1, units)] for each in rows)
        )

    def positions(self, units: int, size: int, place: int) -> Callable[[int, int], np.ndarray]:
        """A function that gives the draws of a block: 0, 1, 2, ... dealt out at random to sorted rows.

        Args:
            units: int, the number of rows of a draw.
            size: int, of each row.
            place: int, of the kernel among all.
        """

        def drawn(count: int, random: np.random.Generator) -> tuple[np.ndarray]:
            return (np.stack([dealt_positions(units, size, random) for _ in range(count)]),)

        kept = self._keep("positions", units, size, drawn)
        if kept is None:
            return lambda first, last: drawn(last - first, self._random("positions", units, size, first, place))[0]
        # NumPy takes by whole numbers of this type several times faster than by others, of which half as much is kept.
        return lambda first, last: kept[0][first:last].astype(np.intp)

    def _keep(
        self, name: str, units: int, size: int, draw: Callable[[int, np.random.Generator], Sequence[np.ndarray]]
    ) -> tuple[np.ndarray, ...] | None:
        """All draws, or None where they are too many to be kept, or of use once."""
        if self.n_draws * units * size > _KEPT or (units, size) in self._once:
            return None
        key = (name, units, size)
        if key not in self._kept:
            while len(self._kept) >= _MOST_KEPT:
                self._kept.popitem(last=False)

            arrays = _empty(name, self.n_draws, units, size)

            def fill(first: int, last: int) -> None:
                made = draw(last - first, self._random(name, units, size, first))
                for array, part in zip(arrays, made, strict=True):
                    array[first:last] = part

            self.each(units, size, fill)
            self._kept[key] = arrays
        self._kept.move_to_end(key)
        return self._kept[key]

    def _blocks(self, numbers: int) -> list[tuple[int, int]]:
        step = max(1, _BLOCK // numbers)
        return [(first, min(first + step, self.n_draws)) for first in range(0, self.n_draws, step)]

    def _random(self, name: str, *of: int) -> np.random.Generator:
        return np.random.Generator(np.random.SFC64([self.seed, _CODES[name], *of]))  # the fastest of NumPy's


def _empty(name: str, *shape: int) -> tuple[np.ndarray, ...]:
    """Where all draws of a kind go."""
    if name == "positions":
        return (np.empty(shape, "uint32"),)
    return (np.empty(shape, "float32"), np.empty(shape[:2]), np.empty(shape[:2]))


def dealt_positions(units: int, size: int, random: np.random.Generator) -> np.ndarray:
    """The numbers 0, 1, 2, ... dealt out at random to rows, each of which is sorted.

    Example:

    >>> dealt_positions(2, 3, np.random.default_rng(0)).shape
    (2, 3)
    """
    count = units * size
    if count > _IN_CACHE:
        # To deal out rows to the numbers, and to gather the numbers of each row, keeps more of it in the cache.
        owners = np.repeat(np.arange(units, dtype=np.min_scalar_type(units - 1)), size)
        random.shuffle(owners)
        return np.argsort(owners, kind="stable").reshape(units, size)
    numbers = random.permutation(count).astype("uint32").reshape(units, size)
    numbers.sort(axis=1)  # of 32 bits much faster than of 64
    return numbers.astype(np.intp)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
