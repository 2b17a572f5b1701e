"""The kernels of a built model, and what they hold."""

import dataclasses

import numpy as np

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
    def sparsity(self):
        """The fraction of zeros."""
        return self.zeros / self.size


def check_built(model):
    """Refuse a model that has no weights yet.

    Args:
        model: `keras.Model`.

    Raises:
        ValueError: it is not built.
    """
    if not model.built:
        raise ValueError(
            f"`model` must be built, so that it has weights. Received: model={model.name!r} with built=False. "
            "Start it with `keras.Input`, or call it once."
        )


def kernels_of(model):
    """The kernels of a model, and which of their axes number the neurons.

    Args:
        model: a built `keras.Model`.

    Returns:
        List of pairs of a `keras.Variable` and a tuple of ints.

    Raises:
        ValueError: the model is not built.
    """
    check_built(model)
    variables = model.trainable_variables
    layouts = describe_variables(variables)
    return [
        (variable, layout.unit_axes)
        for variable, layout in zip(variables, layouts, strict=True)
        if layout.kind == "kernel"
    ]


def reports_of(kernels):
    """How many zeros each kernel has.

    Args:
        kernels: list of `keras.Variable`.

    Returns:
        List of `KernelReport`.
    """
    values = [kernel.numpy() for kernel in kernels]
    return [KernelReport(k.path, v.size, int(np.sum(v == 0))) for k, v in zip(kernels, values, strict=True)]
