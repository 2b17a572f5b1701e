"""Edge-popup: which connections are kept, what reaches the scores, and training in every mode."""

import keras
import numpy as np
import pytest
from backends import FIT_MODES, MODES, compiled, fit_as, gradients_of, to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.edge_popup import EdgePopup, highest
from train_by_reconnect.layers.initializers import SignedConstant

layers = keras.layers


def expected_highest(values, count):
    """The same by a stable sort."""
    is_kept = np.zeros(values.size, bool)
    is_kept[np.argsort(-values.ravel(), kind="stable")[:count]] = True
    return is_kept.reshape(values.shape)


def small_network(**arguments):
    convolution, dense = EdgePopup.of(layers.SeparableConv2D, **arguments), EdgePopup.of(layers.Dense, **arguments)
    return keras.Sequential(
        [keras.Input((5, 5, 2)), convolution(3, 3, activation="relu"), layers.Flatten(), dense(4, activation="softmax")]
    )


def fit(model, **arguments):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 5, 5, 2)).astype("float32"), rng.integers(0, 4, 24)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9), "sparse_categorical_crossentropy", **arguments)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)


def test_solved_by_hand():
    # Scores 0.3, -0.1, 0.2, 0.1 for weights 2, 3, 5, 7; half of them is kept: 0.3 and 0.2. The input is 1, 10.
    #   unit 0: 1 * 2 (kept) + 10 * 5 (kept) = 52;  unit 1: 1 * 3 (left out) + 10 * 7 (left out) = 0.
    # With the loss y0 + 4 y1 the gradient of a weight is its input times 1 or 4, and that of its score this times the
    # weight, whether kept or not: 1*1*2 = 2, 1*4*3 = 12, 10*1*5 = 50, 10*4*7 = 280.
    layer = EdgePopup(layers.Dense(2, use_bias=False))
    layer.build((None, 2))
    layer.kernels[0].assign([[2.0, 3.0], [5.0, 7.0]])
    layer.scores[0].assign([[0.3, -0.1], [0.2, 0.1]])
    inputs = np.array([[1.0, 10.0]], "float32")
    factors = keras.ops.array([[1.0, 4.0]])
    (gradient,), _ = gradients_of(lambda: keras.ops.sum(layer(inputs) * factors), layer.scores)
    np.testing.assert_array_equal(to_numpy(layer(inputs)), [[52.0, 0.0]])
    np.testing.assert_array_equal(gradient, [[2.0, 12.0], [50.0, 280.0]])
    np.testing.assert_array_equal(layer.is_changed(layer.scores[0].value), [[False, True], [False, True]])
    # SGD with a rate of 0.001 lowers the scores by 0.002, 0.012, 0.05 and 0.28, to 0.298, -0.112, 0.15 and -0.18: the
    # same are kept. With a rate of -0.001 they rise to 0.302, -0.088, 0.25 and 0.38: 7 comes back, 2 stays, 5 goes.
    layer.scores[0].assign([[0.302, -0.088], [0.25, 0.38]])
    np.testing.assert_array_equal(to_numpy(layer(inputs)), [[2.0, 70.0]])


# Few distinct values make ties; the others are those where a float and its bits could disagree.
FLOATS = st.sampled_from([0.0, -0.0, 0.5, -0.5, 1e-30, -1e-30, 3e38, -3e38, float("inf"), float("-inf")])


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_as_many_as_asked_and_the_first_of_equals(data):
    values = np.array(data.draw(st.lists(FLOATS | st.floats(width=32, allow_nan=False, allow_subnormal=False))))
    count = data.draw(st.integers(0, len(values)))
    np.testing.assert_array_equal(highest(values.astype("float32"), count), expected_highest(values, count))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("mode", MODES)
def test_compiled(mode, dtype):
    # float16 has many ties among 3,000 values.
    values = np.random.default_rng(0).normal(size=(10, 300)).astype(dtype)
    found = compiled(lambda values: highest(values, 1_234), mode)(keras.ops.array(values))
    np.testing.assert_array_equal(found, expected_highest(values, 1_234))


def test_every_kernel_keeps_its_own_share():
    # The depthwise kernel has 3 * 3 * 2 = 18 weights and keeps round(0.3 * 18) = 5, the pointwise one 2 * 3 = 6 and 2;
    # of the 27 * 4 = 108 of the dense layer 32 are kept.
    model = small_network(sparsity=0.7)
    kept = [
        np.count_nonzero(to_numpy(kernel))
        for layer in connectivity_layers(model)
        for kernel in layer.effective_kernels()
    ]
    assert kept == [5, 2, 32]


@pytest.mark.parametrize("mode", [*FIT_MODES, "mixed"])
def test_training_moves_scores_alone_and_keeps_as_many(mode):
    if mode == "mixed":
        keras.config.set_dtype_policy("mixed_float16")
    model = small_network()
    trained = [layer.scores[0] for layer in connectivity_layers(model)]
    kernels = [kernel for layer in connectivity_layers(model) for kernel in layer.kernels]
    initial = [variable.numpy() for variable in (*kernels, *trained)]
    masks = [to_numpy(layer.factor(scores.value)) for layer, scores in zip(model.layers[::2], trained, strict=True)]
    fit(model, **fit_as(mode))
    for kernel, before in zip(kernels, initial, strict=False):
        np.testing.assert_array_equal(kernel, before)
    for layer, scores, mask in zip(model.layers[::2], trained, masks, strict=True):
        new = to_numpy(layer.factor(scores.value))
        assert set(new.ravel()) == {0.0, 1.0}
        assert new.sum() == mask.sum() == mask.size // 2
        assert (new > mask).any()  # some came back


def test_saved_and_loaded(tmp_path):
    model = small_network(sparsity=0.3)
    fit(model, run_eagerly=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [layer.sparsity for layer in connectivity_layers(loaded)] == [0.3, 0.3]
    x = np.ones((2, 5, 5, 2), "float32")
    np.testing.assert_array_equal(to_numpy(model(x)), to_numpy(loaded(x)))


def test_initial_scores_are_as_wide_as_documented():
    layer = EdgePopup(layers.Dense(1000))
    layer.build((None, 25))
    assert 0.099 < np.abs(layer.scores[0].numpy()).max() <= 0.1  # 0.5 / sqrt(25)


@pytest.mark.parametrize("sparsity", [-0.1, 1, 1.5])
def test_sparsity_out_of_range(sparsity):
    with pytest.raises(ValueError, match=f"below 1. Received: sparsity={sparsity}"):
        EdgePopup(layers.Dense(1), sparsity)


def test_learns_digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 8 - 1).astype("float32")
    dense = EdgePopup.of(layers.Dense)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            dense(100, activation="relu", kernel_initializer=SignedConstant(seed=1)),
            dense(10, activation="softmax", kernel_initializer=SignedConstant(seed=2)),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10 * 12)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:1500], y[:1500], batch_size=128, epochs=10, verbose=0)
    assert model.evaluate(x[1500:], y[1500:], verbose=0)[1] > 0.7
