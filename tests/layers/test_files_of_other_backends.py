"""A connectivity model that one backend saved is the same on another."""

import keras
import numpy as np
import pytest
from backends import assert_same, to_numpy
from save_every_kind import FOLDER, X, network

from train_by_reconnect import changed_fractions

# Four layers deep, each a sum of at most 24 products, in whatever order: so many units in the last place of the largest
# numbers on the way, which are no larger than a hundred times the outputs.
ROUNDING = 100 * 4 * 24 * 2.0**-24


@pytest.mark.parametrize("saved_by", ["tensorflow", "jax", "torch"])
def test_every_kind_of_layer(saved_by):
    here, loaded = network(), keras.saving.load_model(FOLDER / f"{saved_by}.keras")
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in here.layers]
    for ours, theirs in zip(here.variables, loaded.variables, strict=True):
        assert_same(ours, theirs)
    assert changed_fractions(loaded) == changed_fractions(here)
    for ours, theirs in zip(here.layers, loaded.layers, strict=True):
        assert [v.name for v in ours.trainable_variables] == [v.name for v in theirs.trainable_variables]
        if hasattr(ours, "scores"):
            weights = [[getattr(s.regularizer, "weight", None) for s in each.scores] for each in (ours, theirs)]
            assert weights[0] == weights[1]
            for effective, also in zip(ours.effective_kernels(), theirs.effective_kernels(), strict=True):
                assert_same(effective, also)
    outputs = to_numpy(here(X))
    np.testing.assert_allclose(to_numpy(loaded(X)), outputs, rtol=0, atol=ROUNDING * np.abs(outputs).max())
    loaded.compile("sgd", "mse")
    loaded.train_on_batch(X, np.zeros((3, 2)))  # and it can be trained on
