"""Values that no kernel can hold, and measures of numbers whose squares leave the range."""

import re

import keras
import numpy as np
import pytest
from backends import with_64_bits
from keras import layers

from train_by_reconnect import (
    make_dissimilar,
    profile_similarity,
    prune_by_magnitude,
    ranking,
    reduce_precision,
    score_profiles,
    share_value,
    sparsify,
    weight_profiles,
)

RANDOM = np.random.default_rng(0)


def network(dtype="float32", **arguments):
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, name="hidden", dtype=dtype, **arguments), layers.Dense(3, dtype=dtype)],
        name="net",
    )
    model.set_weights([np.random.default_rng(0).normal(size=weight.shape) for weight in model.weights])
    return model


@pytest.mark.parametrize("scale", [1e-170, 1e160, 1e300, 2.0**-900])
def test_similarity_does_not_depend_on_the_scale(scale):
    # By hand: the common profile of (-1, 0, 1) and (-2, 0, 2) is (-1.5, 0, 1.5), so plain is 1 - 4 * 0.5^2 / 10 = 0.9.
    # distance: the differences from it are (0.5, 0, 0.5) twice, 1/3 on average; all weights have variance 10 / 6.
    plain, standardized, distance = profile_similarity(np.array([[-1, 0, 1], [2, 0, -2]]) * scale)
    np.testing.assert_allclose([plain, standardized, distance], [0.9, 1, 1 / 3 / np.sqrt(10 / 6)], rtol=1e-14)
    vectors = RANDOM.normal(size=(5, 9))
    np.testing.assert_allclose(profile_similarity(vectors * scale), profile_similarity(vectors), rtol=1e-13)


def test_every_vector_counts_alike_however_small():
    vectors = RANDOM.normal(size=(5, 9))
    scales = np.array([[1], [1e-170], [1e-200], [1e100], [1]])
    standardized = profile_similarity(vectors * scales).standardized
    np.testing.assert_allclose(standardized, profile_similarity(vectors).standardized, rtol=1e-13)


@with_64_bits
def test_scores_of_tiny_and_huge_weights():
    plain = score_profiles(network("float64"))
    for scale in (1e-170, 1e160):
        model = network("float64")
        model.set_weights([weight * scale for weight in model.get_weights()])
        for score, expected in zip(score_profiles(model), plain, strict=True):
            # Nulls are measured in float32: a scale, a mean, their sum with the noise and a square round four times.
            for name in ("plain_gaussian", "distance_shuffled"):
                np.testing.assert_allclose(getattr(score, name), getattr(expected, name), rtol=4 * 2.0**-24)
            for name in ("plain", "standardized", "distance"):
                np.testing.assert_allclose(getattr(score, name), getattr(expected, name), rtol=1e-12)


@pytest.mark.parametrize("dtype", [">f8", np.longdouble, "float64", np.int64, ">f4"])
def test_a_ranking_rounds_nothing_to_a_tie(dtype):
    # In float32 2^30 and 2^30 + 1 are one number, and would rank in order of position; >f4 holds 3, 2, 1 exactly.
    values = np.array([3, 2, 1] if dtype == ">f4" else [2**30 + 1, 2**30, -(2**30) - 1]).astype(dtype)
    assert ranking(values).tolist() == [2, 1, 0]
    assert ranking(np.array([5, 5, 1], dtype)).tolist() == [1, 2, 0]


def test_a_ranking_of_wide_numbers_must_be_finite():
    for dtype in (">f8", np.longdouble):
        with pytest.raises(ValueError, match=r"needs finite weights.*1 that are NaN"):
            ranking(np.array([1, np.nan], dtype))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39, 1e-50, 0, None, "0.1"])
def test_share_value_refuses_what_makes_no_network(value):
    model = network()
    before = model.get_weights()
    with pytest.raises(
        ValueError, match=r"`value` must be a number of a magnitude from 1.18e-38 to 3.4e\+38, as float"
    ):
        share_value(model, value)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


def test_share_value_asks_the_dtype():
    share_value(network(), -1e5)
    with pytest.raises(ValueError, match=r"to 6.55e\+04, as float16 holds it \(net/hidden/kernel\).*value=100000.0"):
        share_value(network("float16"), 1e5)
    share_value(network("bfloat16"), 1e5)


