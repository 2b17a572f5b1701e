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
    return ranks, percentiles(vectors[:, ranks])


def percentiles(values: np.ndarray) -> np.ndarray:
    """The `LEVELS` of each column, as `numpy.percentile` has them; to sort is several times faster than to part.

    Example:

    >>> percentiles(np.array([[3.0], [1.0]])).ravel().tolist()
    [1.0, 1.1, 1.5, 2.0, 2.5, 2.9, 3.0]
    """
    columns = np.sort(np.ascontiguousarray(values.T), axis=1)
    places = np.array(LEVELS) / 100 * (len(values) - 1)
    below = np.floor(places).astype(int)
    least, most = columns[:, below], columns[:, np.ceil(places).astype(int)]
    return (least + (most - least) * (places - below)).T


def shown_ranks(size: int, points: int) -> np.ndarray:
    """At most so many ranks of a weight vector, the first and the last among them."""
    return np.unique(np.linspace(0, size - 1, points).round().astype(int))
