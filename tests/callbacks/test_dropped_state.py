"""Layer-wise training that frees the state of the optimizer for the layers that it does not train."""

import keras
import numpy as np
import pytest
from backends import current, only_on
from test_layerwise import TOP, Alternate, changed, fit, network, values_of

from train_by_reconnect import LaPerm, LayerwiseTraining, MiddleOnly, RandomUniform, SyncEvaluation
from train_by_reconnect.optimizers.fresh_state import slots_of

X, Y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
PARTS = ["bottom", "middle", "top"]
OPTIMIZERS = {
    "adam": (keras.optimizers.Adam(amsgrad=True), 3),
    "adamw": (keras.optimizers.AdamW(use_ema=True), 2),
    "sgd": (keras.optimizers.SGD(momentum=0.9), 1),
    "plain sgd": (keras.optimizers.SGD(), 0),
    "adagrad": (keras.optimizers.Adagrad(initial_accumulator_value=0.5), 1),
    "rmsprop": (keras.optimizers.RMSprop(centered=True), 2),
    "ftrl": (keras.optimizers.Ftrl(), 2),
    "nadam": (keras.optimizers.Nadam(), 2),
    "adafactor": (keras.optimizers.Adafactor(), 3),
}


def drop(*draws):
    return LayerwiseTraining(Alternate(*draws), state="drop")


def held(model):
    """The layers for which the optimizer holds state."""
    slots = slots_by_layer(model)
    return [name for name in PARTS if all(np.prod(np.shape(each)) for each in slots[name])]


def slots_by_layer(model):
    variables = current(model).optimizer.variables
    return {name: [v.numpy() for v in variables if v.path.split("/")[-1].startswith(f"{name}_")] for name in PARTS}


