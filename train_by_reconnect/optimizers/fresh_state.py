"""The state of an optimizer as it is in a new one, for forgetting what it has learned."""

import re
from typing import Any

import keras
import numpy as np
from keras import ops

from train_by_reconnect.backend import keras_optimizers
from train_by_reconnect.optimizers.wrapper import OptimizerWrapper
from train_by_reconnect.weights.variables import path_of


def slots_of(optimizer: keras.optimizers.Optimizer) -> list[list[tuple[keras.Variable, float]]]:
    """For each variable that a built optimizer knows, what it keeps for it, and the number that this starts with.

    A new optimizer, built for small variables of the same dimensions, says both: which of its state is for which, by
    the names, and how it starts. Moving averages of the weights are left out.

    Raises:
        ValueError: the optimizer keeps something that starts with no one number, or other state for small variables.
    """
    variables = keras_optimizers.known_variables(optimizer)
    small = [
        keras.Variable(1 + np.arange(2 ** len(v.shape)).reshape((2,) * len(v.shape)), dtype=v.dtype, name=f"small_{i}_")
        for i, v in enumerate(variables)
    ]
    fresh = type(optimizer).from_config(optimizer.get_config())
    fresh.build(small)
    averages = set(map(id, keras_optimizers.moving_averages(fresh, [])))
    slots: list[list[tuple[keras.Variable, float]]] = [[] for _ in variables]
    fits = len(fresh.variables) == len(optimizer.variables)
    for variable, new in zip(optimizer.variables, fresh.variables, strict=False):
        found = re.match(r"small_(\d+)_", new.name)
        if found and id(new) not in averages:
            first = ops.convert_to_numpy(new)
            fits = fits and len(variable.shape) == len(new.shape) and bool((first == first.flat[0]).all())
            slots[int(found[1])].append((variable, first.flat[0]))
    if not fits:
        raise ValueError(
            '`state="drop"` needs an optimizer whose state for each weight starts without a trace of it. Received: '
            f'optimizer={optimizer!r}. Use e.g. Adam, or state="keep".'
        )
    return slots


def state_to_reset(
    optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]
) -> tuple[list[keras.Variable], list[Any]]:
    """Build an optimizer, and give its state apart from rate and moving averages, and the number that each starts with.

    An optimizer that keeps copies of the weights, which start with no one number, is refused.
    """
    fresh = optimizer
    if optimizer.built or int(optimizer.iterations.numpy()):  # it may have been trained
        fresh = type(optimizer).from_config(optimizer.get_config())
    fresh.build(variables)
    optimizer.build(variables)
    kept = set(map(id, [keras_optimizers.learning_rate_of(fresh), *keras_optimizers.moving_averages(fresh, [])]))
    both = zip(optimizer.variables, fresh.variables, strict=True)
    pairs = [(variable, ops.convert_to_numpy(first)) for variable, first in both if id(first) not in kept]
    for variable, first in pairs:
        if isinstance(optimizer, OptimizerWrapper) or (first != first.flat[:1]).any():
            raise ValueError(
                "`reset_inner_state` needs an inner optimizer whose state starts without a trace of the weights. "
                f"Received: inner_optimizer={optimizer!r}, whose {path_of(variable)} does not. Use e.g. Adam, or "
                "reset_inner_state=False."
            )
    return [variable for variable, _ in pairs], [first.flat[0] for _, first in pairs]
