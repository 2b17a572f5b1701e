import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from train_by_reconnect import profile_distance, profile_similarity


def test_similarity_solved_by_hand():
    # (1, 3) and (3, 9), the first not sorted: common profile (2, 6), grand mean 4.
    # residual: (1 + 9) + (1 + 9) = 20; total: 9 + 1 + 1 + 25 = 36; so 1 - 20 / 36 = 4 / 9
    # Var(m) / Var(all) = ((4 + 4) / 2) / (36 / 4) = 4 / 9 as well
    # distances from the profile: (1 + 3) / 2 = 2 for each; standard deviation of all: sqrt(36 / 4) = 3
    plain, standardized, distance = profile_similarity([[3, 1], [3, 9]])
    assert plain == pytest.approx(4 / 9)
    assert math.isnan(standardized)  # any two weights become (-1, 1)
    assert distance == pytest.approx(2 / 3)


def test_standardized_solved_by_hand():
    # (0, 0, 3): mean 1, variance (1 + 1 + 4) / 3 = 2, so (-1, -1, 2) / sqrt(2)
    # (10, 25, 40): mean 25, variance 450 / 3 = 150, so (-15, 0, 15) / sqrt(150) = (-3, 0, 3) / sqrt(6)
    # Both have square sum 3 and the product (3 + 6) / sqrt(12) = 3 sqrt(3) / 2, so the common profile has
    # (3 + 3 + 3 sqrt(3)) / 4, and the score is this / 3 = (2 + sqrt(3)) / 4
    similarity = profile_similarity([[0, 3, 0], [40, 10, 25]])
    assert similarity.standardized == pytest.approx((2 + math.sqrt(3)) / 4)
    # A constant vector has no shape and is left out; the plain score counts it.
    more = profile_similarity([[0, 3, 0], [40, 10, 25], [0.1, 0.1, 0.1]])
    assert more.standardized == pytest.approx(similarity.standardized)
    assert more.plain != pytest.approx(similarity.plain)


def test_profile_distance_solved_by_hand():
    # (0, 1, 2) and (0.5, 1, 5): (0.5 + 0 + 3) / 3; against (0, 1, 2) itself 0.
    distances = profile_distance([[2, 0, 1], [5, 0.5, 1]], [0, 1, 2])
    np.testing.assert_allclose(distances, [0, 3.5 / 3])


VALUES = st.floats(-100, 100, width=32)
MATRICES = arrays.arrays(
    "float64",
    st.tuples(st.integers(2, 6), st.integers(3, 7)),
    elements=st.integers(-50, 50).map(lambda number: number / 4),
).filter(lambda rows: np.ptp(rows) > 0)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_distance_is_a_distance_of_what_is_left_after_sorting(data):
    size = data.draw(st.integers(1, 8))
    a, b, c = (data.draw(arrays.arrays("float64", size, elements=VALUES)) for _ in range(3))
    order = data.draw(st.permutations(range(size)))
    distance = profile_distance(a, b)
    assert distance == profile_distance(b, a) == profile_distance(a[order], b)
    assert (distance == 0) == bool((np.sort(a) == np.sort(b)).all())
    assert distance <= profile_distance(a, c) + profile_distance(c, b) + 1e-9
    assert profile_distance(2 * a, 2 * b) == pytest.approx(2 * distance)


def test_distance_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(0)
    a, b = random.normal(size=50), random.exponential(size=50)
    assert profile_distance(a, b) == pytest.approx(stats.wasserstein_distance(a, b))


def test_distance_of_two_sizes():
    with pytest.raises(ValueError, match=r"one size. Received: a.shape=\(2,\) and b.shape=\(3,\)"):
        profile_distance([1, 2], [1, 2, 3])


@settings(max_examples=50, deadline=None)
@given(MATRICES, st.integers(0, 2**31))
def test_invariants(rows, seed):
    random = np.random.default_rng(seed)
    similarity = profile_similarity(rows)
    assert 0 <= similarity.plain <= 1
    assert similarity.distance >= 0

    def same(other):
        np.testing.assert_allclose(profile_similarity(other), similarity, rtol=1e-7, atol=1e-7)

    same(random.permuted(rows, axis=1))  # within the vectors
    same(random.permutation(rows))  # the vectors
    same(rows * 3.5)
    same(rows + 10)
    same(-rows)
    if np.sum(np.ptp(rows, axis=1) > 0) > 1:
        assert 0 <= similarity.standardized <= 1
        scaled = rows * random.uniform(0.1, 10, (len(rows), 1)) + random.normal(size=(len(rows), 1))
        assert profile_similarity(scaled).standardized == pytest.approx(similarity.standardized)
    else:
        assert math.isnan(similarity.standardized)


@settings(max_examples=20, deadline=None)
@given(MATRICES, st.integers(0, 2**31))
def test_it_is_one_minus_the_residual(rows, seed):
    ascending = np.sort(rows, axis=1)
    residual = np.sum((ascending - ascending.mean(axis=0)) ** 2) / np.sum((rows - rows.mean()) ** 2)
    assert profile_similarity(rows).plain == pytest.approx(1 - residual)
    # One profile for all, whatever the order in the vectors.
    equal = np.random.default_rng(seed).permuted(np.tile(rows[np.argmax(np.ptp(rows, axis=1))], (4, 1)), axis=1)
    if np.ptp(equal) > 0:
        assert profile_similarity(equal) == pytest.approx((1, 1, 0), abs=1e-9)


def test_small_and_large_weights():
    rows = np.random.default_rng(0).normal(size=(5, 9))
    for scale in (1e-45, 1e-30, 1e38):  # all of float32
        np.testing.assert_allclose(profile_similarity(rows * scale), profile_similarity(rows), rtol=1e-6)


def test_what_is_no_matrix():
    with pytest.raises(ValueError, match=r"shape \(units, size\). Received: an array of shape \(1, 2\) with 1 number"):
        profile_similarity([[1, np.nan]])
    with pytest.raises(ValueError, match=r"Received: an array of shape \(2,\)"):
        profile_similarity([1, 2])
