"""What the backward pass of some layers costs, the forward pass apart, and what a whole step of them costs."""

import contextlib
import dataclasses
import statistics
import time

import keras

from scripts.rich.compiled import forward_pass, gradients_of, train_step
from scripts.running.device import wait_for
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
    these layers, less what it takes to compute the loss. Both are compiled, but on PyTorch, and below the lowest layer
    of the set nothing is differentiated. All functions are called in turn, round after round, so that a slow moment of
    the machine meets them alike; a time is the median of the rounds, that of a backward pass the median of the
    differences within a round. On a machine with other work it may be below 0 for the top layer alone, whose gradient
    costs next to nothing.

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
    batch = keras.ops.convert_to_tensor(images), keras.ops.convert_to_tensor(labels)
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


def _waited_for(function, batch):
    """The function called with the batch, until the device has done all of it."""
    return lambda: wait_for(function(*batch))


@contextlib.contextmanager
def _kept(model):
    """Give the model and its optimizer their values back afterwards."""
    variables = [*model.variables, *model.optimizer.variables]
    values = [keras.ops.convert_to_numpy(variable) for variable in variables]
    yield
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
