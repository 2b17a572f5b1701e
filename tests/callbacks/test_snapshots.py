import keras
import numpy as np
import pytest
from backends import several_steps_at_once

from train_by_reconnect import KernelSnapshots, LaPerm, weight_profiles

X, Y = np.random.default_rng(0).random((20, 4), "float32"), np.ones((20, 3), "float32")


def model_with(optimizer, **more):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
    model.compile(optimizer=optimizer, loss="mse", **more)
    return model


def fit(model, snapshots, **more):
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[snapshots], **more)  # 5 steps an epoch


def test_one_step_of_gradient_descent_by_hand():
    # One weight w = 2 at x = 1 with target 0: the loss is w^2, its gradient 2 w = 4, and 2 - 0.25 * 4 = 1; then 0.5.
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, name="single")])
    model.set_weights([np.array([[2.0]])])
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="mse")
    snapshots = KernelSnapshots("single")
    model.fit(np.ones((2, 1)), np.zeros((2, 1)), batch_size=1, verbose=0, callbacks=[snapshots])
    assert snapshots.steps == [0, 1, 2]
    assert [rows.tolist() for rows in snapshots.rows] == [[[2.0]], [[1.0]], [[0.5]]]


@pytest.mark.parametrize(("every", "expected"), [(1, [*range(11)]), (4, [0, 4, 8, 10]), (50, [0, 10])])
def test_steps(every, expected):
    snapshots = KernelSnapshots("dense", every)
    fit(model_with("sgd"), snapshots, epochs=2)
    assert snapshots.steps == expected


@several_steps_at_once
def test_several_steps_in_a_call():
    snapshots = KernelSnapshots("dense", 3)
    fit(model_with("sgd", steps_per_execution=2), snapshots, epochs=2)
    assert snapshots.steps == [0, 4, 7, 9, 10]  # calls end at 2, 4, 5, 7, 9, 10


def test_the_last_snapshot_is_after_the_final_synchronization():
    model = model_with(LaPerm(keras.optimizers.SGD(0.1), sync_period=3))
    snapshots = KernelSnapshots("dense")
    fit(model, snapshots)
    assert snapshots.steps == [0, 1, 2, 3, 4, 5]
    profiles = [np.sort(rows, axis=1) for rows in snapshots.rows]
    same = [np.array_equal(profile, profiles[0]) for profile in profiles]
    assert same == [True, False, False, True, False, True]
    np.testing.assert_array_equal(snapshots.rows[-1], model.get_weights()[0].T)


def test_a_second_fit_goes_on():
    model, snapshots = model_with("sgd"), KernelSnapshots("dense", 5)
    fit(model, snapshots)
    fit(model, snapshots)
    assert snapshots.steps == [0, 5, 10]


def test_the_callback_changes_nothing():
    weights = []
    for callbacks in ([], [KernelSnapshots("dense")]):
        keras.utils.set_random_seed(0)
        model = model_with("adam")
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=callbacks)
        weights.append(model.get_weights()[0])
    np.testing.assert_array_equal(*weights)


def test_bad_input():
    with pytest.raises(ValueError, match=r"`every` must be an integer of at least 1, .* Received: every=0"):
        KernelSnapshots("dense", every=0)
    with pytest.raises(ValueError, match=r"Received: .*sense"):
        fit(model_with("sgd"), KernelSnapshots("sense"))
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.LSTM(3, name="lstm")])
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    with pytest.raises(ValueError, match=r"must name one kernel. Received: layer='lstm', which has 2"):
        model.fit(np.ones((2, 4, 2)), np.ones((2, 3)), verbose=0, callbacks=[KernelSnapshots("lstm")])
    snapshots = KernelSnapshots(weight_profiles(model)[1].name)
    model.fit(np.ones((2, 4, 2)), np.ones((2, 3)), verbose=0, callbacks=[snapshots])
    assert snapshots.rows[0].shape == (12, 3)
