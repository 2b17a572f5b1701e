"""What a model or a file holds: a list of tensors, each of which is read when it is asked for, and not before."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from train_by_reconnect.backend.types import Axes


@dataclasses.dataclass(frozen=True)
class StoredTensor:
    """One tensor of a model or a file, not yet read.

    Args:
        name: str, its path within the model or the file.
        layer: str, the layer that it belongs to.
        shape: tuple of ints.
        dtype: str, as it is stored, e.g. `"bfloat16"`.
        unit_axes: tuple of ints, the axes that number the neurons; None for what is no kernel, and where the layout is
            unknown.
        skipped: str, a sentence that says why there is no profile of it, or `""`.
        read: a function without arguments that gives this tensor and reads nothing else: an array of `shape`, of
            float64, float32, or fewer bits, which `take_rows` makes float32. Of a file it may be a read-only map of its
            bytes, so that nothing is in memory but what is looked at. Raises ValueError where weights are not finite.
        initializer: the `keras.initializers.Initializer` that its layer names, or None if none is known.
        assumed: str, a sentence that says what was taken for granted about the layout because the file does not say
            it, or `""`.

    Example:

    >>> tensor = StoredTensor("dense/kernel", "dense", (3, 2), "float32", (-1,))
    >>> tensor.units, tensor.size
    (2, 3)
    """

    name: str
    layer: str
    shape: Axes
    dtype: str
    unit_axes: Axes | None
    skipped: str = ""
    read: Callable[[], np.ndarray] = dataclasses.field(default=lambda: np.empty(0), repr=False, compare=False)
    initializer: Any = dataclasses.field(default=None, repr=False, compare=False)
    assumed: str = ""

    @property
    def units(self) -> int:
        """The number of weight vectors, 0 where there are none."""
        return 0 if self.unit_axes is None else math.prod(self.shape[axis] for axis in self.unit_axes)

    @property
    def size(self) -> int:
        """The number of weights of a vector, 0 where there are none."""
        return math.prod(self.shape) // self.units if self.units else 0


@dataclasses.dataclass(frozen=True)
class Source:
    """All tensors of a model or a file, profiled or with the reason why not.

    Args:
        title: str, the name of the model or the file.
        kind: str, what it is, e.g. `"Keras model"`, `"safetensors file"`.
        tensors: list of `StoredTensor`, in the order of the model or the file.
    """

    title: str
    kind: str
    tensors: list[StoredTensor]

    @property
    def profiled(self) -> list[StoredTensor]:
        """The tensors that have weight profiles."""
        return [tensor for tensor in self.tensors if not tensor.skipped]
