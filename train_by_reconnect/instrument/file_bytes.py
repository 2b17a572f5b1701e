"""Arrays that lie in a file as they are in memory, and what is said of a file that is not what it seems."""

import math
import pathlib
import re

import ml_dtypes
import numpy as np

from train_by_reconnect.backend.types import Axes


def dtype_of(name: str) -> np.dtype:
    """The type of that name, also one that NumPy does not know itself, as `bfloat16`."""
    return np.dtype(getattr(ml_dtypes, name, name))


def mapped(path: pathlib.Path, dtype: np.dtype, shape: Axes, offset: int) -> np.ndarray:
    """A read-only map of the bytes of a file: nothing is in memory but what is looked at.

    Args:
        path: the file.
        dtype: the type of the numbers.
        shape: tuple of ints.
        offset: int, where they begin.

    Returns:
        `numpy.memmap`, or an empty array.
    """
    if not math.prod(shape):  # of which there is no map
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", offset, shape)


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
