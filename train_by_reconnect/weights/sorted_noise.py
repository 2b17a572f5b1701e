"""Noise drawn as weight profiles: sorted rows, each as its shape, its mean and its scale."""

import typing
from typing import Any, Literal

import numpy as np

from train_by_reconnect.backend.types import Axes

Family = Literal["uniform", "normal", "truncated_normal"]


# Weights of a row from which on a sum costs less than NumPy's sorts, which are fastest of short rows.
_LONG = 1024


class Noise(typing.NamedTuple):
    """Sorted rows `means + scales * shapes`.

    Args:
        shapes: float32 array of shape (..., size), every row ascending, of mean 0 and variance 1.
        means, scales: float64 arrays of shape (...).
    """

    shapes: np.ndarray
    means: np.ndarray
    scales: np.ndarray


def family_of(initializer: Any) -> Family | None:
    """The distribution from which an initializer draws each weight for itself, up to mean and scale, or None.

    No measure of similarity depends on them. It is None of what is not known to draw so: of initializers of one's own,
    of a constant, of `Orthogonal`. No initializer stands for Glorot uniform.

    Example:

    >>> import keras
    >>> family_of(keras.initializers.GlorotUniform()), family_of(keras.initializers.HeNormal())
    ('uniform', 'truncated_normal')
    """
    if initializer is None:
        return "uniform"
    import keras

    kind, of = type(initializer), keras.initializers
    if kind is of.RandomUniform:
        return "uniform" if initializer.minval < initializer.maxval else None
    if kind in (of.RandomNormal, of.TruncatedNormal):
        family: Family = "normal" if kind is of.RandomNormal else "truncated_normal"
        return family if initializer.stddev > 0 else None
    scaling = (of.GlorotUniform, of.GlorotNormal, of.HeUniform, of.HeNormal, of.LecunUniform, of.LecunNormal)
    if kind is of.VarianceScaling or kind in scaling:
        named: dict[str, Family] = {"uniform": "uniform", "untruncated_normal": "normal"}
        return named.get(initializer.distribution, "truncated_normal")
    return None


def sorted_noise(family: Family, shape: Axes, random: np.random.Generator) -> Noise:
    """Draw rows and sort them.

    Long uniform ones come sorted, which is faster: the partial sums of size + 1 exponential draws, divided by the whole
    sum, are distributed as size sorted uniform draws.

    Args:
        family: the distribution; `"truncated_normal"` is cut off at 2 standard deviations, as in Keras.
        shape: tuple of ints, (..., size), of a size of at least 2.
        random: `numpy.random.Generator`.

    Returns:
        `Noise`.

    Example:

    >>> noise = sorted_noise("normal", (4, 50), np.random.default_rng(0))
    >>> noise.shapes.shape, noise.means.shape, bool((np.diff(noise.shapes) >= 0).all())
    ((4, 50), (4,), True)

    Reference:
        Devroye 1986, Non-Uniform Random Variate Generation, chapter V, theorem 2.2, for sorted uniform draws.
    """
    if family == "uniform" and shape[-1] > _LONG:
        steps = random.standard_exponential((*shape[:-1], shape[-1] + 1), dtype="float32")
        sums = np.cumsum(steps, axis=-1, dtype="float64")  # in float32 the errors of a long row would add up
        return standardized_rows(np.divide(sums[..., :-1], sums[..., -1:], dtype="float32", casting="same_kind"))
    draw = random.random if family == "uniform" else random.standard_normal
    values = draw(shape, dtype="float32")
    if family == "truncated_normal":
        flat = values.reshape(-1)
        far = np.flatnonzero(np.abs(flat) > 2)
        while far.size:
            flat[far] = random.standard_normal(far.size, dtype="float32")
            far = far[np.abs(flat[far]) > 2]
    values.sort(axis=-1)
    return standardized_rows(values)


def standardized_rows(values: np.ndarray) -> Noise:
    """Take sorted float32 rows, which are overwritten, apart into shapes, means and scales."""
    near = np.einsum("...i->...", values)[..., None] / np.float32(values.shape[-1])
    values -= near
    left = values.mean(axis=-1, dtype="float64", keepdims=True)
    squares = np.einsum("...i,...i->...", values, values, dtype="float64", casting="same_kind")
    scales = np.sqrt(np.maximum(squares[..., None] / values.shape[-1] - left**2, 0))
    np.divide(values, scales.astype("float32"), out=values, where=scales > 0)
    return Noise(values, (near + left)[..., 0], scales[..., 0])
