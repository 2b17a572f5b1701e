"""Conversions of layers that compute with more, or less, than their kernel: LoRA, integer codes, tiny factors."""

import keras
import numpy as np
import pytest
from backends import assert_same, to_numpy, with_64_bits
from keras import layers

from train_by_reconnect import Masked, SignedConstant, connectivity_model, remove_weights, strip

X = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
pytestmark = pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize` method:UserWarning")


def network(*units, inputs=6, dtype="float32", magnitude=0.5):
    made = [
        layers.Dense(
            size, use_bias=False, kernel_initializer=SignedConstant(magnitude), name=f"layer_{place}", dtype=dtype
        )
        for place, size in enumerate(units)
    ]
    return keras.Sequential([keras.Input((inputs,)), *made], name="net")


def test_a_converted_model_is_not_quantized():
    model = connectivity_model(network(4, 2))
    expected = model(X)
    message = r"must not have fixed kernels.*Received: mode='int8' for 'layer_0' of class Masked. `strip` the model"
    with pytest.raises(ValueError, match=message):
        model.quantize("int8")
    with pytest.raises(ValueError, match=message):
        model.layers[0].quantize("int8")
    assert_same(model(X), expected)


def test_a_stripped_one_is():
    model = connectivity_model(network(4, 2))
    for variable in model.trainable_variables:
        variable.assign(np.random.default_rng(1).uniform(-1, 1, variable.shape))
    plain = strip(model)
    plain.quantize("int8")
    assert {v.dtype for v in plain.weights if v.name == "kernel"} == {"int8"}
    # 8 bits for weights and for inputs: each is off by at most 1 / 254 of the largest.
    expected = to_numpy(model(X))
    np.testing.assert_allclose(to_numpy(plain(X)), expected, atol=0.05 * np.abs(expected).max())


@pytest.mark.parametrize("change", ["lora", "int8"])
def test_what_does_not_compute_with_its_kernel_alone_is_not_wrapped(change):
    layer = network(3).layers[0]
    layer.enable_lora(2) if change == "lora" else layer.quantize("int8")
    with pytest.raises(ValueError, match=r"must compute with its kernel alone.*'layer_0' with lora_rank="):
        Masked(layer)


@pytest.mark.parametrize("change", ["lora", "int8"])
def test_its_weights_are_not_removed(change):
    model = network(4, 2)
    model.layers[1].enable_lora(2) if change == "lora" else model.layers[1].quantize("int8")
    with pytest.raises(ValueError, match=r"must compute with its kernel alone\. Received: 'layer_1', with lora_rank="):
        remove_weights(model)


def test_a_factor_out_of_range():
    # 0.001^13 = 1e-39 is below 1.2e-38, the smallest number of full precision of float32; 1000^13 = 1e39 is above the
    # largest.
    for magnitude, shown in ((0.001, "1e-39"), (1000, r"1e\+39")):
        message = rf"must be from 3e-36 to 3.4e\+38, so that float32.*input_scale={shown}.*wider dtype"
        with pytest.raises(ValueError, match=message):
            remove_weights(network(*[2] * 13, magnitude=magnitude))
    assert remove_weights(network(*[2] * 11, magnitude=0.001))[1] == pytest.approx(1e-33)
    # Of float16 the smallest is 6.1e-5; an image of 8 bits goes down to 1 / 255 of the factor.
    for magnitude, refused in ((0.015, True), (0.016, False)):
        model = network(2, magnitude=magnitude, dtype="mixed_float16")
        if refused:
            with pytest.raises(ValueError, match=r"must be from 0\.016 to"):
                remove_weights(model)
        else:
            remove_weights(model)


@with_64_bits
def test_a_wider_dtype_takes_the_factor():
    assert remove_weights(network(*[2] * 13, magnitude=0.001, dtype="float64"))[1] == pytest.approx(1e-39)


def test_a_deep_network_of_small_weights_does_not_become_zero():
    # 60 layers of 400 inputs: sqrt(2 / 400)^60 = 9e-70.
    with pytest.raises(ValueError, match=r"input_scale=9\.31e-70"):
        remove_weights(network(*[4] * 60, inputs=4, magnitude=float(np.sqrt(2 / 400))))
