"""What the backward pass of some layers costs, the forward pass apart, and what a whole step of them costs."""

import contextlib
import dataclasses
import statistics
import time

import keras
import tensorflow as tf

from scripts.running.interleaved import interleaved, median_difference
from train_by_reconnect import trainable_layers


@dataclasses.dataclass(frozen=True)
class StepTime:
    """Seconds of a training step in which only some layers are trained.

    Args:
        backward: float, of the gradients alone.
        step: float, of the forward pass, the gradients and the update; nan where it was not measured.
    """

    backward: float
    step: float


def step_times(model, sets, images, labels, *, rounds=21, whole_steps=True, clock=time.perf_counter):
    """Measure the backward pass and the whole step of several sets of layers in one run.

    The backward pass of a set is what it takes to compute the loss and its gradients with respect to the variables of
    these layers, less what it takes to compute the loss. Both are compiled, and below the lowest layer of the set
    nothing is differentiated. All functions are called in turn, round after round, so that a slow moment of the machine
    meets them alike; a time is the median of the rounds, that of a backward pass the median of the differences within a
    round. On a machine with other work it may be below 0 for the top layer alone, whose gradient costs next to nothing.

    The model keeps its weights, and its optimizer its state.

    Args:
        model: a compiled `keras.Model`.
        sets: list of tuples of int, the layers as `trainable_layers` counts them, 0 at the bottom.
        images: array, one batch.
        labels: array, as the loss takes them.
        rounds: int, at least 1. Defaults to 21.
        whole_steps: bool, whether to measure the whole steps too. Defaults to `True`.
        clock: function that gives the time in seconds. Defaults to `time.perf_counter`.

    Returns:
        Dict from each set to its `StepTime`.
    """
    of_layer = [variables for _, variables in trainable_layers(model)]
    variables = {each: [variable for index in each for variable in of_layer[index]] for each in sets}
    batch = tf.convert_to_tensor(images), tf.convert_to_tensor(labels)
    functions = {"forward": forward_pass(model, batch)}
    functions |= {("backward", each): gradients_of(model, batch, those) for each, those in variables.items()}
    if whole_steps:
        functions |= {("step", each): train_step(model, batch, those) for each, those in variables.items()}
    with _kept(model):
        measured = interleaved({name: _waited_for(f, batch) for name, f in functions.items()}, rounds, clock)
    return {
        each: StepTime(
            backward=median_difference(measured["backward", each], measured["forward"]),
            step=statistics.median(measured["step", each]) if whole_steps else float("nan"),
        )
        for each in variables
    }


def forward_pass(model, batch):
    """The loss of a batch as a compiled function.

    Args:
        model: a compiled `keras.Model`.
        batch: pair of tensors, images and labels.

    Returns:
        Concrete function of TensorFlow, of such a batch.
    """
    return _compiled(model, batch, lambda images, labels: _loss(model, images, labels))


def gradients_of(model, batch, variables):
    """The loss of a batch and its gradients with respect to some variables, as a compiled function.

    Args:
        model: a compiled `keras.Model`.
        batch: pair of tensors, images and labels.
        variables: list of variables of the model.

    Returns:
        Concrete function of TensorFlow, of such a batch.
    """
    return _compiled(model, batch, lambda images, labels: _gradients(model, variables, images, labels))


def train_step(model, batch, variables):
    """A whole training step of some variables as a compiled function: the loss, its gradients, and the update.

    Args:
        model: a compiled `keras.Model`.
        batch: pair of tensors, images and labels.
        variables: list of variables of the model.

    Returns:
        Concrete function of TensorFlow, of such a batch.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)

    def step(images, labels):
        loss, gradients = _gradients(model, variables, images, labels)
        model.optimizer.apply(gradients, variables)
        return loss

    return _compiled(model, batch, step)


def _loss(model, images, labels):
    return model.compute_loss(images, labels, model(images, training=True))


def _gradients(model, variables, images, labels):
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss = _loss(model, images, labels)
    return loss, tape.gradient(loss, values)


def _compiled(model, batch, function):
    return tf.function(function, jit_compile=bool(model.jit_compile)).get_concrete_function(*batch)


def _waited_for(function, batch):
    """The function called with the batch, until the device has done all of it."""

    def call():
        function(*batch)
        tf.test.experimental.sync_devices()

    return call


@contextlib.contextmanager
def _kept(model):
    """Give the model and its optimizer their values back afterwards."""
    variables = [*model.variables, *model.optimizer.variables]
    values = [keras.ops.convert_to_numpy(variable) for variable in variables]
    yield
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
