"""The state of an optimizer as it is in a new one, for forgetting what it has learned."""

from typing import Any

import keras
from keras import ops

from train_by_reconnect.backend import keras_internals
from train_by_reconnect.optimizers.wrapper import OptimizerWrapper
from train_by_reconnect.weights.variables import path_of


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
    kept = set(map(id, [keras_internals.learning_rate_of(fresh), *keras_internals.moving_averages(fresh, [])]))
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
