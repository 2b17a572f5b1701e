"""Changes of a network's weights before it is trained by permutation, each seeded and reported."""

import dataclasses
import numbers
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.weights.kernels import KernelReport, kernels_to_change, reports_of
from train_by_reconnect.weights.listing import Listing
from train_by_reconnect.weights.ranges import is_fraction, limits_of


def sparsify(
    model: keras.Model,
    sparsity: float | Sequence[float],
    *,
    method: Literal["exact", "bernoulli"] = "exact",
    input_limit: float | None = 0.2,
    seed: int | None = None,
) -> list[KernelReport]:
    """Set random weights of every trainable kernel to zero. Biases and normalization layers are left alone.

    Args:
        model: a built `keras.Model`.
        sparsity: the fraction of zeros, from 0 to 1: a float for all kernels, or a list with one for
            each kernel, in the order of `model.trainable_variables` (layer-wise rates, A.5.0).
        method: `"exact"`: that fraction of each kernel, rounded to a whole number of weights; `"bernoulli"`: each
            weight by itself with that probability, as in the original code. Defaults to `"exact"`.
        input_limit: float or None, the most that a single rate takes from the first kernel; a list is taken as
            it is. Defaults to 0.2, as in the paper. The report of the first kernel says what was asked.
        seed: int or None.

    Returns:
        List of `KernelReport`, one for each kernel.

    Raises:
        ValueError: a rate or a limit outside 0 to 1, a list of the wrong length, an unknown method, or a model
            that is not built, is frozen or has fixed kernels.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(5), keras.layers.Dense(4)])
    >>> [(report.sparsity, report.asked, report.input_limit) for report in sparsify(model, 0.5, seed=0)]
    [(0.2, 0.5, 0.2), (0.5, 0.5, None)]

    Reference:
        Qiu and Suda 2020, sections 5.4 and 5.5, A.5.0 and A.5.4.
    """
    kernels = [kernel for kernel, _ in kernels_to_change(model)]
    rates, asked = _rates(sparsity, len(kernels), input_limit)
    if method not in ("exact", "bernoulli"):
        raise ValueError(f'`method` must be "exact" or "bernoulli". Received: method={method!r}. Choose one of them.')
    random = np.random.default_rng(seed)
    for kernel, rate in zip(kernels, rates, strict=True):
        value = kernel.numpy()
        if method == "exact":
            value.flat[random.choice(value.size, round(rate * value.size), replace=False)] = 0
        else:
            value[random.random(value.shape) < rate] = 0
        kernel.assign(value)
    return Listing(
        dataclasses.replace(report, asked=wanted, input_limit=input_limit if rate < wanted else None)
        for report, rate, wanted in zip(reports_of(kernels), rates, asked, strict=True)
    )


def _rates(sparsity: Any, count: int, input_limit: float | None) -> tuple[list[float], list[float]]:
    """The rate of each kernel, and what was asked for it."""
    if input_limit is not None and not is_fraction(input_limit):
        raise ValueError(
            f"`input_limit` is a fraction of zeros, from 0 to 1, or None. Received: input_limit={input_limit!r}. "
            "Write 0.2 for 20 %."
        )
    asked = [sparsity] * count if np.ndim(sparsity) == 0 else list(sparsity)
    if not all(map(is_fraction, [sparsity] if np.ndim(sparsity) == 0 else asked)):
        raise ValueError(
            f"`sparsity` is a fraction of zeros, from 0 to 1. Received: sparsity={sparsity}. Write 0.9 for 90 %."
        )
    if len(asked) != count:
        raise ValueError(
            f"`sparsity` must be a number, or a list of one for each of the {count} kernels. "
            f"Received: sparsity={sparsity}. Give a list of that length."
        )
    asked = [float(rate) for rate in asked]
    if np.ndim(sparsity) or input_limit is None:
        return asked, asked
    return [min(asked[0], float(input_limit)), *asked[1:]], asked


def share_value(model: keras.Model, value: float) -> list[KernelReport]:
    """Set every weight of every kernel that is not zero to one value: a weight agnostic network.

    Args:
        model: a built `keras.Model`; sparsify it first, since equal weights alone leave nothing to permute.
        value: float, finite and not 0 in the dtype of every kernel.

    Returns:
        List of `KernelReport`, one for each kernel.

    Raises:
        ValueError: another value, or a model that is not built, is frozen or has fixed kernels.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(5)])
    >>> reports = sparsify(model, [0.4], seed=0), share_value(model, 0.08)
    >>> sorted({round(weight, 2) for weight in model.get_weights()[0].ravel().tolist()})
    [0.0, 0.08]

    Reference:
        Qiu and Suda 2020, section 5.5.
    """
    kernels = [kernel for kernel, _ in kernels_to_change(model)]
    for kernel in kernels:
        _check_can_hold(kernel, value)
    for kernel in kernels:
        old = kernel.numpy()
        kernel.assign(np.where(old == 0, 0, value).astype(old.dtype))
    return reports_of(kernels)


def _check_can_hold(kernel: keras.Variable, value: Any) -> None:
    smallest, largest = limits_of(kernel.dtype)
    if not (isinstance(value, numbers.Real) and smallest <= abs(float(value)) <= largest):
        raise ValueError(
            f"`value` must be a number of a magnitude from {smallest:.3g} to {largest:.3g}, as {kernel.dtype} holds it "
            f"({kernel.path}). Received: value={value!r}. Pass e.g. 0.08."
        )


def shuffle_weight_vectors(model: keras.Model, *, seed: int | None = None) -> list[KernelReport]:
    """Shuffle every weight vector of every kernel: the values stay, the locations are lost.

    Of a trained network this makes the initialization N_S. Clone the network first to keep it.

    Args:
        model: a built `keras.Model`.
        seed: int or None.

    Returns:
        List of `KernelReport`, one for each kernel.

    Raises:
        ValueError: a model that is not built, is frozen or has fixed kernels.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(5)])
    >>> before = model.get_weights()[0]
    >>> reports = shuffle_weight_vectors(model, seed=0)
    >>> bool((np.sort(before, axis=0) == np.sort(model.get_weights()[0], axis=0)).all())
    True

    Reference:
        Qiu and Suda 2020, section 5.1.
    """
    random = np.random.default_rng(seed)
    kernels = kernels_to_change(model)
    for kernel, axes in kernels:
        rows = to_rows(kernel.numpy(), axes, np)
        kernel.assign(from_rows(random.permuted(rows, axis=1), kernel.shape, axes, np))
    return reports_of([kernel for kernel, _ in kernels])
