import keras
import numpy as np
import pytest
from backends import with_64_bits
from keras import layers

from train_by_reconnect import weight_profiles


def sequential(*parts, inputs=(8, 8, 3)):
    return keras.Sequential([keras.Input(inputs), *parts])


def test_weight_profiles_solved_by_hand():
    # The columns of the kernel are its weight vectors: (3, -1, 2) sorts to (-1, 2, 3), and (0.5, 4, 0) to (0, 0.5, 4).
    model = sequential(layers.Dense(2, name="dense"), inputs=(3,))
    model.layers[0].kernel.assign([[3, 0.5], [-1, 4], [2, 0]])
    [profile] = weight_profiles(model)
    assert (profile.layer, profile.shape, profile.unit_axes) == ("dense", (3, 2), (-1,))
    assert profile.name == model.layers[0].kernel.path
    assert profile.unsorted.tolist() == [[3, -1, 2], [0.5, 4, 0]]
    assert profile.vectors.tolist() == [[-1, 2, 3], [0, 0.5, 4]]


def test_depthwise_solved_by_hand():
    # A 2 x 1 window over 2 channels: channel 0 sees (4, 2), channel 1 sees (1, 3).
    model = sequential(layers.DepthwiseConv2D((2, 1)), inputs=(4, 4, 2))
    model.layers[0].kernel.assign(np.reshape([4, 1, 2, 3], (2, 1, 2, 1)))
    [profile] = weight_profiles(model)
    assert profile.unsorted.tolist() == [[4, 2], [1, 3]]
    assert profile.vectors.tolist() == [[2, 4], [1, 3]]


def test_every_kernel_and_nothing_else():
    model = sequential(
        layers.Conv2D(6, 3, name="conv"),
        layers.BatchNormalization(),
        layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
        layers.SeparableConv2D(4, 2, name="separable"),
        layers.PReLU(),
        layers.Reshape((-1, 4)),
        layers.LSTM(5, name="lstm"),
        layers.Dense(1, name="one_output"),
    )
    shapes = {profile.name.split("/", 1)[1]: profile.vectors.shape for profile in weight_profiles(model)}
    assert shapes == {
        "conv/kernel": (6, 27),
        "depthwise/kernel": (12, 9),
        "separable/depthwise_kernel": (12, 4),
        "separable/pointwise_kernel": (4, 12),
        "lstm/lstm_cell/kernel": (20, 4),
        "lstm/lstm_cell/recurrent_kernel": (20, 5),
        "one_output/kernel": (1, 5),
    }


def test_frozen_kernels_too():
    model = sequential(layers.Dense(2), layers.Dense(1))
    model.layers[0].trainable = False
    assert len(weight_profiles(model)) == 2


def test_the_initializer_of_each_kernel():
    model = sequential(
        layers.Conv2D(2, 2, kernel_initializer="he_normal"),
        layers.DepthwiseConv2D(2, depthwise_initializer="random_uniform"),
        layers.SeparableConv2D(2, 2, depthwise_initializer="he_uniform", pointwise_initializer="lecun_normal"),
        layers.Reshape((-1, 2)),
        layers.GRU(2),
    )
    names = [type(profile.initializer).__name__ for profile in weight_profiles(model)]
    assert names == ["HeNormal", "RandomUniform", "HeUniform", "LecunNormal", "GlorotUniform", "Orthogonal"]


def test_profiles_follow_the_model_and_change_nothing():
    model = sequential(layers.Dense(2), inputs=(3,))
    [profile] = weight_profiles(model)
    before = model.get_weights()[0]
    profile.vectors.fill(7)
    profile.unsorted.fill(7)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    model.layers[0].kernel.assign(np.ones((3, 2)))
    assert (profile.vectors == 1).all()


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        *(("float16", "float32"), ("bfloat16", "float32"), ("float32", "float32")),
        pytest.param("float64", "float64", marks=with_64_bits),
    ],
)
def test_dtypes(dtype, expected):
    [profile] = weight_profiles(sequential(layers.Dense(5, dtype=dtype)))
    assert profile.vectors.dtype == expected
    np.testing.assert_array_equal(profile.vectors, np.sort(profile.unsorted, axis=1))


def test_layers_are_selected_in_the_order_of_the_model():
    inner = sequential(layers.Dense(4, name="a"), layers.Dense(4, name="b"))
    inner.name = "inner"
    model = sequential(inner, layers.Dense(2, name="c"))

    def selected(names):
        return [profile.layer for profile in weight_profiles(model, names)]

    assert selected(None) == ["a", "b", "c"]
    assert selected("b") == ["b"]
    assert selected(["c", "a"]) == ["a", "c"]
    assert selected(("inner",)) == ["a", "b"]
    assert selected([]) == []


def test_a_layer_that_does_not_exist_or_has_no_kernel():
    model = sequential(layers.Dense(4, name="a"), layers.BatchNormalization(name="norm"), layers.Dense(2, name="b"))
    for name in ("dense_9", "norm"):
        with pytest.raises(
            ValueError,
            match=rf"layers that have a kernel. Received: layers=\['{name}'\], and '{name}' is none of the 2 .*: a, b.",
        ):
            weight_profiles(model, name)
    many = sequential(*(layers.Dense(1, name=f"layer_{index}") for index in range(30)))
    with pytest.raises(ValueError, match=r"none of the 30 of this model. Choose among: layer_0, .* and 10 more."):
        weight_profiles(many, ["x"])


def test_a_model_that_is_empty_or_not_built_or_none():
    with pytest.raises(ValueError, match=r"must have a kernel. Received: model='.*' with 4 variables, none of which"):
        weight_profiles(sequential(layers.BatchNormalization()))
    with pytest.raises(ValueError, match=r"must have a kernel. Received: model='.*' with 0 variables"):
        weight_profiles(sequential(layers.Flatten()))
    with pytest.raises(ValueError, match=r"with built=False. Start it with `keras.Input`"):
        weight_profiles(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(TypeError, match=r"must be a Keras model or layer. Received: model='vgg16'"):
        weight_profiles("vgg16")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_weights_that_are_not_finite(value, dtype):
    model = sequential(layers.Dense(4, name="fine"), layers.Dense(2, name="broken", dtype=dtype), inputs=(3,))
    [_, profile] = weight_profiles(model)
    kernel = np.ones((4, 2))
    kernel[1, 0] = value
    model.layers[1].kernel.assign(kernel)
    message = r"weights of .*broken/kernel must be finite. Received: 1 of 8 are NaN or infinite"
    with pytest.raises(ValueError, match=message):
        weight_profiles(model)
    with pytest.raises(ValueError, match=message):
        _ = profile.vectors
    assert weight_profiles(model, "fine")
