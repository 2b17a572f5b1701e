"""What layer-wise training relies on where Keras lets trainability be changed without another `compile`.

Keras' maintainers discuss what that may do (its pull requests 22104, 22787 and 22939): each test here says what breaks
when they decide otherwise. Warnings are errors in all of them.
"""

import keras
import numpy as np
import pytest
from backends import only_on

from train_by_reconnect import LayerwiseTraining, TopAndBottom, backend
from train_by_reconnect.backend import keras_training, keras_variables

X, Y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")


def network():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(4, name="bottom"), keras.layers.Dense(3, name="top")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def fit(model, *callbacks):
    before = model.get_weights()
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=list(callbacks))
    return [not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)]


def bottom_of(model):
    return model.get_layer("bottom").trainable_variables


def test_flags_decide_at_once_what_is_trainable():
    model = network()
    everything = model.trainable_variables
    with keras_variables.not_trainable(bottom_of(model)):
        assert list(map(id, model.trainable_variables)) == list(map(id, everything[2:])), (
            "Model.trainable_variables no longer follow the flags of the variables: a step would train frozen layers"
        )
    assert list(map(id, model.trainable_variables)) == list(map(id, everything))


def test_a_toggle_between_two_fits_leaves_no_trace():
    # Whether a step was compiled before or not: flags that are back as they were are no change, and warn of none.
    toggled, plain = network(), network()
    for is_compiled in (False, True):
        with keras_variables.not_trainable(bottom_of(toggled)):
            pass
        fit(toggled)
        fit(plain)
        assert all(map(np.array_equal, toggled.get_weights(), plain.get_weights())), is_compiled


@only_on("tensorflow", "a compiled step that has the flags inside")
def test_a_compiled_step_does_not_look_at_flags_again():
    # If it did, the own function of the model would do, and no function need be compiled for each set of layers.
    model = network()
    fit(model)
    with keras_variables.not_trainable(bottom_of(model)):
        assert all(fit(model)), "a compiled step of TensorFlow follows the flags now: `TrainSteps` could be simpler"


@only_on("jax", "a state that is sorted by the flags")
def test_flags_sort_the_state_of_a_step():
    # Why `frozen` leaves the flags alone on JAX: what `fit` holds and what the optimizer was built for would differ.
    model = network()
    with keras_variables.not_trainable(bottom_of(model)), pytest.raises(ValueError, match="trainable variables"):
        fit(model)


@only_on("torch", "a step that is not compiled")
def test_a_step_looks_at_flags_each_time():
    model = network()
    fit(model)
    with keras_variables.not_trainable(bottom_of(model)):
        assert fit(model) == [False, False, True, True]


def test_a_step_made_anew_follows_the_flags():
    model = network()
    fit(model)

    class Frozen(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            keras_training.make_train_function(self.model)

    with backend.frozen(model, bottom_of(model)):
        assert fit(model, Frozen()) == [False, False, True, True], (
            "a train function that is made while variables are frozen trains them: layer-wise training freezes nothing"
        )


def test_an_optimizer_takes_some_of_its_variables():
    model = network()
    fit(model)
    optimizer, top = model.optimizer, model.get_layer("top").trainable_variables
    before = [variable.numpy() for variable in optimizer.variables]
    optimizer.apply([keras.ops.ones(variable.shape) for variable in top], top)
    changed = {
        next(name for name in ("bottom", "top", "iteration") if name in variable.path)
        for variable, old in zip(optimizer.variables, before, strict=True)
        if not np.array_equal(variable.numpy(), old)
    }
    assert changed == {"iteration", "top"}, (
        "an optimizer no longer takes gradients of some of its variables, leaving the state of the others: layer-wise "
        f"training builds it once for all layers. Changed: {changed}"
    )


def test_the_flags_of_the_whole_layer_stay():
    # `layer.trainable = False` would let BatchNormalization use its moving statistics; the flags of variables do not.
    model = network()
    fit(model, LayerwiseTraining(TopAndBottom(top=1)))
    norm = keras.layers.BatchNormalization()
    norm.build((None, 3))
    with keras_variables.not_trainable(norm.trainable_variables):
        assert norm.trainable
        answers = keras.ops.convert_to_numpy(norm(2 * X + 1, training=True))
    # Of 8 examples, with an epsilon of 0.001 beside a variance of about 4: sums of 8 numbers of size 1 in float32.
    np.testing.assert_allclose(answers.mean(axis=0), 0, atol=8 * 3 * np.finfo("float32").eps)
    np.testing.assert_allclose(answers.std(axis=0), 1, atol=0.001)
