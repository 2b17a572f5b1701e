import collections
import math

import keras
import numpy as np
import pytest
from backends import only_on

import models
from scripts.rich import backward_time
from scripts.rich.backward_time import StepTime, step_times
from scripts.rich.compiled import forward_pass, gradients_of, train_step
from scripts.running.interleaved import interleaved
from train_by_reconnect import LayerwiseTraining, TopAndBottom, trainable_layers

layers = keras.layers
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
Y = np.array([0, 1, 1, 0])


class Machine:
    """A clock, and functions that take as long as they are told: one list of seconds each, call by call."""

    def __init__(self):
        self.now, self.called = 0.0, []

    def clock(self):
        return self.now

    def function(self, name, *seconds):
        left = list(seconds)

        def call(*arguments):
            self.called.append(name)
            self.now += left.pop(0)

        return call


def network(optimizer="adam"):
    keras.utils.set_random_seed(1)
    parts = [layers.Dense(3, name="bottom"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2)]
    model = keras.Sequential([keras.Input((3,)), *parts, layers.Softmax()])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def test_subtraction_and_medians_by_hand(monkeypatch):
    # Three rounds; the first call of each, of 100 s, is the compilation. Forward: 2, 3, 10 s. With the gradients of
    # all layers: 5, 5, 14 s, so 3, 2 and 4 s more, the median being 3, and not 5 - 3. Of the top: 2.5, 3.25, 10.75 s,
    # so 0.5, 0.25, 0.75 more: 0.5. Whole steps: the medians of 7, 6, 20 and of 4, 5, 3.
    machine, full, top = Machine(), (0, 1), (1,)
    named = {6: full, 2: top}  # by the number of variables: kernel and bias, and of the bottom also gamma and beta
    backward = {full: (5, 5, 14), top: (2.5, 3.25, 10.75)}
    step = {full: (7, 6, 20), top: (4, 5, 3)}
    monkeypatch.setattr(backward_time, "forward_pass", lambda model, batch: machine.function("forward", 100, 2, 3, 10))
    monkeypatch.setattr(
        backward_time,
        "gradients_of",
        lambda model, batch, those: machine.function(
            ("backward", named[len(those)]), 100, *backward[named[len(those)]]
        ),
    )
    monkeypatch.setattr(
        backward_time,
        "train_step",
        lambda model, batch, those: machine.function(("step", named[len(those)]), 100, *step[named[len(those)]]),
    )
    found = step_times(network(), [full, top, full], X, Y, rounds=3, clock=machine.clock)
    assert found == {full: StepTime(3, 7), top: StepTime(0.5, 4)}
    # In one run, each as often as the others, and in turn.
    names = ["forward", ("backward", full), ("backward", top), ("step", full), ("step", top)]
    assert [machine.called[start : start + 5] for start in range(0, 20, 5)] == [
        names,
        names,
        names[1:] + names[:1],
        names[2:] + names[:2],
    ]
    gradients_alone = step_times(network(), [top], X, Y, rounds=3, whole_steps=False, clock=machine.clock)
    assert gradients_alone[top].backward == 0.5
    assert math.isnan(gradients_alone[top].step)


def test_every_round_calls_every_function():
    machine = Machine()
    found = interleaved({"a": machine.function("a", 9, 1, 2), "b": machine.function("b", 9, 3, 4)}, 2, machine.clock)
    assert found == {"a": [1, 2], "b": [3, 4]}
    assert "".join(machine.called) == "ababba"


def needed_operations(function):
    """How many operations of each type what the function returns depends on: the others are not run."""
    waiting = [tensor.op for tensor in function.graph.outputs]
    needed = {}
    while waiting:
        operation = waiting.pop()
        if operation.name not in needed:
            needed[operation.name] = operation.type
            waiting += [tensor.op for tensor in operation.inputs]
    return collections.Counter(needed.values())


@only_on("tensorflow", "its graph says which operations are run")
def test_what_is_below_the_lowest_layer_is_not_differentiated():
    import tensorflow as tf

    # VGG-5 has 10 convolutions, then 2 dense layers. The gradient of a kernel is one operation; the error passes
    # through each convolution above the lowest that is trained, by another. For the top 4 layers, 2 of them
    # convolutions: 2 kernels, 1 passage. In the middle: kernels 2 to 10, passages through 3 to 10.
    model = models.vgg5((16, 16, 1), width=1 / 64)
    model.compile("adam", "sparse_categorical_crossentropy")
    of_layer = [variables for _, variables in trainable_layers(model)]
    batch = tf.zeros((2, 16, 16, 1)), tf.zeros(2, "int64")
    for trained, kernels, passages in (
        (tuple(range(12)), 10, 9),
        ((11,), 0, 0),
        ((8, 9, 10, 11), 2, 1),
        ((0, 11), 1, 9),
        (tuple(range(1, 11)), 9, 8),
    ):
        variables = [variable for index in trained for variable in of_layer[index]]
        found = needed_operations(gradients_of(model, batch, variables))
        assert (found["Conv2DBackpropFilter"], found["Conv2DBackpropInput"]) == (kernels, passages)
        assert found["Conv2D"] == 10


def test_the_model_and_its_optimizer_are_given_back_as_they_were():
    model = network()
    model.fit(X, Y, verbose=0)
    before = [keras.ops.convert_to_numpy(each).copy() for each in (*model.variables, *model.optimizer.variables)]
    found = step_times(model, [(0, 1), (1,)], X, Y, rounds=1)
    assert set(found) == {(0, 1), (1,)}
    after = [keras.ops.convert_to_numpy(each) for each in (*model.variables, *model.optimizer.variables)]
    assert all(map(np.array_equal, before, after))


def test_gradients_by_hand():
    # Of the loss -log p of the first of two classes, both of which have p = 1/2: p - 1 and p for their biases, and
    # regularized by the square of the kernel, which is 0 but for one weight of 3: 2 * 3 for that. Inputs are 0.
    model = keras.Sequential([keras.Input((1,)), layers.Dense(2, activation="softmax", kernel_regularizer="l2")])
    model.layers[0].kernel_regularizer.l2 = 1.0
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.set_weights([np.array([[3.0, 0.0]]), np.zeros(2)])
    batch = keras.ops.zeros((4, 1)), keras.ops.zeros(4, "int32")
    dense = model.layers[0]
    loss, (of_bias, of_kernel) = gradients_of(model, batch, [dense.bias, dense.kernel])(*batch)
    expected = np.log(2) + 9
    for found in (loss, forward_pass(model, batch)(*batch)):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found), expected, rtol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(of_bias), [-0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(of_kernel), [[6.0, 0.0]], atol=1e-6)


@pytest.mark.parametrize("top", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_step_is_that_of_a_layer_wise_training(top):
    def with_decay():
        model = network(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True))
        model.layers[2].rate = 0.0
        for variable in model.trainable_variables:
            variable.regularizer = keras.regularizers.L2(0.1)
        return model

    fitted, stepped = with_decay(), with_decay()
    callback = LayerwiseTraining(TopAndBottom(top=top))
    fitted.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[callback])
    batch = keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y)
    train_step(stepped, batch, stepped.trainable_variables[-2 if top == 1 else 0 :])(*batch)
    for expected, found in zip(fitted.get_weights(), stepped.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
