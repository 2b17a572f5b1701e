"""Matrices that are no kernels: statistics, integer codes and their scales."""

import keras
import numpy as np
import pytest
from keras import layers

from train_by_reconnect import describe_variables, sparsify, weight_profiles


def names(model):
    return [profile.variable.name for profile in weight_profiles(model)]


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.SpectralNormalization(layers.Dense(3)), (5,)),
        (layers.Normalization(axis=(1, 2)), (5, 4)),
    ],
)
def test_statistics(layer, shape):
    model = keras.Sequential([keras.Input(shape), layer, layers.Dense(2)])
    assert any(len(v.shape) > 1 and v.name != "kernel" for v in model.weights)
    assert set(names(model)) == {"kernel"}


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize` method:UserWarning")
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("Dense", "int8"), ("Dense", "int4"), ("Dense", "float8")),
        *(("EinsumDense", "int8"), ("EinsumDense", "int4"), ("EinsumDense", "float8")),
        *(("Embedding", "int8"), ("Embedding", "int4")),  # Keras has no float8 embedding
    ],
)
def test_quantized_layers(kind, mode):
    make, shape = {
        "Dense": (lambda: layers.Dense(4), (6,)),
        "EinsumDense": (lambda: layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 4)), (3, 6)),
        "Embedding": (lambda: layers.Embedding(8, 4), (3,)),
    }[kind]
    model = keras.Sequential([keras.Input(shape), make()], name="net")
    model.quantize(mode)
    kinds = {v.name: layout.kind for v, layout in zip(model.weights, describe_variables(model.weights), strict=True)}
    assert kinds.pop("bias", "bias") == "bias"
    if mode == "float8":  # the weights themselves are kept
        assert kinds.pop("kernel") == "kernel"
        assert names(model) == ["kernel"]
    else:
        with pytest.raises(ValueError, match=r"must have a kernel.*'net' with \d variables.*codes of a quantized one"):
            weight_profiles(model)
        with pytest.raises(ValueError, match=r"must have a trainable kernel.*but no kernel"):
            sparsify(model, 0.5)
    assert set(kinds.values()) == {"other"}


def test_by_hand_what_a_float_kernel_of_a_lora_layer_is():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.layers[0].enable_lora(2)
    np.testing.assert_array_equal([profile.shape for profile in weight_profiles(model)], [(4, 3)])
