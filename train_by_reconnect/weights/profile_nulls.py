"""The measures of one kernel and of its nulls, of any array; what they say is in `profile_scores.py`."""

import collections
import typing
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from train_by_reconnect.backend.rows import count_rows, numpy_of, take_rows, to_rows
from train_by_reconnect.backend.types import Axes
from train_by_reconnect.weights.null_measures import dealt_plain, dealt_standardized, noise_similarities, similarities
from train_by_reconnect.weights.shared_draws import SharedDraws
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
from train_by_reconnect.weights.sorted_noise import Noise, family_of

NULLS = ("initializer", "gaussian", "shuffled")
_FEW = 1 << 14  # weights
_OfDealt: typing.TypeAlias = Callable[[np.ndarray], Sequence[np.ndarray]]


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
        nulls: dict from each of `NULLS` to a list of `Similarity`, one for each draw. Without draws `gaussian_profile`
            is nan too.
    """

    units: int
    size: int
    scored_units: int
    constant_units: int
    measures: Similarity
    gaussian_profile: float
    initializer: str
    nulls: dict[str, list[Similarity]]


def check_draws(max_units: int | None, n_draws: int, least: int = 1) -> None:
    """Refuse numbers of weight vectors and of draws that give no score."""
    if max_units is not None and max_units < 2:
        raise ValueError(f"`max_units` must be at least 2, or None. Received: max_units={max_units}. Use None for all.")
    if n_draws < least:
        raise ValueError(
            f"`n_draws` must be at least {least}. Received: n_draws={n_draws}. Leave it out for the default."
        )


def by_shape(kernels: Sequence[tuple[Axes, Axes]]) -> list[int]:
    """The places of kernels, of each its shape and its unit axes, in the order in which `SharedDraws` keep best."""
    return sorted(range(len(kernels)), key=lambda place: count_rows(*kernels[place])[::-1])


def once(kernels: Sequence[tuple[Axes, Axes]], max_units: int | None) -> set[tuple[int, int]]:
    """The numbers and sizes of scored weight vectors that one kernel only has.

    Example:

    >>> sorted(once([((9, 5), (-1,)), ((9, 6), (-1,)), ((7, 5), (-1,))], max_units=5))
    [(5, 7)]
    """
    sizes = (count_rows(*kernel) for kernel in kernels)
    counts = collections.Counter((min(units, max_units or units), size) for units, size in sizes)
    return {each for each, count in counts.items() if count == 1}


def sorted_sample(value: np.ndarray, unit_axes: Axes, max_units: int | None, random: np.random.Generator) -> np.ndarray:
    """Up to `max_units` weight vectors of a kernel, sorted, float64, of a scale near 1; the others are not copied."""
    units, _ = count_rows(value.shape, unit_axes)
    few = max_units is not None and units > max_units
    chosen = np.sort(random.choice(units, max_units, replace=False)) if few else slice(None)
    rows = np.sort(take_rows(value, unit_axes, chosen), axis=1)  # not in place: they may be the kernel's own
    return within_range(rows.astype("float64", copy=False))


def score_kernel(
    value: np.ndarray, unit_axes: Axes, initializer: Any, *, max_units: int | None, draws: SharedDraws, place: int
) -> KernelScores:
    """Score the weight vectors of an array beside the three nulls.

    Args:
        value: float array of finite weights, also a memory-mapped one.
        unit_axes: tuple of ints, the axes that number the neurons.
        initializer: function of a shape, such as a `keras.initializers.Initializer`, or None for Glorot uniform.
        max_units: int of at least 2, or None for all.
        draws: `SharedDraws`, what is drawn, how often and from which seed.
        place: int, of the kernel among all.

    Returns:
        `KernelScores`.

    Example:

    >>> kernel = np.random.default_rng(0).normal(size=(100, 50))
    >>> with SharedDraws(n_draws=2, seed=0) as draws:
    ...     scores = score_kernel(kernel, (-1,), None, max_units=20, draws=draws, place=0)
    >>> scores.units, scores.scored_units, len(scores.nulls["gaussian"]), scores.initializer
    (50, 20, 2, 'GlorotUniform')
    """
    random = np.random.default_rng([draws.seed, place])
    rows = sorted_sample(value, unit_axes, max_units, random)
    units, size = count_rows(value.shape, unit_axes)
    shapes = standardize(rows)
    measures = Similarity(explained(rows), explained(shapes, smallest=3), distance(rows))
    nulls: dict[str, list[Similarity]] = {null: [] for null in NULLS}
    gaussian_profile = np.nan
    if draws.n_draws:
        nulls["initializer"] = _drawn(initializer, value.shape, unit_axes, len(rows), draws, place, random)
        nulls["gaussian"], noise_profile = _gaussian(rows, measures, draws, place)
        nulls["shuffled"] = _shuffled(rows, shapes, draws, place)
        gaussian_profile = explained_by(noise_profile, shapes)
    return KernelScores(
        units=units,
        size=size,
        scored_units=len(rows),
        constant_units=int(np.sum(rows[:, 0] == rows[:, -1])),
        measures=measures,
        gaussian_profile=gaussian_profile,
        initializer=_name_of(initializer),
        nulls=nulls,
    )


def _name_of(initializer: Any) -> str:
    if initializer is None:
        return "GlorotUniform"
    return str(getattr(initializer, "__name__", type(initializer).__name__))


def _gaussian(
    rows: np.ndarray, measures: Similarity, draws: SharedDraws, place: int
) -> tuple[list[Similarity], np.ndarray]:
    """The measures of normal draws with each row's mean and standard deviation, and the noise's common profile."""
    units, size = rows.shape
    scales = np.where(rows[:, :1] < rows[:, -1:], standard_deviations(rows), 0)  # of one value 0, without rounding
    if units < 2 or size < 3 or not scales.any():
        # Of no or two weights, and of weights that are all one, mean and deviation leave nothing open.
        return [measures] * draws.n_draws, np.zeros(size)
    noise, means = draws.noise("normal", units, size, place, NULLS.index("gaussian")), rows.mean(axis=1)
    found = draws.each(
        units, size, lambda first, last: noise_similarities(Noise(noise(first, last).shapes, means, scales[:, 0]))
    )
    profiles = np.concatenate([profiles for _, profiles in found])
    return [each for similarities, _ in found for each in similarities], profiles.mean(axis=0)


def _shuffled(rows: np.ndarray, shapes: np.ndarray, draws: SharedDraws, place: int) -> list[Similarity]:
    """The measures of the weights permuted across all rows; standardized ones, of the standardized weights.

    A row of weights drawn from among all that are sorted is sorted where the places are.
    """
    size, variance = rows.shape[1], float(np.var(rows))
    measured: dict[int, list[_OfDealt]] = {}  # by the number of rows
    if len(rows) > 1 and size > 1 and np.ptp(rows) > 0:
        values = _ascending(rows)
        measured.setdefault(len(rows), []).append(lambda places: dealt_plain(values.take(places), variance))
    if len(shapes) > 1 and size > 2:
        shape_values = _ascending(shapes)
        measured.setdefault(len(shapes), []).append(lambda places: [dealt_standardized(shape_values.take(places))])
    columns = [each for count, measures in measured.items() for each in _dealt(draws, count, size, place, measures)]
    nothing = [np.full(draws.n_draws, np.nan)] * (3 - len(columns))
    plain, distances, standardized = columns + nothing
    return similarities(plain, standardized, distances)


def _dealt(draws: SharedDraws, count: int, size: int, place: int, measures: Sequence[_OfDealt]) -> list[np.ndarray]:
    """What these measures give of all draws, each of which is made once."""
    positions = draws.positions(count, size, place)

    def measured(first: int, last: int) -> list[np.ndarray]:
        places = positions(first, last)
        return [column for measure in measures for column in measure(places)]

    return [np.concatenate(parts) for parts in zip(*draws.each(count, size, measured), strict=True)]


def _ascending(rows: np.ndarray) -> np.ndarray:
    """All numbers in ascending order: many as float32, with which all that follows takes half the time.

    Of few weights of few values a draw may be the kernel again, and its score must be the same. Of many none is.
    """
    return np.sort(rows if rows.size <= _FEW else rows.astype("float32"), axis=None)


def _drawn(
    initializer: Any,
    of: Axes,
    unit_axes: Axes,
    units: int,
    draws: SharedDraws,
    place: int,
    random: np.random.Generator,
) -> list[Similarity]:
    """The measures of so many weight vectors as an initializer draws them."""
    size, family = count_rows(of, unit_axes)[1], family_of(initializer)
    seeds = random.integers(2**31, size=draws.n_draws)
    if family is None:
        return [_measured(_draw(initializer, of, unit_axes, units, int(seed))) for seed in seeds]
    if units < 2 or size < 2:
        return [Similarity(np.nan, np.nan, np.nan)] * draws.n_draws
    noise = draws.noise(family, units, size, place, NULLS.index("initializer"))
    found = draws.each(units, size, lambda first, last: noise_similarities(noise(first, last))[0])
    return [each for similarities in found for each in similarities]


def _measured(drawn: np.ndarray) -> Similarity:
    drawn = drawn.astype("float64")
    drawn.sort(axis=1)  # in place: of a large kernel each copy counts
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
    kernel = numpy_of(initializer(tuple(shape), dtype="float32"))
    return to_rows(kernel, unit_axes, np)[:units]
