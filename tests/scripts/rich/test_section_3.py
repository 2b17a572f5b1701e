"""The setting that all trainings of the rich regime paper share."""

import keras
import numpy as np
import pytest

from scripts.rich.settings import adam, balanced, nesterov, section_3
from scripts.running.training import changed

TINY = section_3("tiny", balanced("digits", limit=100, validation=0), ("relu_net", {"units": 2}), adam(), epochs=1)


def test_the_weight_decay_by_hand():
    # The penalty 2.5e-4 w^2 of w = 2 is 0.001; its gradient 5e-4 w is the paper's weight decay of 5e-4. Rates: halved
    # after epochs 30 and 60.
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[2.0]])])
    nesterov(0.01).make(model)
    assert float(sum(model.losses)) == pytest.approx(0.001)
    assert [nesterov(0.01).rate(epoch, 180) for epoch in (29, 30, 60)] == [0.01, 0.005, 0.0025]
    assert adam().l2 == 0


def test_a_misspelt_optimizer_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'nesterov'"):
        changed(TINY, optimizer={"name": "nestorov"})


def test_images_are_balanced_where_not_all_are_used():
    assert np.bincount(TINY.data.load(None).y_train).tolist() == 10 * [10]
    assert len(balanced("digits", limit=None, validation=37).load(None).y_train) == 1400


def test_the_network_is_drawn_by_glorot_from_the_seed():
    one, same, other = (TINY.prepare(seed).model.get_weights() for seed in (0, 0, 1))
    assert all(map(np.array_equal, one, same))
    assert not np.array_equal(one[0], other[0])
    assert TINY.network.initializer == "glorot_normal"
