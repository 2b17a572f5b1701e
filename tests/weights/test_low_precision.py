"""Initial weights of few values."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train_by_reconnect import LaPerm, reduce_precision


@functools.cache
def neuron(size):
    """One neuron, with a bias of its own."""
    return keras.Sequential([keras.Input((size,)), keras.layers.Dense(1, bias_initializer="ones")])


def model_of(column):
    model = neuron(len(column))
    model.layers[0].kernel.assign(np.reshape(column, (-1, 1)))
    return model


def weights_of(model):
    return model.layers[0].kernel.numpy().ravel().tolist()


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        # The largest magnitude is 0.75, so with 3 bits a step is 0.75 / (2**2 - 1) = 0.25: 0.3 is 1.2 steps, 0.1 is 0.4
        # and -0.4 is 1.6 of them.
        (3, [-0.75, 0.25, 0.0, -0.5]),
        # The root mean square is sqrt((0.5625 + 0.09 + 0.01 + 0.16) / 4) = sqrt(0.205625) = 0.453459.
        ("signs", [-0.453459, 0.453459, 0.453459, -0.453459]),
        # Of four weights two are left, each sqrt(0.8225 / 2) = 0.641288.
        ("binary", [0.0, 0.641288, 0.641288, 0.0]),
    ],
)
def test_solved_by_hand(precision, expected):
    model = model_of([-0.75, 0.3, 0.1, -0.4])
    counts = reduce_precision(model, precision)
    np.testing.assert_allclose(weights_of(model), expected, atol=1e-6)
    assert list(counts.values()) == [len(set(expected))]
    assert model.layers[0].bias.numpy().tolist() == [1.0]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=20), st.integers(2, 8))
def test_error_is_at_most_half_a_step(column, bits):
    model = model_of(column)
    counts = reduce_precision(model, bits)
    step = max(map(abs, column)) / (2 ** (bits - 1) - 1)
    np.testing.assert_allclose(weights_of(model), column, atol=0.5 * step + 1e-6)
    assert max(counts.values()) < 2**bits


@pytest.mark.parametrize("precision", ["signs", "binary"])
def test_zeros_stay(precision):
    model = model_of([0.0, 0.0])
    reduce_precision(model, precision)
    assert weights_of(model) == [0.0, 0.0]


def test_reconnected():
    # Two values, of which each neuron keeps its number of each, wherever they go.
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    reduce_precision(model, "binary")
    before = model.get_weights()[0]
    model.compile(LaPerm("adam", sync_period=3), loss="mse")
    model.fit(np.random.default_rng(0).normal(size=(40, 6)), np.ones((40, 4)), batch_size=4, verbose=0)
    np.testing.assert_array_equal(np.sort(model.get_weights()[0], axis=0), np.sort(before, axis=0))


@pytest.mark.parametrize("wrong", [1, 17, True, 4.0, "sign", None])
def test_wrong_precision(wrong):
    with pytest.raises(ValueError, match=r"`precision` must be a number of bits.*Received: precision=.*Pass e\.g\. 8"):
        reduce_precision(model_of([1.0]), wrong)


def test_model_without_weights():
    with pytest.raises(ValueError, match="`model` must be built"):
        reduce_precision(keras.Sequential([keras.layers.Dense(2)]), 4)
