"""The draws of the nulls and their measures: by hand, beside the plain way, and by any number of threads."""

import math
import threading

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train_by_reconnect import profile_similarity
from train_by_reconnect.weights import shared_draws
from train_by_reconnect.weights import sorted_noise as sorted_noise_module
from train_by_reconnect.weights.null_measures import dealt_plain, dealt_standardized, noise_similarities
from train_by_reconnect.weights.profile_nulls import NULLS, by_shape, score_kernel
from train_by_reconnect.weights.shared_draws import SharedDraws
from train_by_reconnect.weights.sorted_noise import Noise, family_of, sorted_noise, standardized_rows

FAMILIES = ("uniform", "normal", "truncated_normal")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def close(found, expected, size):
    """Of float32: a shape is off by 2^-24 of its values, of which a profile adds up to 2^8; the rest are means."""
    np.testing.assert_allclose(found, expected, atol=2**-24 * 2**4, rtol=2**-24 * 2**8)
    # What is not explained is of the order of 1 / size: it is not only the many nines before it that are right.
    left, other = 1 - np.asarray(found)[..., 0], 1 - np.asarray(expected)[..., 0]
    np.testing.assert_allclose(left, other, rtol=1e-3, err_msg=f"size {size}")


def test_noise_measured_by_hand():
    # (-1, 1) twice, with mean 2 and scale 1 and with mean 6 and scale 3: (1, 3) and (3, 9), as in test_similarity: 4/9
    # and 2/3. A constant row (2, 2) in place of the first: profile (2.5, 5.5), grand mean 4, residuals (0.5, 3.5)
    # twice: 25 of 4 + 4 + 1 + 25 = 34, and distances 2 and 2, of a deviation of sqrt(34 / 4).
    shapes = np.array([[[-1, 1], [-1, 1]]] * 2, "float32")
    found, _ = noise_similarities(Noise(shapes, np.array([[2.0, 6], [2, 6]]), np.array([[1.0, 3], [0, 3]])))
    assert found[0][::2] == pytest.approx((4 / 9, 2 / 3))
    assert found[1][::2] == pytest.approx((1 - 25 / 34, 2 / math.sqrt(34 / 4)))
    assert all(math.isnan(each.standardized) for each in found)


def test_rows_taken_apart_by_hand():
    # (0, 0, 3): mean 1, variance 2, shape (-1, -1, 2) / sqrt(2). Equal numbers have no shape.
    shapes, means, scales = standardized_rows(np.array([[0, 0, 3], [5, 5, 5]], "float32"))
    np.testing.assert_allclose(shapes, np.array([[-1, -1, 2], [0, 0, 0]]) / math.sqrt(2), rtol=2**-22)
    assert means.tolist() == [1, 5]
    np.testing.assert_allclose(scales, [math.sqrt(2), 0], rtol=2**-22)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 9), st.integers(3, 40), st.sampled_from(FAMILIES), st.integers(0, 99))
def test_noise_is_measured_as_similarity_is_defined(units, size, family, seed):
    drawn = sorted_noise(family, (2, units, size), np.random.default_rng(seed))
    means, scales = np.random.default_rng(seed).uniform(0.5, 2, (2, units))
    for given_noise in (drawn, Noise(drawn.shapes, means, scales)):
        found, profiles = noise_similarities(given_noise)
        rows = drawn.shapes * np.broadcast_to(given_noise.scales, (2, units))[..., None].astype("float64")
        rows += np.broadcast_to(given_noise.means, (2, units))[..., None]
        close(found, [profile_similarity(each) for each in rows], size)
        np.testing.assert_allclose(profiles, drawn.shapes.mean(axis=1, dtype="float64"), atol=2**-24 * units * 4)


def test_of_long_rows_the_little_that_is_not_explained_is_right():
    drawn = sorted_noise("normal", (1, 100, 4000), np.random.default_rng(0))
    rows = drawn.means[0][:, None] + drawn.scales[0][:, None] * drawn.shapes[0].astype("float64")
    expected = profile_similarity(rows)
    assert 1 - expected.plain < 5e-3
    close(noise_similarities(drawn)[0], [expected], 4000)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(2, 12), st.booleans(), st.integers(0, 99))
