"""The kernels of a built model, and what they hold."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.weights.layouts import describe_variables


@dataclasses.dataclass(frozen=True)
class KernelReport:
    """What one kernel holds after a change.

    Args:
        path: str, the path of the variable.
        size: int, the number of weights.
        zeros: int, how many of them are zero.

    Example:

    >>> KernelReport("dense/kernel", size=10, zeros=4).sparsity
    0.4
    """

    path: str
    size: int
    zeros: int

    @property
    def sparsity(self) -> float:
        """The fraction of zeros."""
        return self.zeros / self.size


def check_built(model: keras.Model) -> None:
    """Refuse a model that has no weights yet."""
    if not model.built:
        raise ValueError(
            f"`model` must be built, so that it has weights. Received: model={model.name!r} with built=False. "
            "Start it with `keras.Input`, or call it once."
        )


def kernels_of(model: keras.Model) -> list[tuple[keras.Variable, Axes]]:
    """The trainable kernels of a built model, each with the axes that number its neurons."""
    check_built(model)
    variables = model.trainable_variables
    layouts = describe_variables(variables)
    return [
        (variable, layout.unit_axes)  # type: ignore[misc]  # a kernel has unit axes
        for variable, layout in zip(variables, layouts, strict=True)
        if layout.kind == "kernel"
    ]


def reports_of(kernels: Sequence[keras.Variable]) -> list[KernelReport]:
    """How many zeros each kernel has."""
    values = [kernel.numpy() for kernel in kernels]
    return [KernelReport(k.path, v.size, int(np.sum(v == 0))) for k, v in zip(kernels, values, strict=True)]
