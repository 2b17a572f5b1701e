"""A training kept in its connectivity files, and how two of them differ."""

import keras
import numpy as np
import pytest
from backends import several_steps_at_once, to_numpy

from train_by_reconnect import (
    ConnectivityFiles,
    LaPerm,
    SyncEveryEpoch,
    connectivity_diff,
    connectivity_history,
    connectivity_model,
    draw_initial_weights,
    load_connectivity,
    save_connectivity,
    strip,
)

X = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
Y = np.random.default_rng(1).normal(size=(20, 2)).astype("float32")


def network():
    layers = [keras.layers.Dense(9, name="first"), keras.layers.Dense(2, name="second")]
    return keras.Sequential([keras.Input((6,)), *layers])


def same(one, other):
    return all(map(np.array_equal, one.get_weights(), other.get_weights()))


class Watch(keras.callbacks.Callback):
    """The weights after every step that synchronizes, by the clock alone."""

    def __init__(self):
        super().__init__()
        self.seen = {}

    def on_train_batch_end(self, batch, logs=None):
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        step = int(self.model.optimizer.iterations.numpy())
        if step % 2 == 0:
            self.seen[step] = [each.copy() for each in self.model.get_weights()]


@pytest.mark.parametrize("has_rule", [True, False])
def test_every_synchronization_is_a_file(has_rule, tmp_path):
    model, watch = network(), Watch()
    if has_rule:
        draw_initial_weights(model, seed=3)
    start = [each.copy() for each in model.get_weights()]
    model.compile(LaPerm(keras.optimizers.Adam(0.05), sync_period=2), "mse")
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[ConnectivityFiles(tmp_path / "kept"), watch])
    found = dict(connectivity_history(tmp_path / "kept"))
    # Five steps: the start, after two and four, and the final synchronization.
    assert list(found) == [0, 2, 4, 5]
    assert (tmp_path / "kept" / "initial.tbr").exists() != has_rule
    expected = {0: start, **watch.seen, 5: model.get_weights()}
    for step, weights in expected.items():
        assert all(map(np.array_equal, found[step].get_weights(), weights)), step
    model.fit(X, Y, batch_size=4, verbose=0, callbacks=[ConnectivityFiles(tmp_path / "kept")])
    assert [step for step, _ in connectivity_history(tmp_path / "kept")] == [0, 2, 4, 5, 7, 9, 10]


def test_synchronizations_of_another_callback(tmp_path):
    model = network()
    draw_initial_weights(model, seed=3)
    model.compile(LaPerm(keras.optimizers.Adam(0.05), sync_period=None), "mse")
    callbacks = [ConnectivityFiles(tmp_path), SyncEveryEpoch()]
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=callbacks)
    found = dict(connectivity_history(tmp_path))
    assert list(found) == [0, 5, 10]
    assert same(found[10], model)


def test_masks_at_the_end_of_epochs(tmp_path):
    plain = network()
    rule = draw_initial_weights(plain, seed=3)
    model = connectivity_model(plain, "prune", seed=0)
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[ConnectivityFiles(tmp_path, rule)])
    found = dict(connectivity_history(tmp_path))
    assert list(found) == [0, 5, 10]
    assert same(found[10], strip(model))
    assert not same(found[0], found[10])


@several_steps_at_once
def test_synchronizations_that_nobody_sees(tmp_path):
    model = network()
    draw_initial_weights(model, seed=3)
    model.compile(LaPerm(keras.optimizers.Adam(0.05), sync_period=2), "mse", steps_per_execution=5)
    with pytest.raises(ValueError, match="Choose `steps_per_execution` so that it divides"):
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[ConnectivityFiles(tmp_path)])


def test_what_is_no_training_of_connections(tmp_path):
    model = network()
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="needs a training by permutation, masks or signs"):
        model.fit(X, Y, verbose=0, callbacks=[ConnectivityFiles(tmp_path)])
    with pytest.raises(ValueError, match="There must be files of a training"):
        next(connectivity_history(tmp_path))


def test_diff_by_hand(tmp_path):
    # Two weight vectors of 4; in the first three weights go round, in the second none moves: 3 of 8 places.
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    initial = np.array([[1, 5], [2, 6], [3, 7], [4, 8]], "float32")
    model.layers[0].kernel.assign(initial)
    save_connectivity(model, tmp_path / "start.tbr", "stored")
    save_connectivity(model, tmp_path / "a.tbr", tmp_path / "start.tbr")
    model.layers[0].kernel.assign(np.array([[2, 5], [3, 6], [1, 7], [4, 8]], "float32"))
    model.layers[0].bias.assign([0.0, 1.0])
    save_connectivity(model, tmp_path / "b.tbr", tmp_path / "start.tbr")
    kernel, bias = connectivity_diff(tmp_path / "a.tbr", tmp_path / "b.tbr")
    assert (kernel.how, kernel.size, kernel.changed) == ("permuted", 8, 3)
    # log2(8 choose 3 = 56) + log2 3! = 8.39, less than for a new order of both, 2 log2 4! = 9.17.
    assert kernel.bits == pytest.approx(np.log2(56 * 6))
    assert (bias.changed, bias.bits) == (1, 64)
    assert [each.changed for each in connectivity_diff(tmp_path / "b.tbr", tmp_path / "b.tbr")] == [0, 0]
    assert sum(each.bits for each in connectivity_diff(tmp_path / "b.tbr", tmp_path / "b.tbr")) == 0


def test_diff_of_masks_and_of_ties(tmp_path):
    plain = network()
    rule = draw_initial_weights(plain, seed=3)
    model = connectivity_model(plain, "flip", seed=0)
    save_connectivity(model, tmp_path / "a.tbr", rule)
    scores = model.layers[0].scores[0]
    scores.assign(to_numpy(scores) * np.where(np.arange(54).reshape(6, 9) < 5, -1, 1))
    save_connectivity(model, tmp_path / "b.tbr", rule)
    first = connectivity_diff(tmp_path / "a.tbr", tmp_path / "b.tbr")[0]
    assert first.changed == 5
    assert first.bits == pytest.approx(np.log2(3_162_510))  # 54 choose 5
    assert same(load_connectivity(tmp_path / "b.tbr"), strip(model))


def test_networks_of_other_seeds_do_not_differ_in_connections_only(tmp_path):
    for seed in (1, 2):
        model = network()
        draw_initial_weights(model, seed=seed)
        save_connectivity(model, tmp_path / f"{seed}.tbr")
    with pytest.raises(ValueError, match="must come from the same initial weights"):
        connectivity_diff(tmp_path / "1.tbr", tmp_path / "2.tbr")
