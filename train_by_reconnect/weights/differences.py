"""How far weight vectors are from what they were: their profiles, their order, their signs."""

import numpy as np

from train_by_reconnect.backend.row_ranking import rank_rows
from train_by_reconnect.weights.ranking_distance import rank_changes


def difference_sums(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What `differences` needs of some weight vectors; the sums of all parts of a kernel are added.

    Args:
        before: float array of shape (units, size), finite.
        after: the same weight vectors later.

    Returns:
        Array of floats.
    """
    changes = rank_changes(rank_rows(before), rank_rows(after))
    sums = (
        before.size,
        np.abs(np.sort(before, axis=1).astype("float64") - np.sort(after, axis=1)).sum(),
        before.sum(dtype="float64"),
        np.square(before, dtype="float64").sum(),
        np.count_nonzero(changes),
        changes.sum(dtype="int64") / before.shape[1],
        np.count_nonzero(np.sign(before) * np.sign(after) < 0),
        np.count_nonzero(before != after),
        np.count_nonzero(before == 0),
        np.count_nonzero(after == 0),
    )
    return np.array(sums, "float64")


def differences(sums: np.ndarray) -> dict[str, float]:
    """How far a kernel has moved; `compare_profiles` says what each number is.

    Example:

    Ranks 0 1 2 become 0 2 1, so two of three move by one of three places; the profile stays.

    >>> found = differences(difference_sums(np.array([[-1.0, 0.0, 1.0]]), np.array([[-1.0, 1.0, 0.0]])))
    >>> [round(found[name], 3) for name in ("profile_distance", "rank_moved", "ranking_distance", "sign_flips")]
    [0.0, 0.667, 0.222, 0.0]
    """
    size, distance, mean, square, *shares = (float(each) for each in (sums[0], *sums[1:] / sums[0]))
    variance = square - mean**2
    # What rounding leaves of the variance of equal weights: size numbers are added pairwise, with errors of 2^-53 each.
    deviation = variance**0.5 if variance > square * np.log2(size + 1) * 2.0**-52 else 0.0
    if deviation:
        distance /= deviation
    elif distance:
        distance = np.inf
    names = ("rank_moved", "ranking_distance", "sign_flips", "changed", "zeros_first", "zeros_second")
    return {"profile_distance": distance, **dict(zip(names, shares, strict=True))}
