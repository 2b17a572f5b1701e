"""Bernoulli supermasks: how masks are drawn, what reaches the scores, and training that can be resumed."""

import keras
import numpy as np
import pytest
from backends import FIT_MODES, fit_as, gradients_of, to_numpy
from sklearn.datasets import load_digits

from train_by_reconnect.layers.bernoulli_mask import BernoulliMask
from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.initializers import SignedConstant

layers = keras.layers


def solved(scores, **arguments):
    """What a layer with the kernel [1, 2, 4, 8] and these scores answers to ones, and the gradient of the scores."""
    layer = BernoulliMask(layers.Dense(1, use_bias=False), seed=1, **arguments)
    layer.build((None, 4))
    layer.kernels[0].assign([[1.0], [2.0], [4.0], [8.0]])
    layer.scores[0].assign(np.reshape(scores, (4, 1)))
    (gradient,), output = gradients_of(lambda: layer(np.ones((1, 4)))[0, 0], layer.scores)
    return float(to_numpy(output)), np.ravel(to_numpy(gradient))


def small_network(**arguments):
    dense = BernoulliMask.of(layers.Dense, **arguments)
    return keras.Sequential([keras.Input((6,)), dense(8, activation="relu"), dense(4, activation="softmax")])


def fit(model, epochs=2, **arguments):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 6)).astype("float32"), rng.integers(0, 4, 24)
    if arguments or not model.compiled:
        model.compile(keras.optimizers.SGD(10.0, momentum=0.9), "sparse_categorical_crossentropy", **arguments)
    model.fit(x, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)


def scores_of(model):
    return [layer.scores[0].numpy() for layer in connectivity_layers(model)]


def test_solved_by_hand():
    # A score of 99 is a probability of 1 in float32, one of -99 is practically 0: the output is 1 + 4 = 5.
    output, gradient = solved([99.0, -99.0, 99.0, -99.0])
    assert output == 5.0
    # The derivative of the probability is at most a unit in the last place of 1, times a kernel of at most 8.
    np.testing.assert_allclose(gradient, 0, atol=8 * 2.0**-23)
    # A score of ln 3 is a probability of 3/4, with the derivative 3/4 * 1/4 = 3/16 of it, whatever is drawn:
    # the gradients are 3/16 times 1, 2, 4 and 8.
    output, gradient = solved([np.log(3)] * 4)
    assert 0 < output < 15  # of this seed, some are kept and some are not
    np.testing.assert_allclose(gradient, [0.1875, 0.375, 0.75, 1.5], rtol=1e-6)


def test_rescaled_by_hand():
    # Two of four are kept, so the factor is 1 / (2/4): 2 * (1 + 4) = 10.
    assert solved([99.0, -99.0, 99.0, -99.0], rescale=True)[0] == 10.0
    # With r the fraction kept, y = sum(w m) / r and dy/dm_j = w_j / r - sum(w m) / (4 r^2) = (w_j - y / 4) / r; a score
    # of 0 has the derivative 1/4 of its probability.
    drawn, _ = solved([0.0] * 4)  # of the same seed: its bits are those of the mask
    kept = int(drawn).bit_count() / 4
    output, gradient = solved([0.0] * 4, rescale=True)
    assert output == pytest.approx(drawn / kept, rel=4 * 2.0**-24)  # four roundings, where a third is no float
    np.testing.assert_allclose(gradient, (np.array([1, 2, 4, 8]) - output / 4) / kept / 4, rtol=1e-6)


def test_nothing_kept_answers_zero():
    output, gradient = solved([-99.0] * 4, rescale=True)
    assert output == 0.0
    assert np.isfinite(gradient).all()


def test_as_often_as_the_probability_says():
    # 10,000 draws each: the standard deviation of a frequency is at most 0.005.
    layer = BernoulliMask(layers.Dense(10_000), seed=0)
    layer.build((None, 3))
    layer.scores[0].assign(np.repeat([[-2.0], [0.0], [1.0]], 10_000, axis=1))
    frequencies = np.mean(to_numpy(layer.factor(layer.scores[0].value)), axis=1)
    np.testing.assert_allclose(frequencies, 1 / (1 + np.exp([2.0, 0.0, -1.0])), atol=0.02)
    assert to_numpy(layer.is_changed(layer.scores[0].value)).mean(axis=1).tolist() == [1.0, 0.0, 0.0]


def test_drawn_anew_and_the_same_again_under_a_seed():
    x = np.ones((1, 6), "float32")
    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        model = small_network()
        outputs.append([*(model.predict(x, verbose=0) for _ in range(3)), to_numpy(model(x))])
    np.testing.assert_array_equal(*outputs)
    assert len(np.unique(np.concatenate(outputs[0]), axis=0)) == 4
    first, second = (layer.seed_generator.state.numpy()[0] for layer in connectivity_layers(model))
    assert first != second


def test_two_kernels_of_a_layer_draw_differently():
    layer = BernoulliMask(layers.SeparableConv1D(30, 30, use_bias=False), seed=0)
    layer.build((None, 40, 30))
    depthwise, pointwise = (np.ravel(to_numpy(layer.factor(scores.value))) for scores in layer.scores)
    assert (depthwise != pointwise).any()


@pytest.mark.parametrize("mode", [*FIT_MODES, "mixed"])
def test_training_moves_scores_alone_and_the_seed_goes_on(mode):
    if mode == "mixed":
        keras.config.set_dtype_policy("mixed_float16")
    model = small_network(rescale=True, seed=5)
    kernels = [layer.kernels[0] for layer in connectivity_layers(model)]
    initial = [kernel.numpy() for kernel in kernels]
    fit(model, **fit_as(mode))
    for layer, kernel, before in zip(connectivity_layers(model), kernels, initial, strict=True):
        np.testing.assert_array_equal(kernel, before)
        assert np.abs(layer.scores[0].numpy()).max() > 0
        assert layer.seed_generator.state.numpy().tolist() == [5, 6]  # one mask in each of 2 * 24 / 8 steps


def test_a_run_in_parts_equals_a_run_in_full(tmp_path):
    model = small_network(seed=5)
    fit(model, epochs=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        fit(each, epochs=2)
    for one, other in zip(scores_of(model), scores_of(loaded), strict=True):
        np.testing.assert_array_equal(one, other)
    loaded.save_weights(tmp_path / "end.weights.h5")
    other = small_network(seed=6)
    other.load_weights(tmp_path / "end.weights.h5")
    np.testing.assert_array_equal(*(to_numpy(each(np.ones((1, 6)))) for each in (other, loaded)))


def test_configuration():
    layer = BernoulliMask(layers.Dense(3), seed=4, rescale=True)
    again = BernoulliMask.from_config(layer.get_config())
    assert (again.seed, again.rescale) == (4, True)


@pytest.mark.slow
def test_learns_digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 8 - 1).astype("float32")
    dense = BernoulliMask.of(layers.Dense)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            dense(100, activation="relu", kernel_initializer=SignedConstant(seed=1)),
            dense(10, activation="softmax", kernel_initializer=SignedConstant(seed=2)),
        ]
    )
    model.compile(keras.optimizers.SGD(100.0, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:1500], y[:1500], batch_size=125, epochs=10, verbose=0)
    assert np.mean([model.evaluate(x[1500:], y[1500:], verbose=0)[1] for _ in range(3)]) > 0.7
