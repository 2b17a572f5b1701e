"""Subclasses of functional and Sequential models, which stay what they are or are refused."""

import keras
import numpy as np
import pytest
from backends import assert_same
from keras import layers

from train_by_reconnect import SignedConstant, connectivity_model, remove_weights, strip

X = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")


class Doubled(keras.Sequential):
    def call(self, inputs, training=None, mask=None):
        return 2 * super().call(inputs, training=training)


class Counting(keras.Sequential):
    steps = 0

    def train_step(self, *data):  # JAX hands over the state too
        type(self).steps += 1
        return super().train_step(*data)


class CountingFunctional(keras.Model):
    steps = 0

    def train_step(self, *data):  # JAX hands over the state too
        type(self).steps += 1
        return super().train_step(*data)


class OfWidth(keras.Sequential):
    def __init__(self, width):
        super().__init__([keras.Input((6,)), layers.Dense(width), layers.Dense(2)])


class OfWidthDoubled(OfWidth):
    def call(self, inputs, training=None, mask=None):
        return 2 * super().call(inputs, training=training)


class FunctionalOfWidth(keras.Model):
    def __init__(self, width):
        inputs = keras.Input((6,))
        super().__init__(inputs, layers.Dense(width)(inputs))

    def train_step(self, data):
        return super().train_step(data)


def dense(*units):
    return [layers.Dense(size, kernel_initializer=SignedConstant(0.5)) for size in units]


def functional(model_class):
    inputs = keras.Input((6,))
    hidden, top = dense(4, 2)
    return model_class(inputs, top(hidden(inputs)))


@pytest.mark.parametrize("with_input", [True, False])
def test_a_call_of_its_own_is_kept(with_input):
    model = Doubled([keras.Input((6,)), *dense(4, 2)] if with_input else dense(4, 2), name="doubled")
    expected = model(X)
    converted = connectivity_model(model)
    assert type(converted) is Doubled
    assert converted.name == "doubled"
    assert [layer.name for layer in converted.layers] == [layer.name for layer in model.layers]
    assert len(converted.trainable_variables) == 2
    assert_same(converted(X), expected)
    plain = strip(converted)
    assert type(plain) is Doubled
    assert_same(plain(X), expected)
    assert_same(model(X), expected)


@pytest.mark.parametrize(
    "make", [lambda: Counting([keras.Input((6,)), *dense(4, 2)]), lambda: functional(CountingFunctional)]
)
def test_a_train_step_of_its_own_is_kept(make):
    model = make()
    converted, (unit_model, _) = connectivity_model(model), remove_weights(model)
    for each in (converted, unit_model):
        assert type(each) is type(model)
        type(model).steps = 0
        each.compile(optimizer="sgd", loss="mse", run_eagerly=True)
        each.train_on_batch(X, np.zeros((3, 2)))
        assert type(model).steps == 1


def test_inside_another_model():
    inner = Doubled([keras.Input((6,)), *dense(4, 2)])
    model = keras.Sequential([keras.Input((6,)), inner])
    converted = connectivity_model(model)
    assert type(converted.layers[0]) is Doubled
    assert_same(converted(X), model(X))


def test_what_was_frozen_stays_frozen():
    model = Doubled([keras.Input((6,)), *dense(4, 2)])
    model.trainable = False
    assert not connectivity_model(model).trainable_variables


def test_an_init_of_its_own():
    converted = connectivity_model(OfWidth(4))  # nothing else is its own: a plain model behaves the same
    assert type(converted) is keras.Sequential
    for model, name in ((OfWidthDoubled(4), "call"), (FunctionalOfWidth(4), "train_step")):
        message = (
            rf"must take the arguments of these.*class {type(model).__name__}, which has an `__init__` and {name} of"
        )
        with pytest.raises(ValueError, match=message):
            connectivity_model(model)


def test_a_factor_does_not_pass_a_call_of_its_own():
    with pytest.raises(ValueError, match=r"must be one chain.*model='doubled', which has branches or is subclassed"):
        remove_weights(Doubled([keras.Input((6,)), *dense(4)], name="doubled"))
