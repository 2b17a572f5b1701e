"""What is kept of each kernel: its scores beside every draw of the nulls, and the spread of its sorted vectors."""

import dataclasses
import math
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.instrument.statistics import spread
from train_by_reconnect.instrument.tensors import StoredTensor
from train_by_reconnect.weights.profile_nulls import NULLS, KernelScores, score_kernel
from train_by_reconnect.weights.shared_draws import SharedDraws
from train_by_reconnect.weights.similarity import Similarity

# The smallest p-value that is called a difference, as in most of the field.
LEVEL = 0.05
# Scores that differ by no more differ by rounding: they are quotients of sums of up to 2^23 float64 numbers near 1,
# which NumPy adds pairwise, so with errors of about log2(2^23) * 2^-53 = 3e-15; squares and quotients some times that.
_ROUNDING = 1e-13
MORE, LESS, ALIKE, NO_ANSWER = "more alike", "less alike", "not told apart", "no answer"


class NullRange(typing.NamedTuple):
    """Where the draws of a null lie, and how rarely they are as extreme as a score.

    Args:
        mean: float, of the draws.
        low, high: float, 5 % and 95 % of the draws lie below, interpolated.
        p_lower: float, (1 + how many draws are as low as the score or lower) / (draws + 1).
        p_higher: float, the same of as high or higher.
    """

    mean: float
    low: float
    high: float
    p_lower: float
    p_higher: float


def null_range(score: float, drawn: Sequence[float]) -> NullRange:
    """Hold a score against the draws of a null.

    Both p-values are one-sided. Neither can be below 1 / (draws + 1), so 19 draws are needed for one of 0.05.

    Args:
        score: float.
        drawn: list of floats.

    Returns:
        `NullRange`; of a score or a draw without an answer all is nan but the mean, which is nan where a draw is. All
        is nan without draws.

    Example:

    >>> [round(each, 3) for each in null_range(0.75, [0.25, 0.5, 0.5, 0.75])]
    [0.5, 0.287, 0.712, 1.0, 0.4]
    """
    if not drawn:
        return NullRange(*[math.nan] * 5)
    values = np.asarray(drawn, "float64")
    if math.isnan(score) or np.isnan(values).any():
        return NullRange(float(np.mean(values)), *[math.nan] * 4)
    low, high = np.percentile(values, (5, 95))
    lower, higher = (1 + np.sum(values <= score + _ROUNDING), 1 + np.sum(values >= score - _ROUNDING))
    among = len(values) + 1
    return NullRange(*(float(each) for each in (np.mean(values), low, high, lower / among, higher / among)))


@dataclasses.dataclass(frozen=True)
class KernelProfile:
    """One kernel, measured and drawn; see `train_by_reconnect.profile`.

    Args:
        name: str, the path of the tensor.
        layer: str, the name of its layer.
        shape: tuple of ints.
        unit_axes: tuple of ints, the axes that number the neurons.
        dtype: str, as it is stored.
        assumed: str, what was taken for granted about its layout, or `""`.
        scores: `KernelScores`.
        ranks: ints, the ranks at which `bands` are.
        bands: array of shape (7, ranks), the percentiles over the sorted weight vectors.
        drawn_units: int, of how many weight vectors these are.
    """

    name: str
    layer: str
    shape: Axes
    unit_axes: Axes
    dtype: str
    assumed: str
    scores: KernelScores
    ranks: np.ndarray = dataclasses.field(repr=False)
    bands: np.ndarray = dataclasses.field(repr=False)
    drawn_units: int = 0

    def null(self, measure: str, null: str) -> NullRange:
        """Where the draws of a null lie."""
        drawn = [getattr(draw, measure) for draw in self.scores.nulls[null]]
        return null_range(getattr(self.scores.measures, measure), drawn)

    def against_gaussian(self, measure: str) -> str:
        """Whether the weight vectors are more or less alike than Gaussian noise by a measure."""
        found = self.null(measure, "gaussian")
        if math.isnan(found.p_lower):
            return NO_ANSWER
        lower, higher = found.p_lower <= LEVEL, found.p_higher <= LEVEL
        if measure == "distance":  # the farther apart, the less alike
            lower, higher = higher, lower
        return LESS if lower else MORE if higher else ALIKE

    def row(self) -> dict[str, Any]:
        """Everything measured, by the names that `ProfileScore` has, and besides where each null lies."""
        scores = self.scores
        return {
            **{"name": self.name, "layer": self.layer, "shape": self.shape, "dtype": self.dtype},
            **{"units": scores.units, "size": scores.size},
            **{"scored_units": scores.scored_units, "constant_units": scores.constant_units},
            **{key: value for measure in Similarity._fields for key, value in self._of_measure(measure)},
            **{"initializer": scores.initializer, "assumed": self.assumed},
        }

    def _of_measure(self, measure: str) -> Iterator[tuple[str, Any]]:
        yield measure, getattr(self.scores.measures, measure)
        yield f"{measure}_against_gaussian", self.against_gaussian(measure)
        for null in NULLS:
            found = self.null(measure, null)
            yield f"{measure}_{null}", found.mean
            for field in NullRange._fields[1:]:
                yield f"{measure}_{null}_{field}", getattr(found, field)
        if measure == "standardized":
            yield "gaussian_profile", self.scores.gaussian_profile


def profile_kernel(
    tensor: StoredTensor, value: np.ndarray, initializer: Any, max_units: int | None, draws: SharedDraws, place: int
) -> KernelProfile:
    """Score one tensor, of which what it reads is given, and keep its spread."""
    axes = tensor.unit_axes or ()
    scores = score_kernel(
        value,
        axes,
        initializer or tensor.initializer,
        max_units=max_units,
        draws=draws,
        place=place,
    )
    ranks, bands, drawn = spread(value, axes, np.random.default_rng([draws.seed, place, 1]))
    return KernelProfile(
        tensor.name, tensor.layer, tensor.shape, axes, tensor.dtype, tensor.assumed, scores, ranks, bands, drawn
    )
