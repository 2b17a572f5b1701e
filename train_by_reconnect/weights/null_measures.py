"""The measures of `similarity.py` for many matrices of sorted rows at a time."""

import numpy as np

from train_by_reconnect.weights.similarity import Similarity
from train_by_reconnect.weights.sorted_noise import Noise


def noise_similarities(noise: Noise) -> tuple[list[Similarity], np.ndarray]:
    """The measures of several matrices of noise.

    Of a row `mean + scale * shape` all but the distance is known without computing it: the shapes have mean 0 and
    variance 1, so the variance of a matrix is `Var(means) + mean(scales^2)`.

    Args:
        noise: `Noise` of shape (draws, units, size), of at least 2 units and a size of at least 2; a row whose scale is
            0 is constant. `means` and `scales` may be of shape (units,), for all draws.

    Returns:
        Pair of a list of `Similarity`, one for each draw, and the common profiles of the standardized rows that are not
        constant, an array of shape (draws, size).

    Example:

    >>> shapes = np.array([[[-1.0, 1.0], [-1.0, 1.0]]], "float32")
    >>> [found], _ = noise_similarities(Noise(shapes, np.array([2.0, 6.0]), np.array([1.0, 3.0])))
    >>> round(found.plain, 6), round(found.distance, 6)  # of (1, 3) and (3, 9): 4/9 and 2/3
    (0.444444, 0.666667)
    """
    draws, units, size = noise.shapes.shape
    means, scales = (np.broadcast_to(each, (draws, units)) for each in noise[1:])
    means = means - means.mean(axis=1, keepdims=True)
    varied = scales > 0
    counts = varied.sum(axis=1)
    profiles = _weighted(scales / units, noise.shapes)
    common = _weighted(varied / np.maximum(counts, 1)[:, None], noise.shapes).astype("float64")
    apart = noise.shapes * scales.astype("float32")[..., None]
    apart += means.astype("float32")[..., None]
    apart -= profiles[:, None]
    total = np.var(means, axis=1) + np.mean(scales**2, axis=1)
    squares = np.einsum("dui,dui->du", apart, apart).mean(axis=1, dtype="float64") / size
    # From what is left, and not from what is explained: of long rows it is little, and so is its error in float32.
    plain = 1 - _ratios(squares, total)
    np.abs(apart, out=apart)
    distances = _ratios(_means(apart).mean(axis=1, dtype="float64"), np.sqrt(total))
    standardized = np.where((counts > 1) & (size > 2), np.mean(common**2, axis=1), np.nan)
    return similarities(plain, standardized, distances), common


def dealt_plain(rows: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Plain and distance of several matrices of the same weights, whose variance is known.

    Args:
        rows: float array of shape (draws, units, size), every row ascending; it is overwritten.
        variance: float, of all weights.

    Returns:
        Pair of arrays of shape (draws,).

    Example:

    >>> plain, distance = dealt_plain(np.array([[[1.0, 3.0], [3.0, 9.0]]]), 9.0)
    >>> float(plain[0]), float(distance[0])  # profile (2, 6): 4/9; all 2 off in the mean: 2/3
    (0.4444444444444444, 0.6666666666666666)
    """
    draws, units, size = rows.shape
    rows -= _weighted(np.full((draws, units), 1 / units), rows)[:, None]
    # From what is left, as in `noise_similarities`.
    plain = 1 - _ratios(np.einsum("dui,dui->du", rows, rows).mean(axis=1, dtype="float64") / size, np.array(variance))
    np.abs(rows, out=rows)
    return plain, _ratios(_means(rows).mean(axis=1, dtype="float64"), np.sqrt(variance))


def dealt_standardized(rows: np.ndarray) -> np.ndarray:
    """The standardized measure of several matrices.

    Args:
        rows: as in `dealt_plain`.

    Returns:
        Array of shape (draws,).

    Example:

    >>> dealt_standardized(np.array([[[0.0, 0.0, 3.0], [10.0, 25.0, 40.0]]])).round(6).tolist()  # (2 + sqrt(3)) / 4
    [0.933013]
    """
    size = rows.shape[2]
    varied = rows[..., 0] < rows[..., -1]
    counts = varied.sum(axis=1)
    rows -= _means(rows)[..., None]
    squares = np.einsum("dui,dui->du", rows, rows) / size
    factors = varied / np.sqrt(np.where(varied, squares, 1)) / np.maximum(counts, 1)[:, None]
    common = _weighted(factors, rows).astype("float64")
    return np.where((counts > 1) & (size > 2), np.mean(common**2, axis=1), np.nan)


# Not by products of matrices: each of the threads that draw would start some more for them.


def _weighted(factors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The sum of the rows of each draw, each row times its factor."""
    return np.einsum("du,dui->di", factors.astype(rows.dtype), rows)


def _means(rows: np.ndarray) -> np.ndarray:
    """The mean of each row, in a third of the time of `mean`."""
    return np.einsum("dui->du", rows) / rows.dtype.type(rows.shape[2])


def _ratios(numbers: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Quotients, nan where a matrix of one value has no variance."""
    return np.divide(numbers, by, out=np.full(numbers.shape, np.nan), where=by > 0)


def similarities(plain: np.ndarray, standardized: np.ndarray, distances: np.ndarray) -> list[Similarity]:
    """One `Similarity` a matrix; out of 0 to 1 by rounding only."""
    columns = (np.clip(plain, 0, 1), np.clip(standardized, 0, 1), distances)
    return [Similarity(*map(float, each)) for each in zip(*columns, strict=True)]
