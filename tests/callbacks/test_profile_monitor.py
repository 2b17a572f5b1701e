import math

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from train_by_reconnect import LaPerm, ProfileMonitor, compare_profiles, profile_similarity

X = np.random.default_rng(0).standard_normal((24, 5)).astype("float32")
Y = X[:, :2] @ np.ones((2, 1), "float32")
NAMES = ["profile_plain", "profile_standardized", "profile_distance", "profile_rank_moved", "profile_sign_flips"]


def network(optimizer="adam"):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(6, name="hidden"), keras.layers.Dense(1, name="out")]
    model = keras.Sequential([keras.Input((5,)), *layers], name="net")
    model.compile(optimizer, "mse")
    return model


def fit(model, *callbacks, epochs=4, **arguments):
    return model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks), **arguments).history


def test_one_step_by_hand():
    # As in test_ranking_monitor: the weights 1 2 3 become 1 2 0. Sorted each is 1 away from what it was, and the
    # deviation of 1 2 3 is sqrt(2 / 3). All ranks moved, no sign. One weight vector is like itself: no answer.
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False, name="only")], name="net")
    model.layers[0].kernel.assign([[1.0], [2.0], [3.0]])
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    monitor = ProfileMonitor()
    history = model.fit(np.array([[0.0, 0.0, 1.0]]), np.array([[0.0]]), verbose=0, callbacks=[monitor]).history
    # The step is computed in float32, of numbers near 1.
    assert history["profile_distance"] == pytest.approx([math.sqrt(3 / 2)], rel=1e-6)
    assert (history["profile_rank_moved"], history["profile_sign_flips"]) == ([1], [0])
    assert math.isnan(history["profile_plain"][0])
    assert list(monitor.history[0]["kernels"]) == ["net/only/kernel"]


def test_it_agrees_with_what_is_measured_of_the_whole_models():
    model = network()
    before = keras.models.clone_model(model)
    before.set_weights(model.get_weights())
    monitor = ProfileMonitor(max_units=None)
    fit(model, monitor)
    for row in compare_profiles(before, model).rows:
        measured = monitor.history[-1]["kernels"][row["name"].replace(before.name, "net")]
        for name in ("profile_distance", "rank_moved", "sign_flips"):
            assert measured[name] == pytest.approx(row[name], rel=1e-6)
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel)
    assert measured.keys() == {"plain", "standardized", "profile_distance", "rank_moved", "sign_flips"}
    hidden = monitor.history[-1]["kernels"]["net/hidden/kernel"]
    assert hidden["plain"] == pytest.approx(profile_similarity(kernel.T).plain, rel=1e-6)


def test_every_n_epochs_and_a_training_that_goes_on():
    model, monitor = network(), ProfileMonitor("hidden", every=2)
    history = fit(model, monitor, epochs=5)
    assert [row["epoch"] for row in monitor.history] == [1, 3]
    assert [len(history[name]) for name in NAMES] == [2] * 5
    fit(model, monitor, epochs=6, initial_epoch=5)
    assert [row["epoch"] for row in monitor.history] == [1, 3, 5]
    # Since the beginning of the first: the same weights as in one training.
    distances = [row["kernels"]["net/hidden/kernel"]["profile_distance"] for row in monitor.history]
    assert distances == sorted(distances)
    fit(network(), monitor, epochs=2)
    assert [row["epoch"] for row in monitor.history] == [1]


def test_laperm_leaves_the_profile_and_moves_the_ranks():
    # 3 steps an epoch, synchronized after each: the values are those of the beginning.
    monitor = ProfileMonitor("hidden")
    history = fit(network(LaPerm(keras.optimizers.Adam(0.1), sync_period=3)), monitor)
    assert history["profile_distance"] == [0] * 4
    assert history["profile_rank_moved"][-1] > 0


def test_some_of_the_vectors_always_the_same():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(50)])
    model.compile("sgd", "mse")
    monitor = ProfileMonitor(max_units=4)
    model.fit(X, np.zeros((24, 50)), epochs=2, verbose=0, callbacks=[monitor])
    assert [rows.shape for rows in monitor._first] == [(4, 5)]
    with pytest.raises(ValueError, match="max_units=1"):
        ProfileMonitor(max_units=1)
    with pytest.raises(ValueError, match=r"in epochs. Received: every=0"):
        ProfileMonitor(every=0)
    with pytest.raises(ValueError, match="nothing"):
        fit(network(), ProfileMonitor("nothing"))


def test_weights_that_are_not_finite_have_no_answer():
    model, monitor = network(keras.optimizers.SGD(1e30)), ProfileMonitor()
    history = fit(model, monitor, epochs=2)
    assert all(math.isnan(history[name][-1]) for name in NAMES)
    assert repr(monitor) == "<ProfileMonitor, every=1: 2 epochs>"


def test_tensorboard(tmp_path):
    fit(network(), ProfileMonitor("hidden", every=2, log_dir=tmp_path))
    [events] = tmp_path.glob("events*")
    read = EventAccumulator(str(events)).Reload()
    tags = {(event.step, tag) for tag in read.Tags()["tensors"] for event in read.Tensors(tag)}
    assert {(step, f"net/hidden/kernel/profile/{name}") for step in (1, 3) for name in ("plain", "rank_moved")} <= tags
