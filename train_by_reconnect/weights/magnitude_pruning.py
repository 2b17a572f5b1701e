"""Magnitude pruning of a trained network in one shot."""

import dataclasses
from typing import Literal

import keras
import numpy as np

from train_by_reconnect.weights.kernels import KernelReport, kernels_to_change, reports_of
from train_by_reconnect.weights.listing import Listing
from train_by_reconnect.weights.ranges import is_fraction


def prune_by_magnitude(
    model: keras.Model,
    sparsity: float,
    *,
    scope: Literal["layer", "network"] = "layer",
    output_sparsity: float | None = None,
) -> list[KernelReport]:
    """Set the weights of the smallest magnitude to zero. Biases and normalization layers are left alone.

    Exactly `round(sparsity * size)` weights are pruned, of each kernel or of all together; weights that are zero
    already count, and of equal magnitudes the first ones are pruned.

    Args:
        model: a built `keras.Model`.
        sparsity: float, the fraction of zeros, from 0 to 1.
        scope: `"layer"`, the fraction is of each kernel; or `"network"`, it is of all kernels together, and the
            magnitudes of different layers compete. Defaults to `"layer"`.
        output_sparsity: float or None, a fraction of its own for the output layer, which is the last kernel in the
            order of `model.trainable_variables`. Frankle and Carbin prune it at half the rate of the others. Defaults
            to None, the output layer is like the others.

    Returns:
        List of `KernelReport`, one for each kernel.

    Raises:
        ValueError: a fraction outside 0 to 1, an unknown scope, or a model that is not built, is frozen or has fixed
            kernels.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(5), keras.layers.Dense(4)])
    >>> [report.sparsity for report in prune_by_magnitude(model, 0.8, output_sparsity=0.4)]
    [0.8, 0.4]

    Reference:
        Han et al. 2015, "Learning both Weights and Connections for Efficient Neural Networks", section 3;
        Frankle and Carbin 2019, "The Lottery Ticket Hypothesis", section 2 (one shot, the output layer).
    """
    for name, value in (("sparsity", sparsity), ("output_sparsity", output_sparsity)):
        if not is_fraction(value) and not (name == "output_sparsity" and value is None):
            raise ValueError(
                f"`{name}` is a fraction of zeros, from 0 to 1. Received: {name}={value}. Write 0.9 for 90 %."
            )
    if scope not in ("layer", "network"):
        raise ValueError(f'`scope` must be "layer" or "network". Received: scope={scope!r}. Choose one of them.')
    kernels = [kernel for kernel, _ in kernels_to_change(model)]
    alike, output = (kernels, []) if output_sparsity is None else (kernels[:-1], kernels[-1:])
    groups = [alike] if scope == "network" else [[kernel] for kernel in alike]
    for group in filter(None, groups):
        _prune(group, sparsity)
    if output and output_sparsity is not None:
        _prune(output, output_sparsity)
    asked = [None if scope == "network" else sparsity] * len(alike) + [output_sparsity] * len(output)
    return Listing(dataclasses.replace(each, asked=a) for each, a in zip(reports_of(kernels), asked, strict=True))


def _prune(kernels: list[keras.Variable], sparsity: float) -> None:
    """Prune a fraction of all weights of these kernels together."""
    values = [kernel.numpy() for kernel in kernels]
    magnitudes = np.concatenate([np.abs(value).ravel() for value in values])
    is_pruned = np.zeros(magnitudes.size, bool)
    is_pruned[np.argsort(magnitudes, kind="stable")[: round(sparsity * magnitudes.size)]] = True
    parts = np.split(is_pruned, np.cumsum([value.size for value in values])[:-1])
    for kernel, value, part in zip(kernels, values, parts, strict=True):
        value[part.reshape(value.shape)] = 0
        kernel.assign(value)
