"""A `fit` that an exception ends leaves a model that trains as if the callbacks had never been there."""

import keras
import numpy as np
import pytest

from train_by_reconnect import KeepZeros, LaPerm, LayerwiseTraining, SyncEvaluation, TopAndBottom, sparsify

X, Y = np.random.default_rng(0).normal(size=(2, 16, 4)).astype("float32")
MAKE = {
    "layerwise": lambda: LayerwiseTraining(TopAndBottom(top=1)),
    "zeros": KeepZeros,
    "evaluation": lambda: SyncEvaluation({"train": (X, Y)}, ["mse"], before=True),
}
HOOKS = ["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"]


def network(name, **compiled):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(6), keras.layers.Dense(4)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    sparsify(model, 0.5, seed=0)
    optimizer = LaPerm(keras.optimizers.Adam(0.05), sync_period=2, final_sync=False) if name == "evaluation" else "sgd"
    model.compile(optimizer, "mse", **{"run_eagerly": True, **compiled})
    model.optimizer.build(model.trainable_variables)
    return model


def fit(model, *callbacks, **arguments):
    model.fit(X, Y, batch_size=4, verbose=0, shuffle=False, callbacks=list(callbacks), **arguments)


def interrupting(hook):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    return keras.callbacks.LambdaCallback(**{hook: interrupt})


def train_by_fit(model):
    fit(model)


def train_by_batches(model):
    for start in range(0, 16, 4):
        model.train_on_batch(X[start : start + 4], Y[start : start + 4])


@pytest.mark.parametrize("train", [train_by_fit, train_by_batches])
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", MAKE)
def test_what_follows_is_a_plain_training(name, hook, train):
    interrupted, plain = network(name), network(name)
    with pytest.raises(KeyboardInterrupt):
        fit(interrupted, MAKE[name](), interrupting(hook))
    assert all(layer.kernel.constraint is None for layer in interrupted.layers)
    # The same state in a model that never saw the callback, which must train on in the same way.
    plain.set_weights(interrupted.get_weights())
    for variable, value in zip(plain.optimizer.variables, interrupted.optimizer.variables, strict=True):
        variable.assign(value)
    for model in (interrupted, plain):
        train(model)
    assert all(map(np.array_equal, interrupted.get_weights(), plain.get_weights()))
    assert all(variable.trainable for variable in interrupted.trainable_variables)


def test_in_graph_mode_and_with_another_callback():
    # The bottom is trained again, and the new callback is asked as if it were the first.
    model = network("evaluation", run_eagerly=False)
    layerwise, evaluation = MAKE["layerwise"](), MAKE["evaluation"]()
    with pytest.raises(KeyboardInterrupt):
        fit(model, layerwise, interrupting("on_train_batch_begin"))
    before = model.get_weights()
    fit(model, evaluation)
    assert [row["step"] for row in evaluation.rows] == [2, 2, 4, 4]
    assert all(not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True))
    before = model.get_weights()
    fit(model, layerwise)
    assert all(map(np.array_equal, before[:2], model.get_weights()[:2]))


def test_zeros_of_the_next_training_are_those_that_it_finds():
    model, keep = network("zeros", run_eagerly=False), KeepZeros()
    with pytest.raises(KeyboardInterrupt):
        fit(model, keep, interrupting("on_train_batch_end"))
    fit(model)
    assert all(kernel.all() for kernel in model.get_weights()[::2])
    sparsify(model, 0.75, seed=1)
    are_zero = [kernel == 0 for kernel in model.get_weights()[::2]]
    fit(model, keep)
    assert all(np.array_equal(kernel == 0, now) for kernel, now in zip(model.get_weights()[::2], are_zero, strict=True))


def test_no_epoch_at_all():
    for name, make in MAKE.items():
        model = network(name)
        before = model.get_weights()
        fit(model, make(), epochs=5, initial_epoch=5)
        assert all(map(np.array_equal, before, model.get_weights()))
