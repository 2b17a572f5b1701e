"""Tensors as a file lists them, and what is decided of each."""

import dataclasses
import re
from collections.abc import Callable

import numpy as np

from train_by_reconnect.backend.types import Axes


@dataclasses.dataclass(frozen=True)
class Entry:
    """One tensor as a file lists it.

    Args:
        name: str, its path in the file.
        shape: tuple of ints.
        dtype: str.
        load: a function that gives the array, of `shape` and as stored.
        word: str, what it is in its layer (`"kernel"`, `"weight"`, ...). Defaults to the last part of the name.
        layer: str. Defaults to the name without its last part.
    """

    name: str
    shape: Axes
    dtype: str
    load: Callable[[], np.ndarray]
    word: str = ""
    layer: str = ""

    def __post_init__(self) -> None:
        layer, word = _split(self.name)
        object.__setattr__(self, "word", self.word or word)
        object.__setattr__(self, "layer", self.layer or layer)


@dataclasses.dataclass(frozen=True)
class Decision:
    """The axes that number the neurons, or why there are none, and what was taken for granted."""

    unit_axes: Axes | None
    skipped: str = ""
    assumed: str = ""


def _split(name: str) -> tuple[str, str]:
    """A name's layer and its last part, of `a/b/kernel:0` and of `a.b.weight`."""
    name = re.sub(r":\d+$", "", name)
    at = max(name.rfind("/"), name.rfind("."))
    return name[: max(at, 0)] or name, name[at + 1 :]