def test_dealt_weights_are_measured_as_similarity_is_defined(units, size, few_values, seed):
    rows = noise(3, units, size, seed=seed)
    rows = np.sort(np.sign(rows) if few_values else rows, axis=2)
    rows = rows[[each.min() < each.max() for each in rows]]
    expected = np.array([profile_similarity(each) for each in rows]).reshape(-1, 3)
    for each, (plain, standardized, distance) in zip(rows, expected, strict=True):
        found = [float(number[0]) for number in dealt_plain(each[None].copy(), np.var(each))]
        # Equal but for the order of sums: a draw that deals out the kernel's own rows is as extreme as its score.
        assert found == pytest.approx((plain, distance), abs=1e-13)
        found = float(np.minimum(1, dealt_standardized(each[None].copy())[0]))
        assert found == pytest.approx(standardized, abs=1e-13, nan_ok=True)


@pytest.mark.parametrize(("family", "long"), [("uniform", 0), *((family, 1024) for family in FAMILIES)])
def test_sorted_noise_has_its_distribution(family, long, monkeypatch):
    """The share of numbers below some bounds, against the distribution; of 200,000 draws, 5 standard errors."""
    # P(x < b) of a uniform on (0, 1), of a normal, and of one cut off at 2, P(-2 < x < b) / P(-2 < x < 2).
    bounds = np.array([0.1, 0.25, 0.5, 0.9] if family == "uniform" else [-1.5, -0.5, 0, 1])
    normal = np.array([0.5 * (1 + math.erf(bound / math.sqrt(2))) for bound in (*bounds, 2)])
    expected = {
        "uniform": bounds,
        "normal": normal[:-1],
        "truncated_normal": (normal[:-1] - (1 - normal[-1])) / (2 * normal[-1] - 1),
    }[family]
    monkeypatch.setattr(sorted_noise_module, "_LONG", long)  # from which on uniform draws come sorted
    drawn = sorted_noise(family, (2000, 100), np.random.default_rng(0))
    values = drawn.means[:, None] + drawn.scales[:, None] * drawn.shapes
    assert (np.diff(drawn.shapes) >= 0).all()
    below = np.array([np.mean(values < bound) for bound in bounds])
    np.testing.assert_array_less(np.abs(below - expected), 5 * np.sqrt(expected * (1 - expected) / values.size))
    if family == "uniform":
        # The r-th of n sorted uniform draws is Beta(r, n + 1 - r): mean r / (n + 1) and variance
        # mean (1 - mean) / (n + 2).
        mean = np.arange(1, 101) / 101
        error = np.sqrt(mean * (1 - mean) / 102 / 2000)
        np.testing.assert_array_less(np.abs(values.mean(axis=0) - mean), 5 * error)
        np.testing.assert_allclose(values.var(axis=0), mean * (1 - mean) / 102, rtol=5 * math.sqrt(2 / 2000))
    if family == "truncated_normal":
        assert np.abs(values).max() < 2 + 1e-5


def test_noise_scores_as_plain_draws_do():
    """Means and deviations of 2,000 draws of each, within 5 standard errors."""
    with SharedDraws(2000, 0) as draws:
        given_noise = draws.noise("normal", 6, 8, 0)
        blocks = draws.each(6, 8, lambda first, last: noise_similarities(given_noise(first, last))[0])
    random = np.random.default_rng(1)
    plain_way = [profile_similarity(random.normal(size=(6, 8))) for _ in range(2000)]
    for one, other in zip(np.concatenate(blocks).T, np.array(plain_way).T, strict=True):
        assert abs(one.mean() - other.mean()) < 5 * math.sqrt((one.var() + other.var()) / 2000)
        assert one.std() == pytest.approx(other.std(), rel=5 / math.sqrt(2000))


@pytest.mark.parametrize("in_cache", [0, 1 << 18])  # two ways, which deal out alike
def test_positions_are_dealt_out_to_sorted_rows(monkeypatch, in_cache):
    monkeypatch.setattr(shared_draws, "_IN_CACHE", in_cache)
    with SharedDraws(400, 0) as draws:
        positions = draws.positions(3, 4, 0)
        dealt = np.concatenate(draws.each(3, 4, positions))
    assert dealt.shape == (400, 3, 4)
    assert (np.diff(dealt.astype(int)) > 0).all()
    np.testing.assert_array_equal(np.sort(dealt.reshape(400, 12)), np.tile(np.arange(12), (400, 1)))
    # Each row gets any of 12 positions with 4 / 12: of 400 draws 133.3, 5 standard errors of sqrt(400 / 3 * 2 / 3).
    counts = np.array([np.bincount(dealt[:, row].ravel(), minlength=12) for row in range(3)])
    assert np.abs(counts - 400 / 3).max() < 5 * math.sqrt(400 / 3 * 2 / 3)


