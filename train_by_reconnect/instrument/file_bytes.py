"""Arrays that lie in a file as they are in memory, and what is said of a file that is not what it seems."""

import math
import pathlib
import re

import ml_dtypes
import numpy as np

from train_by_reconnect.backend.types import Axes

_PIECE = 1 << 22  # numbers at a time


def dtype_of(name: str) -> np.dtype:
    """The type of that name, also one that NumPy does not know itself, as `bfloat16`."""
    return np.dtype(getattr(ml_dtypes, name, name))


def mapped(path: pathlib.Path, dtype: np.dtype, shape: Axes, offset: int) -> np.ndarray:
    """A read-only map of the bytes of a file: nothing is in memory but what is looked at.

    Numbers of 16 and 8 bits, which are not computed with, become float32: one array, filled piece by piece.

    Args:
        path: the file.
        dtype: the type of the numbers.
        shape: tuple of ints.
        offset: int, where they begin.

    Returns:
        `numpy.memmap`, or an array.
    """
    count = math.prod(shape)
    if not count or (is_float(dtype.name) and dtype.itemsize < 4):
        return _converted(path, dtype, count, offset).reshape(shape)
    return np.memmap(path, dtype, "r", offset, shape)


def _converted(path: pathlib.Path, dtype: np.dtype, count: int, offset: int) -> np.ndarray:
    array = np.empty(count, "float32")
    with path.open("rb") as file:
        file.seek(offset)
        for first in range(0, count, _PIECE):
            piece = array[first : first + _PIECE]
            piece[:] = np.frombuffer(file.read(len(piece) * dtype.itemsize), dtype)
    return array


def is_float(name: str) -> bool:
    """Whether a type of that name is one of real numbers with a point, also of 8 bits."""
    return re.fullmatch(r"b?float\d.*", name) is not None


def unreadable(
    path: pathlib.Path, expected: str, received: object, cure: str = "Copy or download it again."
) -> ValueError:
    """An error in one sentence and its cure.

    Args:
        path: the file.
        expected: str, what it should be, e.g. `"a whole safetensors file"`.
        received: what was found instead.
        cure: str. Defaults to a new copy.

    Returns:
        The ValueError, to be raised.
    """
    found = " ".join(str(received).split()).rstrip(".")
    return ValueError(f"{path} must be {expected}. Received: {found}. {cure}")
