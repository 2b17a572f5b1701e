"""Callbacks that act around the train step compose in any order."""

import itertools

import keras
import numpy as np
import pytest
from backends import current, several_steps_at_once

from train_by_reconnect import KeepZeros, LaPerm, LayerwiseTraining, Lookahead, SyncEvaluation, TopAndBottom, sparsify

X, Y = np.random.default_rng(0).normal(size=(2, 16, 4)).astype("float32")
TOP = TopAndBottom(top=1)
MSE = "mean_squared_error"


def network(optimizer="adam", zeros=0.0, **compiled):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(6, name="bottom"), keras.layers.Dense(4, name="top")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    if zeros:
        sparsify(model, zeros, seed=0)
    model.compile(optimizer, "mse", **compiled)
    return model


def fit(model, *callbacks, **arguments):
    arguments = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0, **arguments}  # 4 steps an epoch
    return model.fit(X, Y, callbacks=list(callbacks), **arguments).history


def changed(before, model):
    return [not np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True)]


def zeros(model):
    return [kernel == 0 for kernel in model.get_weights()[::2]]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    "how", [{}, {"run_eagerly": True}, pytest.param({"steps_per_execution": 2}, marks=several_steps_at_once)]
)
def test_layer_wise_training_that_keeps_zeros(order, how):
    model = network(zeros=0.5, **how)
    before, are_zero = model.get_weights(), zeros(model)
    layerwise = LayerwiseTraining(TOP)
    fit(model, *[layerwise, KeepZeros()][::order], **({} if how else {"epochs": 1}))
    assert changed(before, model) == [False, False, True, True]
    assert all(map(np.array_equal, zeros(model), are_zero))
    assert layerwise.history[0]["trained"] == {"bottom": 0.0, "top": 1.0}


def test_three_in_any_order():
    # Four steps an epoch, k = 3: due at 3 and 6.
    ends = []
    for order in itertools.permutations(range(3)):
        model = network(Lookahead("adam", sync_period=3), zeros=0.5, run_eagerly=True)
        before, are_zero = model.get_weights(), zeros(model)
        evaluation = SyncEvaluation({"train": (X, Y)}, [MSE], before=True)
        callbacks = [LayerwiseTraining(TOP), KeepZeros(), evaluation]
        fit(model, *[callbacks[number] for number in order])
        assert [row["step"] for row in evaluation.rows] == [3, 3, 6, 6]
        assert changed(before, model) == [False, False, True, True]
        assert all(map(np.array_equal, zeros(model), are_zero))
        ends.append(model.get_weights())
    for end in ends[1:]:
        assert all(map(np.array_equal, end, ends[0]))


def test_two_evaluations_before_the_same_synchronizations():
    model = network(LaPerm(keras.optimizers.Adam(0.05), sync_period=3))
    first, second = (SyncEvaluation({"train": (X, Y)}, [MSE], before=True) for _ in range(2))
    seen = []
    last_sync = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: seen.append(current(model).optimizer.last_sync)
    )
    fit(model, last_sync, first, second)
    assert [(row["step"], row["when"]) for row in first.rows] == [
        *[(3, "before"), (3, "after"), (6, "before"), (6, "after")],
        (8, "after"),
    ]
    assert second.rows == first.rows
    assert first.rows[0][f"train_{MSE}"] != first.rows[1][f"train_{MSE}"]
    assert seen == [0, 0, 3, 3, 3, 6, 6, 6]  # also a callback that comes first sees synchronized weights
    plain = network(LaPerm(keras.optimizers.Adam(0.05), sync_period=3))
    fit(plain)
    assert not any(changed(plain.get_weights(), model))


def test_two_layer_wise_trainings_train_what_both_do():
    model = network()
    before = model.get_weights()
    fit(model, LayerwiseTraining(TopAndBottom(bottom=2)), LayerwiseTraining(TOP), epochs=1)
    assert changed(before, model) == [False, False, True, True]


def test_a_train_function_that_is_made_anew_on_the_way():
    model = network(run_eagerly=True)
    before = model.get_weights()
    anew = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_, **__: model.make_train_function(force=True))
    fit(model, LayerwiseTraining(TOP), anew, KeepZeros())
    assert changed(before, model) == [False, False, True, True]


def test_a_train_function_that_somebody_wraps_on_the_way():
    model = network(LaPerm("adam", sync_period=3), run_eagerly=True)
    model.make_train_function()
    take_step, calls = model.train_function, []

    def counting(*arguments):
        calls.append(1)
        return take_step(*arguments)

    def wrap(epoch, logs):
        model.train_function = counting

    evaluation = SyncEvaluation({"train": (X, Y)}, [MSE], before=True)
    fit(model, evaluation, keras.callbacks.LambdaCallback(on_epoch_begin=wrap))
    assert len(calls) == 8
    assert [row["step"] for row in evaluation.rows] == [3, 3, 6, 6, 8]
    assert model.train_function is counting


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
@pytest.mark.parametrize("order", [1, -1])
def test_train_on_batch_on_the_way(hook, order):
    # The second of four steps is followed, or begun, by one of all layers; the others train the top only.
    model = network(run_eagerly=True)
    bottom = []

    def train(batch, logs):
        bottom.append(current(model).get_weights()[0])
        if batch == 1:
            model.train_on_batch(X[:4], Y[:4])

    layerwise = LayerwiseTraining(TOP)
    fit(model, *[layerwise, keras.callbacks.LambdaCallback(**{hook: train})][::order], epochs=1)
    bottom.append(model.get_weights()[0])
    moved = [not np.array_equal(*pair) for pair in itertools.pairwise(bottom)]
    assert moved == [False, True, False, False]
    assert layerwise.history == [{"epoch": 0, "trained": {"bottom": 0.0, "top": 1.0}}]
    assert int(model.optimizer.iterations) == 5


def test_train_on_batch_leaves_zeros_that_come_back():
    model = network(zeros=0.5, run_eagerly=True)
    are_zero = zeros(model)
    step = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda *_, **__: current(model).train_on_batch(X[:4], Y[:4])
    )
    fit(model, KeepZeros(), step, epochs=1)
    assert all(map(np.array_equal, zeros(model), are_zero))


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_end"])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("before", [False, True])
def test_a_synchronization_that_another_callback_makes(hook, order, before):
    # k = 100 is never due; the other callback synchronizes after step 4, the last of the first epoch.
    model = network(LaPerm(keras.optimizers.Adam(0.05), sync_period=100), run_eagerly=True)

    def synchronize(*_, **__):
        if int(current(model).optimizer.iterations) == 4:
            model.optimizer.synchronize()

    evaluation = SyncEvaluation({"train": (X, Y)}, [MSE], before=before)
    fit(model, *[keras.callbacks.LambdaCallback(**{hook: synchronize}), evaluation][::order])
    assert [(row["step"], row["when"]) for row in evaluation.rows] == [(4, "after"), (8, "after")]
