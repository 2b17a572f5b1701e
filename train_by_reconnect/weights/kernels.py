"""The kernels of a built model, and what they hold."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.weights.listing import Listing
from train_by_reconnect.weights.variables import describe_variables


@dataclasses.dataclass(frozen=True)
class KernelReport:
    """What one kernel holds after a change.

    Args:
        path: str, the path of the variable.
        size: int, the number of weights.
        zeros: int, how many of them are zero.
        asked: float or None, the fraction of zeros that was asked for this kernel, or None where none was.
        input_limit: float or None, the limit of the first kernel where it held it below what was asked.

    Example:

    >>> KernelReport("dense/kernel", size=10, zeros=2, asked=0.4, input_limit=0.2)
    KernelReport(path='dense/kernel', size=10, zeros=2, sparsity=0.2, asked=0.4, input_limit=0.2)
    """

    path: str
    size: int
    zeros: int
    asked: float | None = None
    input_limit: float | None = None

    @property
    def sparsity(self) -> float:
        """The fraction of zeros."""
        return self.zeros / self.size

    def __repr__(self) -> str:
        rates = {"sparsity": self.sparsity, "asked": self.asked, "input_limit": self.input_limit}
        shown = "".join(f", {name}={rate:.4g}" for name, rate in rates.items() if rate is not None)
        return f"KernelReport(path={self.path!r}, size={self.size}, zeros={self.zeros}{shown})"


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
    layouts = describe_variables(variables, model=model)
    return [
        (variable, layout.unit_axes)  # type: ignore[misc]  # a kernel has unit axes
        for variable, layout in zip(variables, layouts, strict=True)
        if layout.kind == "kernel"
    ]


def kernels_to_change(model: keras.Model) -> list[tuple[keras.Variable, Axes]]:
    """What `kernels_of` gives, of a model whose kernels are there to be changed: at least one, and none is fixed."""
    check_built(model)
    variables = model.weights
    kinds = [layout.kind for layout in describe_variables(variables, model=model)]
    scores = [variable.path for variable, kind in zip(variables, kinds, strict=True) if kind == "scores"]
    if scores:
        raise ValueError(
            "`model` must be a plain model, whose kernels are what is trained. Received: "
            f"model={model.name!r}, whose kernels are fixed and have trained scores, {', '.join(scores)}. Change the "
            "plain model before `connectivity_model`, or `strip` this one first."
        )
    kernels = kernels_of(model)
    if not kernels:
        frozen = kinds.count("kernel")
        raise ValueError(
            f"`model` must have a trainable kernel. Received: model={model.name!r}, "
            + (f"whose {frozen} kernels are frozen" if frozen else f"with {len(variables)} variables but no kernel")
            + ". Set `trainable = True` on the layers whose kernels are to be changed, or pass a model with `Dense` or "
            "convolutional layers."
        )
    return kernels


def reports_of(kernels: Sequence[keras.Variable]) -> list[KernelReport]:
    """How many zeros each kernel has."""
    values = [kernel.numpy() for kernel in kernels]
    return Listing(KernelReport(k.path, v.size, int(np.sum(v == 0))) for k, v in zip(kernels, values, strict=True))
