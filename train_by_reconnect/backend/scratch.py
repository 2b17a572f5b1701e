"""Memory that is used again and again: fresh pages cost several times what is computed in them."""

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from train_by_reconnect.backend.types import Axes

# Bytes of one array beyond which its memory is not kept, and for how many threads it is between two calls.
_MOST, _THREADS = 1 << 21, 4


class Scratch:
    """Arrays for what one thread computes, each in the memory of the one before it of the same name.

    Example:

    >>> scratch = Scratch()
    >>> first = scratch.array("keys", (2, 3), np.dtype("int32"))
    >>> bool(np.shares_memory(first, scratch.array("keys", (5,), np.dtype("int8"))))
    True
    """

    def __init__(self) -> None:
        self._memory: dict[str, npt.NDArray[np.uint8]] = {}

    def array(self, name: str, shape: Axes, dtype: np.dtype) -> np.ndarray:
        """An array of any content, which is free again when another of the name is asked for.

        Args:
            name: str, what it is for: arrays of different names do not overlap.
            shape: tuple of ints.
            dtype: of the array.

        Returns:
            Contiguous array.
        """
        size = math.prod(shape) * dtype.itemsize
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = np.empty(size, np.uint8)
            if size <= _MOST:
                self._memory[name] = memory
        return memory[:size].view(dtype).reshape(shape)


_FREE: list[Scratch] = []


@contextlib.contextmanager
def borrowed() -> Iterator[Scratch]:
    """Some scratch memory that nobody else has meanwhile."""
    try:
        scratch = _FREE.pop()
    except IndexError:
        scratch = Scratch()
    try:
        yield scratch
    finally:
        _FREE.append(scratch)


def give_back() -> None:
    """Free what many threads have used together, but for that of some."""
    del _FREE[_THREADS:]
