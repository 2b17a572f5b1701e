"""How similar weight profiles are: one common profile against each.

With the sorted weight vectors v_1 ... v_units of a matrix, and their mean m, the *common profile*, three measures:

- **plain** = Var(m) / Var(all weights) = 1 - sum_j ||v_j - m||^2 / sum_j ||v_j - grand mean||^2: the part of the
  variance of all weights that the common profile explains. The denominator is about the grand mean, so it is the
  variance of the matrix itself, sorted or not; whatever a vector has of its own, a mean, a scale or a shape, stays
  unexplained.
- **standardized**: the same once each vector has mean 0 and variance 1, so that only the shapes are compared. A vector
  of one value has no shape and is left out. Every other counts alike, however small its weights are.
- **distance**: mean_j Wasserstein-1(v_j, m) / standard deviation of all weights. 0 for equal profiles. (The mean of the
  sorted vectors is the distribution that is nearest to all of them in Wasserstein-2.)

m is the mean of the very vectors that it explains: of pure noise it still explains 1 / units.
What the numbers say, and what not, is in `profile_scores.py`.
"""

import typing

import numpy as np
import numpy.typing as npt


class Similarity(typing.NamedTuple):
    """The three measures of one matrix, floats; see `profile_similarity`."""

    plain: float
    standardized: float
    distance: float


def profile_similarity(vectors: npt.ArrayLike) -> Similarity:
    """Measure how similar weight profiles are, as this module's docstring defines it.

    Args:
        vectors: float array of shape (units, size), the weight vectors, sorted or not.

    Returns:
        `Similarity`: plain and standardized, both from 0 to 1, and distance, from 0. A measure that has no answer is
        nan: fewer than 2 weight vectors (one is its own profile), vectors of 1 weight (nothing to sort), a matrix of
        one value (no variance). A standardized one also for vectors of 2 weights, which all become (-1, 1), and where
        fewer than 2 vectors hold more than one value.

    Raises:
        ValueError: an array of another rank, or a value that is NaN or infinite.

    Example:

    One shape twice, the second time with twice the scale; the common profile is (-1.5, 0, 1.5).

    >>> plain, standardized, distance = profile_similarity([[-1, 0, 1], [2, 0, -2]])
    >>> round(plain, 6), round(standardized, 6)  # 1 - 4 * 0.5**2 / (1 + 1 + 4 + 4); one shape
    (0.9, 1.0)
    """
    vectors = np.asarray(vectors, "float64")
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise ValueError(
            "`vectors` must be finite numbers of shape (units, size). Received: an array of shape "
            f"{vectors.shape} with {vectors.size - np.isfinite(vectors).sum()} numbers that are NaN or infinite. "
            "Pass one weight vector a row."
        )
    return sorted_similarity(np.sort(vectors, axis=1))


def profile_distance(a: npt.ArrayLike, b: npt.ArrayLike) -> np.ndarray:
    """Measure how far apart two weight profiles are: the Wasserstein-1 distance of their values.

    Between two sets of n values it is the mean absolute difference of the sorted values,
    `sum_r |a_(r) - b_(r)| / n`: how far a weight has to move, on average, to turn one profile into the other.

    Args:
        a: array of shape (..., size), weight vectors, sorted or not.
        b: array of a shape that broadcasts with that of `a`, of the same size.

    Returns:
        Array of shape (...): the distances, in the unit of the weights.

    Raises:
        ValueError: sizes that differ; `scipy.stats.wasserstein_distance` compares those.

    Example:

    >>> float(profile_distance([1.0, 0.0, 2.0], [0.5, 2.5, 1.5]))  # (0.5 + 0.5 + 0.5) / 3
    0.5
    """
    a, b = np.sort(a, axis=-1), np.sort(b, axis=-1)
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(
            f"`a` and `b` must have weight vectors of one size. Received: a.shape={a.shape} and b.shape={b.shape}. "
            "Use `scipy.stats.wasserstein_distance` for two sizes."
        )
    return np.mean(np.abs(a - b), axis=-1)


def sorted_similarity(rows: np.ndarray) -> Similarity:
    """`profile_similarity` of float64 rows that are sorted already."""
    rows = within_range(rows)
    return Similarity(explained(rows), explained(standardize(rows), smallest=3), distance(rows))


def within_range(rows: np.ndarray) -> np.ndarray:
    """Rows times the power of two that makes the largest number one near 1: exact, and no square leaves the range.

    No measure depends on the scale.
    """
    return np.ldexp(rows, -np.frexp(np.abs(rows).max())[1])


def explained(rows: np.ndarray, smallest: int = 2) -> float:
    """The part of the variance of sorted rows of at least `smallest` weights that their mean explains, or nan."""
    if len(rows) < 2 or rows.shape[1] < smallest or rows.min() == rows.max():
        return np.nan
    return min(1.0, float(np.var(rows.mean(axis=0)) / np.var(rows)))  # above 1 by rounding only


def distance(rows: np.ndarray) -> float:
    """The mean Wasserstein-1 distance of sorted rows from their mean, in standard deviations, or nan."""
    if min(rows.shape) < 2 or rows.min() == rows.max():
        return np.nan
    return float(np.mean(np.abs(rows - rows.mean(axis=0))) / np.std(rows))


def standardize(rows: np.ndarray) -> np.ndarray:
    """Give sorted rows mean 0 and variance 1 each; those that hold one value only are left out."""
    rows = rows[rows[:, 0] < rows[:, -1]]
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= standard_deviations(rows)
    return rows


def standard_deviations(rows: np.ndarray) -> np.ndarray:
    """The standard deviation of each sorted row, array of shape (units, 1), also of rows whose squares underflow."""
    centered = rows - rows.mean(axis=1, keepdims=True)
    exponents = np.frexp(np.maximum(-centered[:, :1], centered[:, -1:]))[1]
    np.ldexp(centered, -exponents, out=centered)
    return np.ldexp(np.std(centered, axis=1, keepdims=True), exponents)


def explained_by(profile: np.ndarray, shapes: np.ndarray) -> float:
    """The part of the variance of standardized rows that a given profile explains, with nan as above."""
    if len(shapes) < 2 or shapes.shape[1] < 3:
        return np.nan
    # 1 - mean((shape - profile)^2), where mean(shape^2) is 1
    return float(2 * np.mean(shapes.mean(axis=0) * profile) - np.mean(profile**2))
