"""The spread of sorted weight vectors, which is what is drawn of them."""

import numpy as np

LEVELS = (0, 5, 25, 50, 75, 95, 100)


def envelope(vectors: np.ndarray, points: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """The spread of all weight vectors at some ranks.

    At each of up to `points` ranks, the first and the last among them, the percentiles `LEVELS` over all weight
    vectors. Nothing is left out: the extremes are those of all vectors, and since every vector ascends, it stays
    between two ranks within the values it has there.

    Args:
        vectors: float array of shape (units, size), every row ascending, as `WeightProfile.vectors`.
        points: int, the number of ranks at most. Defaults to 200.

    Returns:
        Pair of the ranks, ints of shape (n,), and the percentiles, floats of shape (7, n).

    Example:

    >>> ranks, bands = envelope(np.array([[1.0, 2.0, 3.0], [1.0, 4.0, 9.0]]))
    >>> ranks.tolist(), bands[[0, 3, 6]].tolist()
    ([0, 1, 2], [[1.0, 2.0, 3.0], [1.0, 3.0, 6.0], [1.0, 4.0, 9.0]])
    """
    ranks = shown_ranks(vectors.shape[1], points)
    return ranks, np.percentile(vectors[:, ranks], LEVELS, axis=0)


def shown_ranks(size: int, points: int) -> np.ndarray:
    """At most so many ranks of a weight vector, the first and the last among them."""
    return np.unique(np.linspace(0, size - 1, points).round().astype(int))
