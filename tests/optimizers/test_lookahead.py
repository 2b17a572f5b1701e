import json

import keras
import numpy as np
import pytest
from backends import MODES, SLOW_TO_COMPILE, applying

from train_by_reconnect import Lookahead


def test_solved_by_hand():
    # SGD of 1.0, gradient always 1, k = 2, half of the way, from 3.0:
    # fast 3 -> 2 -> 1, slow 3 + 0.5 * (1 - 3) = 2, so fast 1 -> 2; then 2 -> 1 -> 0, slow 2 + 0.5 * (0 - 2) = 1.
    weight = keras.Variable(3.0)
    optimizer = Lookahead(keras.optimizers.SGD(1.0), sync_period=2)
    weights = []
    for _ in range(4):
        optimizer.apply([keras.ops.convert_to_tensor(1.0)], [weight])
        weights.append(float(weight.numpy()))
    assert weights == [2.0, 2.0, 1.0, 1.0]
    assert (int(optimizer.iterations), optimizer.last_sync) == (4, 4)


@pytest.mark.parametrize("mode", MODES)
def test_tensorflow_addons(mode, fixtures_directory):
    with np.load(fixtures_directory / "lookahead_tfa.npz") as file:
        recorded = {key: file[key] for key in file.files}
    meta = json.loads(recorded["meta"].item())
    variables = [keras.Variable(recorded[f"init{i}"], name=f"w{i}") for i in range(3)]
    adam = keras.optimizers.Adam(meta["lr"], meta["b1"], meta["b2"], meta["eps"])
    optimizer = Lookahead(adam, meta["sync_period"], meta["slow_step_size"])
    optimizer.build(variables)
    step = applying(optimizer, variables, mode)
    for t in range(30):
        step([keras.ops.convert_to_tensor(recorded[f"grads{i}"][t]) for i in range(3)])
        for i, variable in enumerate(variables):
            # Where two numbers near 1 cancel, a difference of their last bits remains.
            np.testing.assert_allclose(variable.numpy(), recorded[f"traj{i}"][t], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("slow_step_size", "expected"), [(0.0, 3.0), (0.25, 2.5), (1.0, 1.0), (1, 1.0)])
def test_slow_step_size(slow_step_size, expected):
    weight = keras.Variable(3.0)
    optimizer = Lookahead(keras.optimizers.SGD(1.0), sync_period=2, slow_step_size=slow_step_size)
    for _ in range(2):
        optimizer.apply([keras.ops.convert_to_tensor(1.0)], [weight])
    assert float(weight.numpy()) == expected


@pytest.mark.parametrize("slow_step_size", [-0.1, 1.1, float("nan"), "half", None])
def test_slow_step_size_out_of_range(slow_step_size):
    with pytest.raises(ValueError, match=r"number from 0 to 1. Received: slow_step_size=.* Pass e.g."):
        Lookahead("adam", slow_step_size=slow_step_size)


def test_every_trainable_variable_takes_part():
    norm, dense = keras.layers.BatchNormalization(), keras.layers.Dense(2)
    model = keras.Sequential([keras.Input((3,)), norm, dense])
    optimizer = Lookahead("sgd", slow_step_size=0.5)
    optimizer.build(model.trainable_variables)
    optimizer.recapture()
    norm.moving_mean.assign(norm.moving_mean + 1)
    before = [variable.numpy() for variable in model.trainable_variables]
    for variable in model.trainable_variables:
        variable.assign(variable + 1)
    optimizer.synchronize()
    assert len(before) == 4  # gamma, beta, kernel, bias
    for variable, start in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_allclose(variable.numpy(), start + 0.5, rtol=1e-6)
    assert (norm.moving_mean.numpy() == 1).all()


def test_frozen_weights_stay():
    frozen, free = keras.layers.Dense(2), keras.layers.Dense(2)
    model = keras.Sequential([keras.Input((3,)), frozen, free])
    optimizer = Lookahead("sgd", slow_step_size=0.5)
    optimizer.build(model.trainable_variables)
    optimizer.recapture()
    start = free.kernel.numpy()
    for layer in (frozen, free):
        layer.kernel.assign(layer.kernel + 1)
    frozen.trainable = False
    moved = frozen.kernel.numpy()
    optimizer.synchronize()
    np.testing.assert_array_equal(frozen.kernel.numpy(), moved)
    np.testing.assert_allclose(free.kernel.numpy(), start + 0.5, rtol=1e-6)
    frozen.trainable = True  # its slow weight is where it stood, so nothing pulls it back
    optimizer.synchronize()
    np.testing.assert_array_equal(frozen.kernel.numpy(), moved)


def test_recapture():
    weight = keras.Variable(3.0)
    optimizer = Lookahead("sgd", slow_step_size=0.5)
    optimizer.build([weight])
    weight.assign(7.0)
    optimizer.recapture()
    weight.assign(9.0)
    optimizer.synchronize()
    assert float(weight.numpy()) == 8.0  # half of the way from 7 to 9


@pytest.mark.parametrize("mode", ["graph", pytest.param("jit", marks=SLOW_TO_COMPILE)])
def test_fit_does_not_hide_divergence(mode):
    # An average with NaN is NaN: nothing has to be told here.
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(Lookahead("sgd", sync_period=2), loss="mse", jit_compile=mode == "jit")
    history = model.fit(np.ones((8, 3)), np.full((8, 2), np.nan), batch_size=2, verbose=0)
    assert np.isnan(history.history["loss"]).all()
    assert np.isnan(model.layers[0].kernel.numpy()).all()