@pytest.mark.parametrize(
    ("dtype", "spread"),
    [
        *(("float32", 1e200), ("float32", 1e300), ("float16", 1e12)),
        pytest.param("float64", 1e308, marks=with_64_bits),
    ],
)
def test_make_dissimilar_refuses_what_loses_weight_vectors(dtype, spread):
    model = network(dtype)
    before = model.get_weights()
    with pytest.raises(
        ValueError, match=rf"must leave every.*{re.escape(str(spread))}, with.*net/hidden/kernel.*{dtype}"
    ):
        make_dissimilar(model, spread, seed=0)
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


def test_make_dissimilar_needs_a_spread():
    for spread in (None, "4", 0.5, np.nan):
        with pytest.raises(ValueError, match="`spread` must be finite and at least 1"):
            make_dissimilar(network(), spread)


@with_64_bits
def test_make_dissimilar_of_weights_whose_squares_leave_the_range():
    model = network("float64")
    for scale in (1e-170, 1e160):
        model.set_weights([weight * scale for weight in network("float64").get_weights()])
        old = model.get_weights()[0] / scale
        make_dissimilar(model, seed=0)
        new = model.get_weights()[0] / scale
        np.testing.assert_allclose(np.mean(new**2), np.mean(old**2), rtol=1e-13)
        assert not np.allclose(new, old)


@with_64_bits
def test_one_magnitude_of_weights_whose_squares_leave_the_range():
    # The root mean square of (3, -3, 3) is 3, and with 0 for -3 the two that are left have 3 * sqrt(3 / 2).
    for scale in (1e-170, 1e160):
        for precision, expected in (("signs", [3, -3, 3]), ("binary", [3 * 1.5**0.5, 0, 3 * 1.5**0.5])):
            model = keras.Sequential([keras.Input((3,)), layers.Dense(1, use_bias=False, dtype="float64")])
            model.set_weights([np.array([[3], [-3], [3]]) * scale])
            reduce_precision(model, precision)
            np.testing.assert_allclose(model.get_weights()[0].ravel() / scale, expected, rtol=1e-14)


@pytest.mark.parametrize("rate", [None, "0.5", np.nan, [0.5, None], [[0.5], [0.5]]])
def test_rates_that_are_no_numbers(rate):
    with pytest.raises(ValueError, match=r"`sparsity` is a fraction of zeros, from 0 to 1\. Received: sparsity=.*90 %"):
        sparsify(network(), rate)
    with pytest.raises(ValueError, match="`sparsity` is a fraction of zeros"):
        prune_by_magnitude(network(), rate)


def test_limits_that_are_no_numbers():
    with pytest.raises(ValueError, match=r"`input_limit` is a fraction of zeros, from 0 to 1, or None.*'0.2'"):
        sparsify(network(), 0.5, input_limit="0.2")
    with pytest.raises(ValueError, match="`output_sparsity` is a fraction"):
        prune_by_magnitude(network(), 0.5, output_sparsity="0.2")


def test_scores_beside_an_initializer_for_one_shape():
    matrix = RANDOM.normal(size=(300, 3))
    embedding = layers.Embedding(300, 3, embeddings_initializer=keras.initializers.Constant(matrix))
    [score] = score_profiles(keras.Sequential([keras.Input((2,)), embedding]), max_units=None)
    assert score.initializer == "Constant"
    assert score.plain_initializer == pytest.approx(score.plain, rel=1e-6)  # the null is the matrix itself
    [few] = score_profiles(keras.Sequential([keras.Input((2,)), embedding]), max_units=10)
    assert few.scored_units == 10


def test_profiles_may_be_given_instead_of_the_model():
    model = network()
    assert score_profiles(weight_profiles(model)) == score_profiles(model)
    assert [each.layer for each in score_profiles(weight_profiles(model, "hidden"))] == ["hidden"]
    with pytest.raises(ValueError, match=r"`layers` must be None.*layers='hidden' and 2 profiles"):
        score_profiles(weight_profiles(model), "hidden")
    with pytest.raises(TypeError, match="must be a Keras model or layer"):
        score_profiles([1, 2])