class Watch(keras.callbacks.Callback):
    """What is held after each step."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(held(self.model))


def test_what_is_held_solved_by_hand():
    # Two steps an epoch: of all layers, of the top and the bottom, of the middle, of the top; after `fit` all is there.
    model, watch = network(), Watch()
    fit(model, drop(None, (0, 2), (1,), (2,)), watch, epochs=4)
    assert watch.seen == [PARTS, PARTS, *[["bottom", "top"]] * 2, *[["middle"]] * 2, *[["top"]] * 2]
    assert held(model) == PARTS
    slots = slots_by_layer(model)
    assert not any(values.any() for name in ("bottom", "middle") for values in slots[name])
    assert all(values.any() for values in slots["top"])


def test_state_starts_anew_as_in_a_new_optimizer():
    # The middle is trained first, then the top, then the middle: with "drop" its last epoch is that of an optimizer
    # without its state, with "keep" it goes on. Adam's count of steps goes on in both.
    dropped, kept, anew = network(), network(), network()
    draws = (1,), (2,), (1,)
    fit(dropped, drop(*draws), epochs=3)
    fit(kept, LayerwiseTraining(Alternate(*draws)), epochs=3)
    fit(anew, LayerwiseTraining(Alternate(*draws[:2])), epochs=2)
    assert not any(changed(anew.get_weights()[:2], kept.get_weights()[:2]))
    for variable in anew.optimizer.variables:
        if variable.path.split("/")[-1].startswith("middle_"):
            variable.assign(keras.ops.zeros(variable.shape))
    fit(anew, LayerwiseTraining(Alternate(draws[2])), initial_epoch=2, epochs=3)
    assert not any(changed(anew.get_weights(), dropped.get_weights()))
    assert any(changed(kept.get_weights(), dropped.get_weights()))
    assert int(dropped.optimizer.iterations) == 6


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_one_set_of_layers_is_the_same_with_both(optimizer):
    dropped, kept = (network(keras.optimizers.get(optimizer)) for _ in range(2))
    fit(dropped, LayerwiseTraining(MiddleOnly(), state="drop"), epochs=2)
    fit(kept, LayerwiseTraining(MiddleOnly()), epochs=2)
    assert not any(changed(dropped.get_weights(), kept.get_weights()))
    assert not any(changed(values_of(dropped.optimizer.variables), values_of(kept.optimizer.variables)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_of_each_optimizer_is_found_and_starts_as_a_new_one(name):
    # The shapes are such that Adafactor keeps what it factors; its count is of the kernel's rows, columns and whole.
    optimizer, count = OPTIMIZERS[name]
    optimizer = type(optimizer).from_config(optimizer.get_config())
    variables = [keras.Variable(np.ones((4, 3), "float32"), name="kernel"), keras.Variable(np.ones(3), name="bias")]
    optimizer.build(variables)
    found = slots_of(optimizer)
    assert len(found[0]) == count
    for slots in found:
        for variable, first in slots:
            assert np.all(variable.numpy() == first)
    averages = getattr(optimizer, "_model_variables_moving_average", [])
    named = {id(variable) for slots in found for variable, _ in slots}
    assert named.isdisjoint(map(id, averages))
    others = [v for v in optimizer.variables if id(v) not in named and not any(v is each for each in averages)]
    assert all(v.shape == () for v in others)


def test_state_that_starts_from_the_weights_is_refused():
    with pytest.raises(
        ValueError, match=r"starts without a trace of it. Received: optimizer=.*Use e.g. Adam, or state"
    ):
        fit(network(keras.optimizers.ScheduleFreeAdamW()), drop((2,)))


@pytest.mark.parametrize("save", ["whole", "weights"])
def test_a_model_saved_on_the_way_can_be_loaded(save, tmp_path):
    path = tmp_path / {"whole": "model.keras", "weights": "model.weights.h5"}[save]

    class Save(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 3:
                (self.model.save if save == "whole" else self.model.save_weights)(path)
                self.weights = self.model.get_weights()

    model, saving, watch = network(), Save(), Watch()
    fit(model, drop((2,), (1,)), saving, watch, epochs=2)
    loaded = keras.models.load_model(path) if save == "whole" else network()
    if save == "weights":
        loaded.optimizer.build(loaded.trainable_variables)
        loaded.load_weights(path)
    assert not any(changed(saving.weights, loaded.get_weights()))
    assert int(loaded.optimizer.iterations) == 3
    slots = slots_by_layer(loaded)
    assert [name for name in PARTS if any(values.any() for values in slots[name])] == ["middle"]
    assert watch.seen[-1] == ["middle"]  # freed again in the next step
    fit(loaded)


def test_a_resumed_training_goes_on_as_it_would_have(tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def layerwise():
        return LayerwiseTraining(RandomUniform(), seed=3, state="drop")

    whole = network()
    fit(whole, layerwise(), epochs=4)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fit(network(), layerwise(), backup, Interrupt(), epochs=4)
    resumed = network()
    fit(resumed, layerwise(), backup, epochs=4)
    assert not any(changed(whole.get_weights(), resumed.get_weights()))


@pytest.mark.parametrize("train", ["fit", "train_on_batch"])
@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
def test_after_an_exception_all_layers_can_be_trained(hook, train):
    def fail(*_, **__):
        raise KeyboardInterrupt

    model = network()
    with pytest.raises(KeyboardInterrupt):
        fit(model, drop((2,)), keras.callbacks.LambdaCallback(**{hook: fail}))
    before = model.get_weights()
    fit(model) if train == "fit" else model.train_on_batch(X, Y[:, :1])
    assert all(changed(before, model.get_weights()))
    assert held(model) == PARTS
    left = {"make_train_function", "save_own_variables", "load_own_variables"}
    assert not left & (vars(model).keys() | vars(model.optimizer).keys())


def test_train_on_batch_on_the_way_trains_all_layers():
    model, watch = network(), Watch()
    step = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: current(model).train_on_batch(X, Y[:, :1])
    )
    before = model.get_weights()
    fit(model, drop((2,)), watch, step)
    assert all(changed(before, model.get_weights()))
    assert watch.seen == [["top"], ["top"]]


def test_beside_laperm_and_its_evaluation():
    model, watch = network(LaPerm("adam", sync_period=2)), Watch()
    start = model.get_weights()
    evaluation = SyncEvaluation({"train": (X, Y[:, :1])}, ["mse"], before=True)
    fit(model, drop((2,), (0,)), evaluation, watch, epochs=2)
    assert [row["step"] for row in evaluation.rows] == [2, 2, 4, 4]
    assert watch.seen == [["top"]] * 2 + [["bottom"]] * 2
    for old, new in zip(start[::2], model.get_weights()[::2], strict=True):
        np.testing.assert_array_equal(np.sort(old, 0), np.sort(new, 0))


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model, watch = network(), Watch()
    fit(model, drop((2,), (1,)), watch, epochs=2)
    assert watch.seen == [["top"]] * 2 + [["middle"]] * 2


@pytest.mark.parametrize("how", [{"run_eagerly": True}, {"jit_compile": True}])
@only_on("tensorflow jax", "its compiler is slow, and sees nothing of the freed state")
def test_eager_and_compiled(how):
    model, watch = network(**how), Watch()
    fit(model, drop((2,), (1,)), watch, epochs=2)
    assert watch.seen == [["top"]] * 2 + [["middle"]] * 2


@only_on("tensorflow", "its strategies")
def test_several_devices_of_tensorflow_are_refused():
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["cpu:0"]).scope():
        model = network()
    with pytest.raises(
        ValueError, match=r"on one device. Received: a model under a `tf.distribute.Strategy`. Use state"
    ):
        fit(model, LayerwiseTraining(TOP, state="drop"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LayerwiseTraining(TOP, state="free"), r"`state` must be \"keep\" or \"drop\". Received: state='free'"),
        (
            lambda: LayerwiseTraining(TOP, per="step", state="drop"),
            r"anew at nearly every step. Received: per=\"step\"",
        ),
        (
            lambda: fit(network(LaPerm("adam", reset_inner_state=True)), LayerwiseTraining(TOP, state="drop")),
            r"that `LaPerm\(reset_inner_state=True\)` would set. Received: optimizer=LaPerm.*Use one of the two",
        ),
    ],
)
def test_errors(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_it_says_so():
    assert repr(LayerwiseTraining(TOP, state="drop")).endswith('per epoch, seed=0, state="drop": 0 epochs>')


@only_on("jax", "its state outside the variables")
def test_nothing_else_holds_the_memory():
    # What lives of the freed slots' shape while the next step runs: nothing. Of 7 x 5 there is the kernel, its two
    # slots, and what a step needs.
    import jax

    inputs = keras.Input((7,))
    model = keras.Model(inputs, keras.layers.Dense(1, name="top")(keras.layers.Dense(5, name="wide")(inputs)))
    model.compile("adam", "mse")
    counts = []

    def count(batch, logs):
        counts.append(sum(each.shape == (7, 5) and not each.is_deleted() for each in jax.live_arrays()))

    look = keras.callbacks.LambdaCallback(on_train_batch_end=count)
    callback = LayerwiseTraining(Alternate(None, (1,)), state="drop")
    model.fit(np.ones((8, 7)), np.ones((8, 1)), batch_size=4, epochs=2, verbose=0, callbacks=[callback, look])
    assert counts == [3, 3, 1, 1]
