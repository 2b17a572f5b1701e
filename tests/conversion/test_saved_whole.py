"""Converted models with layers of one's own, whose configuration does not say that they were converted."""

import copy

import keras
import numpy as np
import pytest
from backends import assert_same
from keras import layers

from train_by_reconnect import Masked, connectivity_model, strip

X = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")


@keras.saving.register_keras_serializable("test_saved_whole")
class Block(layers.Layer):
    """A layer that makes another: its configuration holds nothing of that."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, use_bias=False)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("test_saved_whole")
class Holder(layers.Layer):
    """A layer that is given another, and says so in its configuration."""

    def __init__(self, inside, **kwargs):
        super().__init__(**kwargs)
        self.inside = inside

    def build(self, input_shape):
        if not self.inside.built:  # of a configuration it may be
            self.inside.build(input_shape)

    def call(self, inputs):
        return self.inside(inputs)

    def get_config(self):
        return {**super().get_config(), "inside": keras.saving.serialize_keras_object(self.inside)}

    @classmethod
    def from_config(cls, config):
        inside = keras.saving.deserialize_keras_object(config["inside"])
        return cls(**{**config, "inside": inside})


def converted(layer):
    model = connectivity_model(keras.Sequential([keras.Input((6,)), layer, layers.Dense(2)]))
    for variable in model.trainable_variables:
        variable.assign(np.random.default_rng(1).uniform(-1, 1, variable.shape))
    return model


def test_a_file_without_the_masks_is_not_written(tmp_path):
    model = converted(Block(name="block"))
    message = (
        r"saved whole.*Received: 'block' of class Block, whose `get_config` does not say that layers inside are Masked"
        r".*`save_weights`.*`strip`"
    )
    with pytest.raises(ValueError, match=message):
        model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=message):
        copy.deepcopy(model)
    with pytest.raises(ValueError, match=message):
        keras.models.clone_model(model)


def test_what_the_sentence_advises_works(tmp_path):
    model = converted(Block(name="block"))
    model.save_weights(tmp_path / "model.weights.h5")
    anew = connectivity_model(keras.Sequential([keras.Input((6,)), Block(name="block"), layers.Dense(2)]))
    anew.load_weights(tmp_path / "model.weights.h5")
    assert_same(anew(X), model(X))
    strip(model).save(tmp_path / "plain.keras")
    assert_same(keras.models.load_model(tmp_path / "plain.keras")(X), model(X))


def test_a_configuration_that_says_it_is_saved_and_loaded(tmp_path):
    model = converted(Holder(layers.Dense(4)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0].inside) is Masked
    assert_same(loaded(X), model(X))


def test_one_within_another(tmp_path):
    model = converted(Holder(Block(name="block"), name="holder"))
    with pytest.raises(ValueError, match=r"'holder' of class Holder, whose `get_config`|'block' of class Block"):
        model.save(tmp_path / "model.keras")
    plain = strip(model)
    assert_same(plain(X), model(X))
    plain.save(tmp_path / "plain.keras")
    with pytest.raises(ValueError, match="saved whole"):  # `strip` has left the model as it was
        model.save(tmp_path / "model.keras")


def test_a_layer_that_nothing_was_put_into_is_as_it_was(tmp_path):
    block = keras.Sequential([keras.Input((6,)), Block(name="block"), layers.Dense(2)])
    model = connectivity_model(block, keep=["block"])
    model.save(tmp_path / "model.keras")
    assert_same(keras.models.load_model(tmp_path / "model.keras")(X), model(X))
