import json

import keras
import numpy as np
import pytest
from backends import assert_same, to_numpy

from train_by_reconnect import (
    InitialRule,
    Masked,
    PositiveUniform,
    SignedConstant,
    SignedMask,
    load_connectivity,
    save_connectivity,
)
from train_by_reconnect.conversion.strip import strip

X = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")


def made_of_masked_layers():
    dense = Masked.of(keras.layers.Dense, score_initializer=keras.initializers.RandomUniform(-1, 1))
    inputs = keras.Input((4, 6))
    x = dense(4, kernel_initializer=SignedConstant(), activation="relu", use_bias=True, name="hidden")(inputs)
    x = keras.layers.TimeDistributed(dense(4, kernel_initializer=SignedConstant(), name="inside"))(x)
    x = keras.layers.LSTM(3, kernel_initializer=SignedConstant(), bias_initializer=PositiveUniform())(x)
    return keras.Model(inputs, keras.layers.Dense(2, kernel_initializer=SignedConstant(), name="plain")(x))


def test_by_hand():
    # Kernel (2, 3, 5) with scores (0.1, 0, -0.1) masks all but the first: (2, 0, 0).
    model = keras.Sequential([keras.Input((3,)), Masked(keras.layers.Dense(1, name="output"))])
    model.layers[0].layer.kernel.assign([[2.0], [3.0], [5.0]])
    model.layers[0].scores[0].assign([[0.1], [0.0], [-0.1]])
    layer = strip(model).layers[0]
    assert (type(layer), layer.name) == (keras.layers.Dense, "output")
    assert layer.kernel.numpy().ravel().tolist() == [2, 0, 0]
    assert model.layers[0].layer.kernel.numpy().ravel().tolist() == [2, 3, 5]


def test_masks_and_signs_together_by_hand(tmp_path):
    # Kernel (2, 3, 5) with scores (0.1, 0, -0.1) masks the second and flips the third: (2, 0, -5).
    model = keras.Sequential([keras.Input((3,)), SignedMask(keras.layers.Dense(1, use_bias=False, name="output"))])
    model.layers[0].layer.kernel.assign([[2.0], [3.0], [5.0]])
    model.layers[0].scores[0].assign([[0.1], [0.0], [-0.1]])
    assert strip(model).layers[0].kernel.numpy().ravel().tolist() == [2, 0, -5]
    # A connectivity file holds both, from the seed.
    initial = InitialRule("signed_constant", magnitude=1)
    kernel = initial.kernel((3, 1), 0)
    model.layers[0].layer.kernel.assign(kernel)
    save_connectivity(model, tmp_path / "both.tbr", initial)
    assert_same(load_connectivity(tmp_path / "both.tbr").layers[0].kernel, kernel * [[1], [0], [-1]])


def test_nothing_of_this_package_is_left(tmp_path):
    model = made_of_masked_layers()
    plain = strip(model)
    sequences = np.stack([X] * 4, axis=1)
    assert_same(plain(sequences), model(sequences))
    assert "train_by_reconnect" in json.dumps(model.get_config())
    assert "train_by_reconnect" not in json.dumps(plain.get_config())
    assert {type(layer).__module__.split(".")[0] for layer in plain._flatten_layers()} == {"keras"}
    plain.save(tmp_path / "plain.keras")
    assert_same(keras.models.load_model(tmp_path / "plain.keras")(sequences), plain(sequences))


def test_stripped_layers_train_as_they_were_configured():
    frozen = Masked(keras.layers.Dense(4, trainable=False, name="frozen"))
    regularizer = keras.regularizers.L2(0.5)
    model = keras.Sequential([keras.Input((6,)), frozen, Masked(keras.layers.Dense(2, kernel_regularizer=regularizer))])
    plain = strip(model)
    assert [v.path.split("/")[-1] for v in plain.trainable_variables] == ["kernel", "bias"]
    np.testing.assert_allclose(to_numpy(plain.losses[0]), 0.5 * np.sum(plain.layers[1].kernel.numpy() ** 2), rtol=1e-6)
    before = [v.numpy() for v in plain.weights]
    plain.compile(optimizer="sgd", loss="mse")
    plain.fit(X, X[:, :2], verbose=0)
    moved = [not np.array_equal(old, v.numpy()) for old, v in zip(before, plain.weights, strict=True)]
    assert moved == [False, False, True, True]


class MaskedNetwork(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.masked = Masked(keras.layers.Dense(2, name="masked"))

    def call(self, inputs):
        return self.masked(inputs)

    def get_config(self):
        return {"name": self.name}


def test_subclassed_model_that_makes_masked_layers_itself():
    model = MaskedNetwork()
    model(X)
    model.masked.scores[0].assign(np.random.default_rng(1).uniform(-1, 1, (6, 2)))
    plain = strip(model)
    assert type(plain.masked) is keras.layers.Dense
    assert_same(plain(X), model(X))


def test_compiled_model_gives_one_that_is_not():
    model = keras.Sequential([keras.Input((6,)), Masked(keras.layers.Dense(2))])
    model.compile(optimizer="adam", loss="mse")
    assert not strip(model).compiled


def test_errors():
    with pytest.raises(ValueError, match="must be built"):
        strip(keras.Sequential([Masked(keras.layers.Dense(2))]))
    with pytest.raises(ValueError, match="must hold layers with fixed kernels"):
        strip(keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)]))
