"""The measures of one kernel and of its nulls, of any array; what they say is in `profile_scores.py`."""

import typing
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend.rows import count_rows, take_rows, to_rows
from train_by_reconnect.backend.types import Axes
from train_by_reconnect.weights.similarity import (
    Similarity,
    distance,
    explained,
    explained_by,
    profile_similarity,
    sorted_similarity,
    standard_deviations,
    standardize,
    within_range,
)

NULLS = ("initializer", "gaussian", "shuffled")


class KernelScores(typing.NamedTuple):
    """The measures of one kernel, and of every draw of its nulls.

    Args:
        units: int, the number of weight vectors.
        size: int, the number of weights of each.
        scored_units: int, how many of the weight vectors were scored.
        constant_units: int, how many of these hold one value only.
        measures: `Similarity` of the weights.
        gaussian_profile: float, the part of the standardized variance that a Gaussian profile explains.
        initializer: str, the class of the initializer drawn from.
        nulls: dict from each of `NULLS` to a list of `Similarity`, one for each draw.
    """

    units: int
    size: int
    scored_units: int
    constant_units: int
    measures: Similarity
    gaussian_profile: float
    initializer: str
    nulls: dict[str, list[Similarity]]


def check_draws(max_units: int | None, n_draws: int) -> None:
    """Refuse numbers of weight vectors and of draws that give no score."""
    if max_units is not None and max_units < 2:
        raise ValueError(f"`max_units` must be at least 2, or None. Received: max_units={max_units}. Use None for all.")
    if n_draws < 1:
        raise ValueError(f"`n_draws` must be at least 1. Received: n_draws={n_draws}. The default is 3.")


def sorted_sample(value: np.ndarray, unit_axes: Axes, max_units: int | None, random: np.random.Generator) -> np.ndarray:
    """Up to `max_units` weight vectors of a kernel, sorted, float64, of a scale near 1; the others are not copied."""
    units, _ = count_rows(value.shape, unit_axes)
    few = max_units is not None and units > max_units
    chosen = np.sort(random.choice(units, max_units, replace=False)) if few else slice(None)
    rows = take_rows(value, unit_axes, chosen).astype("float64")
    rows.sort(axis=1)
    return within_range(rows)


def score_kernel(
    value: np.ndarray,
    unit_axes: Axes,
    initializer: Any,
    *,
    max_units: int | None,
    n_draws: int,
    random: np.random.Generator,
) -> KernelScores:
    """Score the weight vectors of an array beside the three nulls.

    Args:
        value: float array of finite weights, also a memory-mapped one.
        unit_axes: tuple of ints, the axes that number the neurons.
        initializer: function of a shape, such as a `keras.initializers.Initializer`, or None for Glorot uniform.
        max_units: int of at least 2, or None for all.
        n_draws: int of at least 1.
        random: `numpy.random.Generator`.

    Returns:
        `KernelScores`.

    Example:

    >>> kernel = np.random.default_rng(0).normal(size=(100, 50))
    >>> scores = score_kernel(kernel, (-1,), None, max_units=20, n_draws=2, random=np.random.default_rng(0))
    >>> scores.units, scores.scored_units, len(scores.nulls["gaussian"]), scores.initializer
    (50, 20, 2, 'GlorotUniform')
    """
    rows = sorted_sample(value, unit_axes, max_units, random)
    units, size = count_rows(value.shape, unit_axes)
    initializer = initializer or keras.initializers.GlorotUniform()
    nulls: dict[str, list[Similarity]] = {null: [] for null in NULLS}
    noise_profile, shapes, means = np.zeros(size), standardize(rows), rows.mean(axis=1, keepdims=True)
    scales = np.where(
        rows[:, :1] < rows[:, -1:], standard_deviations(rows), 0
    )  # of one value it is 0, without rounding
    for _ in range(n_draws):
        seed = int(random.integers(2**31))
        nulls["initializer"].append(_drawn(initializer, value.shape, unit_axes, len(rows), seed))
        gaussian, noise = _gaussian(means, scales, size, random)
        noise_profile += noise / n_draws
        nulls["gaussian"].append(gaussian)
        nulls["shuffled"].append(_shuffled(rows, shapes, random))
    return KernelScores(
        units=units,
        size=size,
        scored_units=len(rows),
        constant_units=int(np.sum(rows[:, 0] == rows[:, -1])),
        measures=sorted_similarity(rows),
        gaussian_profile=explained_by(noise_profile, rows),
        initializer=getattr(initializer, "__name__", type(initializer).__name__),
        nulls=nulls,
    )


def _gaussian(
    means: np.ndarray, scales: np.ndarray, size: int, random: np.random.Generator
) -> tuple[Similarity, np.ndarray]:
    """The measures of normal draws with each row's mean and standard deviation, and the noise's common profile."""
    noise = random.standard_normal((len(means), size))
    noise.sort(axis=1)
    if size > 1:
        noise = standardize(noise)
    profile = noise.mean(axis=0)
    noise *= scales
    noise += means
    return sorted_similarity(noise), profile


def _shuffled(rows: np.ndarray, shapes: np.ndarray, random: np.random.Generator) -> Similarity:
    """The measures of the weights permuted across all rows; standardized ones, of the standardized weights."""
    mixed = random.permuted(rows)
    mixed.sort(axis=1)
    plain, apart = explained(mixed), distance(mixed)
    mixed = random.permuted(shapes)
    mixed.sort(axis=1)
    return Similarity(plain, explained(standardize(mixed), smallest=3), apart)


def _drawn(initializer: Any, of: Axes, unit_axes: Axes, units: int, seed: int) -> Similarity:
    """The measures of so many weight vectors as an initializer draws them."""
    drawn = _draw(initializer, of, unit_axes, units, seed).astype("float64")
    drawn.sort(axis=1)  # in place, as elsewhere here: of a large kernel each copy counts
    if not np.isfinite(drawn[:, [0, -1]]).all():
        return profile_similarity(drawn)  # it says what is wrong
    return sorted_similarity(drawn)


def _draw(initializer: Any, of: Axes, unit_axes: Axes, units: int, seed: int) -> np.ndarray:
    """So many weight vectors as an initializer draws them."""
    config: dict[str, Any] = getattr(initializer, "get_config", dict)()
    if "seed" in config:
        initializer = type(initializer).from_config({**config, "seed": seed})
    shape = list(of)
    # No more than needed: fewer units change the scale, which no measure sees. Constants and functions of one's own may
    # be for the very shape of the kernel.
    if len(unit_axes) == 1 and "seed" in config:
        shape[unit_axes[0]] = units
    kernel = keras.ops.convert_to_numpy(initializer(tuple(shape), dtype="float32"))
    return to_rows(kernel, unit_axes, np)[:units]
