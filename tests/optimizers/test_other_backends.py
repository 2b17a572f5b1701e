"""What one backend saved between two synchronizations goes on on another."""

import functools

import keras
import numpy as np
import pytest
from backends import BACKEND
from save_mid_period import FOLDER, SAVED_AT, STEPS, K, initial_weights, network, train

from train_by_reconnect import is_permutation

# Ten steps of Adam at rate 0.02, each up to ten times as large as the gradient's rounding, which is that of 24 sums.
ROUNDING = STEPS * 10 * 0.02 * 24 * 2.0**-24


@functools.cache
def trained_here():
    model = network()
    train(model, 0, STEPS)
    return model.get_weights()


@pytest.mark.parametrize("saved_by", ["tensorflow", "jax", "torch"])
def test_goes_on(saved_by):
    resumed = keras.saving.load_model(FOLDER / f"{saved_by}.keras")
    resumed.jit_compile = BACKEND == "jax"  # the file says what was usual where it was written
    assert int(resumed.optimizer.iterations) == SAVED_AT
    assert resumed.optimizer.last_sync == K
    train(resumed, SAVED_AT, 2 * K)
    assert resumed.optimizer.last_sync == 2 * K
    assert is_permutation(resumed, initial_weights())
    train(resumed, 2 * K, STEPS)
    for ours, theirs in zip(resumed.get_weights(), trained_here(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=ROUNDING)
