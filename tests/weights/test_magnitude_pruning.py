"""Magnitude pruning: exactly how many and which weights, and zeros that stay zero in further training."""

import functools

import keras
import numpy as np
import pytest
from backends import FIT_MODES, fit_as
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from train_by_reconnect import KeepZeros, LaPerm, Lookahead, prune_by_magnitude, sparsify

layers, optimizers = keras.layers, keras.optimizers


def two_layers(first, second):
    """Dense layers without biases, with these kernels."""
    first, second = np.array(first, "float32"), np.array(second, "float32")
    model = dense_layers(*first.shape, second.shape[1])
    model.set_weights([first, second])
    return model


@functools.cache
def dense_layers(inputs, *units):
    return keras.Sequential([keras.Input((inputs,)), *(layers.Dense(size, use_bias=False) for size in units)])


def small_network():
    return keras.Sequential(
        [
            keras.Input((6, 2)),
            layers.Conv1D(4, 3),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(3, kernel_constraint=keras.constraints.MaxNorm(0.5), bias_initializer="normal"),
        ]
    )


def fit(model, *callbacks, epochs=2):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 6, 2)).astype("float32"), rng.normal(size=(32, 3)).astype("float32")
    model.fit(x, y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks))


def kernels(model):
    return [model.layers[0].kernel, model.layers[3].kernel]


def zeros(model):
    return [kernel.numpy() == 0 for kernel in kernels(model)]


def test_solved_by_hand():
    # The magnitudes of the first kernel are 4 3 2 1 and those of the second 5 6.
    first, second = [[4.0, -3.0], [2.0, -1.0]], [[-5.0], [6.0]]
    model = two_layers(first, second)
    # Half of each: 2 of 4 and 1 of 2.
    assert [report.zeros for report in prune_by_magnitude(model, 0.5)] == [2, 1]
    np.testing.assert_array_equal(model.get_weights()[0], [[4, -3], [0, 0]])
    np.testing.assert_array_equal(model.get_weights()[1], [[0], [6]])
    # Half of the network: 3 of 6, all of the first layer.
    model = two_layers(first, second)
    assert [report.sparsity for report in prune_by_magnitude(model, 0.5, scope="network")] == [0.75, 0.0]
    np.testing.assert_array_equal(model.get_weights()[0], [[4, 0], [0, 0]])
    # Of the network without the output 3/4 are 3 of 4; of the output itself a half, 1 of 2.
    model = two_layers(first, second)
    assert [r.zeros for r in prune_by_magnitude(model, 0.75, scope="network", output_sparsity=0.5)] == [3, 1]
    np.testing.assert_array_equal(model.get_weights()[1], [[0], [6]])


@settings(deadline=None, max_examples=12)
@given(st.data())
def test_as_many_as_asked_and_the_first_of_equals(data):
    weights = st.sampled_from([0.5, -0.5, 1.0, -1.0, 1.5, 2.0])
    first = np.array(data.draw(st.lists(weights, min_size=12, max_size=12))).reshape(4, 3)
    second = np.array(data.draw(st.lists(weights, min_size=6, max_size=6))).reshape(3, 2)
    sparsity, scope = data.draw(st.floats(0, 1)), data.draw(st.sampled_from(["layer", "network"]))
    model = two_layers(first, second)
    reports = prune_by_magnitude(model, sparsity, scope=scope)
    before = np.concatenate([first.ravel(), second.ravel()])
    after = np.concatenate([kernel.ravel() for kernel in model.get_weights()])
    parts = [slice(0, 12), slice(12, 18)] if scope == "layer" else [slice(0, 18)]
    for part in parts:
        count = round(sparsity * len(before[part]))
        expected = before[part].copy()
        expected[sorted(range(len(expected)), key=lambda i: (abs(expected[i]), i))[:count]] = 0
        np.testing.assert_array_equal(after[part], expected)
    assert sum(report.zeros for report in reports) == np.sum(after == 0)


