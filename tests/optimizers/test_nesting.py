"""The optimizers of a model, one inside another."""

import keras

from train_by_reconnect import LaPerm, Lookahead
from train_by_reconnect.optimizers.nesting import find_optimizer, nested_optimizers
from train_by_reconnect.optimizers.periodic import PeriodicOptimizer


def test_outermost_first():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    adam = keras.optimizers.Adam()
    lookahead = Lookahead(adam)
    laperm = LaPerm(lookahead)
    scaled = keras.optimizers.LossScaleOptimizer(laperm)
    model.compile(scaled, loss="mse")
    assert [id(each) for each in nested_optimizers(model)] == [id(each) for each in (scaled, laperm, lookahead, adam)]
    assert find_optimizer(model, PeriodicOptimizer) is laperm  # the inner one is periodic too
    assert find_optimizer(model, Lookahead) is lookahead
    assert find_optimizer(model, keras.optimizers.SGD) is None


def test_a_model_that_is_not_compiled_has_none():
    assert list(nested_optimizers(keras.Sequential())) == []
