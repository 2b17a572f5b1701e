"""The permutations that LaPerm performs: which one, and its cycles."""

import collections

import numpy as np
import numpy.typing as npt

from train_by_reconnect.backend.rows import numpy_of


def permutation_between(before: npt.ArrayLike, after: npt.ArrayLike) -> np.ndarray:
    """Find the permutation that turns a weight vector into a later one with the same values.

    Of several equal values the first in `before` goes to the first place in `after`, and so on: the order that a
    synchronization keeps.

    To see it as a permutation of the values rather than of the places, as the paper's Fig. 14 does, sort first: with
    `order = np.argsort(before, kind="stable")`, the result for `before[order]` and `after[order]` says for each rank
    before which rank its place has after.

    Args:
        before: array of shape (size,), a weight vector of finite values.
        after: array of shape (size,), the same values in another order.

    Returns:
        Int array `p` of shape (size,) with `after = before[p]`, exactly.

    Raises:
        ValueError: the two do not hold the same values, e.g. because one is not from right after a synchronization.

    Example:

    >>> permutation_between([0.1, 0.2, 0.2, 0.3], [0.3, 0.2, 0.2, 0.1]).tolist()
    [3, 1, 2, 0]

    Reference:
        Qiu and Suda 2020, A.4.
    """
    before, after = (np.asarray(numpy_of(vector)) for vector in (before, after))
    if before.ndim != 1 or before.shape != after.shape:
        raise ValueError(
            "`before` and `after` must be one weight vector at two times. Received: "
            f"before.shape={before.shape}, after.shape={after.shape}. Pass one row of `WeightProfile.unsorted`."
        )
    old, new = (np.argsort(vector, kind="stable") for vector in (before, after))
    different = int(np.sum(before[old] != after[new]))
    if different:
        raise ValueError(
            "`after` must hold the values of `before` in another order. Received: two vectors whose sorted values "
            f"differ in {different} of {len(before)} places. Take both right after a synchronization of `LaPerm`."
        )
    permutation = np.empty(len(before), np.intp)
    permutation[new] = old
    return permutation


def cycles(permutation: npt.ArrayLike) -> list[list[int]]:
    """Take a permutation apart into its disjoint cycles.

    Args:
        permutation: int array of shape (size,), every number from 0 to size - 1 once.

    Returns:
        List of lists of ints: each cycle begins with its smallest number and goes on from `i` to `permutation[i]`; in
        order of their smallest numbers. A fixed point is a cycle of length 1, so the lengths sum to the size.

    Raises:
        ValueError: it is no permutation.

    Example:

    >>> cycles([3, 1, 4, 2, 0])
    [[0, 3, 2, 4], [1]]

    Reference:
        Qiu and Suda 2020, A.4 and Fig. 14.
    """
    successors = _check_permutation(permutation)
    found, seen = [], [False] * len(successors)
    for start in range(len(successors)):
        cycle, place = [], start
        while not seen[place]:
            seen[place] = True
            cycle.append(place)
            place = successors[place]
        if cycle:
            found.append(cycle)
    return found


def fixed_points(permutation: npt.ArrayLike) -> list[int]:
    """Find what a permutation leaves in place.

    Args:
        permutation: int array of shape (size,), every number from 0 to size - 1 once.

    Returns:
        List of ints, ascending.

    Raises:
        ValueError: it is no permutation.

    Example:

    >>> fixed_points([3, 1, 4, 2, 0])
    [1]
    """
    return [place for place, origin in enumerate(_check_permutation(permutation)) if place == origin]


def cycle_lengths(permutation: npt.ArrayLike) -> dict[int, int]:
    """Count the cycles of each length.

    Of a permutation drawn uniformly one expects 1 / n cycles of length n, whatever its size.

    Args:
        permutation: int array of shape (size,), every number from 0 to size - 1 once.

    Returns:
        Dict from a length to the number of cycles of that length, lengths ascending.

    Raises:
        ValueError: it is no permutation.

    Example:

    >>> cycle_lengths([3, 1, 4, 2, 0])
    {1: 1, 4: 1}
    """
    return dict(sorted(collections.Counter(len(cycle) for cycle in cycles(permutation)).items()))


def _check_permutation(permutation: npt.ArrayLike) -> list[int]:
    array = np.asarray(permutation)
    is_integer = array.dtype.kind in "iu" or array.size == 0  # NumPy takes an empty list for floats
    if array.ndim != 1 or not is_integer or not np.array_equal(np.sort(array), np.arange(len(array))):
        raise ValueError(
            "`permutation` must hold every integer from 0 to its size - 1 once. Received: "
            f"permutation={permutation!r}. Get one from `permutation_between`."
        )
    return array.tolist()