def test_only_kernels_are_pruned():
    model = small_network()
    before = {variable.path: variable.numpy() for variable in model.variables}
    reports = prune_by_magnitude(model, 0.5)
    pruned = {kernel.path for kernel in kernels(model)}
    assert {report.path for report in reports} == pruned
    for variable in model.variables:
        assert (variable.path in pruned) == bool((variable.numpy() != before[variable.path]).any()), variable.path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sparsity": 1.1}, "`sparsity` is a fraction.*Received: sparsity=1.1"),
        ({"sparsity": 0.5, "output_sparsity": -1}, "`output_sparsity` is a fraction.*Received: output_sparsity=-1"),
        ({"sparsity": 0.5, "scope": "global"}, "`scope` must be.*Received: scope='global'"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        prune_by_magnitude(small_network(), **arguments)


@pytest.mark.parametrize("mode", [*FIT_MODES, "mixed"])
def test_zeros_stay_whatever_the_momentum(mode):
    if mode == "mixed":
        keras.config.set_dtype_policy("mixed_float16")
    model = small_network()
    model.compile(optimizers.SGD(0.05, momentum=0.9, weight_decay=0.01), "mse", **fit_as(mode))
    fit(model, epochs=1)  # it has momentum, and a compiled step, of a training without zeros
    prune_by_magnitude(model, 0.6)
    before, pruned = [kernel.numpy() for kernel in kernels(model)], zeros(model)
    during = []
    fit(model, KeepZeros(), keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: during.append(zeros(model))))
    for stage in (*during, zeros(model)):
        for is_zero, still in zip(pruned, stage, strict=True):
            np.testing.assert_array_equal(is_zero, still)
    for kernel, old, is_zero in zip(kernels(model), before, pruned, strict=True):
        assert (kernel.numpy() != old)[~is_zero].all()
    # The constraint of the dense layer was applied too, and is what remains.
    assert np.linalg.norm(kernels(model)[1], axis=0).max() < 0.5 + 1e-3
    assert kernels(model)[0].constraint is None
    assert kernels(model)[1].constraint is model.layers[3].kernel_constraint
    fit(model, epochs=1)
    assert not any(now.any() for now in zeros(model))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optimizers.AdamW(0.01, use_ema=True),
        lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
        lambda: Lookahead(optimizers.Adam(0.01), sync_period=3),
    ],
    ids=["moving averages", "accumulation", "Lookahead"],
)
def test_zeros_stay_with_any_optimizer(optimizer):
    model = small_network()
    sparsify(model, 0.5, seed=0)
    pruned = zeros(model)
    model.compile(optimizer(), "mse", run_eagerly=True)
    fit(model, KeepZeros())
    for is_zero, still in zip(pruned, zeros(model), strict=True):
        np.testing.assert_array_equal(is_zero, still)


def test_weights_restored_at_the_beginning_have_the_zeros():
    model = small_network()
    model.compile("adam", "mse")
    prune_by_magnitude(trained := small_network(), 0.5)
    restore = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: model.set_weights(trained.get_weights()))
    fit(model, KeepZeros(), restore)
    for is_zero, still in zip(zeros(trained), zeros(model), strict=True):
        np.testing.assert_array_equal(is_zero, still)


def test_laperm_is_refused():
    model = small_network()
    model.compile(optimizers.LossScaleOptimizer(LaPerm("adam")), "mse")
    with pytest.raises(ValueError, match=r"leaves weights where they are\. Received: 'laperm'"):
        fit(model, KeepZeros())


@pytest.mark.slow
def test_pruned_network_learns_digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 8 - 1).astype("float32")
    model = keras.Sequential(
        [keras.Input((64,)), layers.Dense(100, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])

    def train(*callbacks):
        model.fit(x[:1500], y[:1500], batch_size=128, epochs=5, verbose=0, callbacks=list(callbacks))
        return model.evaluate(x[1500:], y[1500:], verbose=0)[1]

    train()
    prune_by_magnitude(model, 0.9, output_sparsity=0.45)
    assert train(KeepZeros()) > 0.8
    assert [np.mean(kernel == 0) for kernel in model.get_weights()[::2]] == [0.9, 0.45]