@pytest.mark.parametrize("kept", [True, False])
def test_threads_change_no_score(kept, monkeypatch):
    monkeypatch.setattr(shared_draws, "_BLOCK", 2000)  # of 8 draws of 20 x 30 numbers three at a time
    if not kept:
        monkeypatch.setattr(shared_draws, "_KEPT", 0)
    value, found = noise(30, 20), []
    for threads in (1, 2, 3):
        with SharedDraws(8, 5, threads) as draws:
            found.append(score_kernel(value, (-1,), None, max_units=None, draws=draws, place=1))
    assert found[0] == found[1] == found[2]
    assert all(len(found[0].nulls[null]) == 8 for null in NULLS)
    assert len({each.plain for null in NULLS for each in found[0].nulls[null]}) == 24  # no draw is another


def test_two_kernels_of_a_shape_get_draws_of_their_own_in_any_order():
    value = noise(30, 20)
    with SharedDraws(4, 5) as draws:
        first, second = (score_kernel(value, (-1,), None, max_units=None, draws=draws, place=place) for place in (0, 1))
    with SharedDraws(4, 5) as draws:
        alone = score_kernel(value, (-1,), None, max_units=None, draws=draws, place=1)
    assert alone == second
    for null in ("gaussian", "initializer"):
        assert {each.plain for each in first.nulls[null]}.isdisjoint(each.plain for each in second.nulls[null])


def test_no_more_is_kept_than_said():
    with SharedDraws(4, 0) as draws:
        for size in range(3, 12):
            draws.noise("normal", 5, size, 0)
        assert len(draws._kept) == shared_draws._MOST_KEPT
        too_many = shared_draws._KEPT // (4 * 5) + 1
        draws.noise("normal", 5, too_many, 0)
        assert too_many not in {key[2] for key in draws._kept}


def test_too_much_for_all_threads_is_drawn_one_after_the_other(monkeypatch):
    def measure(first, last):
        return first, last, threading.current_thread() is threading.main_thread()

    units, size = 2, shared_draws._BLOCK  # so large that each draw is a block
    with SharedDraws(3, 0, threads=2) as draws:
        assert draws.each(units, size, measure) == [(0, 1, False), (1, 2, False), (2, 3, False)]
        monkeypatch.setattr(shared_draws, "_AT_ONCE", 2 * units * size - 1)
        assert draws.each(units, size, measure) == [(0, 1, True), (1, 2, True), (2, 3, True)]


def test_families_of_initializers():
    of = keras.initializers
    assert {family_of(each()) for each in (of.GlorotUniform, of.HeUniform, of.LecunUniform)} == {"uniform"}
    assert {family_of(each()) for each in (of.GlorotNormal, of.HeNormal, of.LecunNormal)} == {"truncated_normal"}
    assert family_of(of.VarianceScaling(distribution="untruncated_normal")) == family_of(of.RandomNormal()) == "normal"
    assert family_of(of.TruncatedNormal()) == "truncated_normal"

    class Own(of.RandomNormal):
        pass

    others = (of.Orthogonal(), of.Zeros(), Own(), of.RandomUniform(1, 1), of.RandomNormal(stddev=0), lambda shape: None)
    assert {family_of(each) for each in others} == {None}


@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal", "random_normal"])
def test_an_initializer_draws_as_its_family_says(initializer):
    # The mean fourth power of standardized weights is 1.8 of uniform, 2.4 of truncated and 3 of normal ones. That of n
    # normal ones is off by sqrt(96 / n), of the others by less: of the difference of two, 5 standard errors are 0.35.
    found, shape = keras.initializers.get(initializer), (400, 100)
    drawn = np.sort(keras.ops.convert_to_numpy(found(shape)).astype("float32"))
    ours = sorted_noise(family_of(found), shape, np.random.default_rng(0))
    fourth = [np.mean(each.shapes.astype("float64") ** 4) for each in (standardized_rows(drawn), ours)]
    assert fourth[0] == pytest.approx(fourth[1], abs=5 * math.sqrt(2 * 96 / 40_000))


def test_by_shape_puts_like_beside_like():
    shapes = [((9, 4), (-1,)), ((4, 9), (-1,)), ((3, 3, 4), (-1,)), ((4, 8), (-1,))]
    assert by_shape(shapes) == [3, 1, 0, 2]
