"""What optimizers keep, by names of Keras that are not public."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import keras


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """The learning rate as the optimizer keeps it: a variable, a schedule or a function, not its present value."""
    return optimizer._learning_rate


def moving_averages(optimizer: keras.optimizers.Optimizer, *default: Any) -> list[keras.Variable]:
    """The moving averages of the weights; like `getattr`, the default or an AttributeError where there are none."""
    return getattr(optimizer, "_model_variables_moving_average", *default)


def serialized(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """The config of an optimizer for a file that every backend can read.

    With PyTorch, Keras writes the module of that backend, which no other has.
    """
    config = keras.saving.serialize_keras_object(optimizer)
    name = config["class_name"]
    if config["module"].startswith("keras.src.backend.") and hasattr(keras.optimizers, name):
        config |= {"module": "keras.optimizers", "registered_name": None}
    return config


@contextlib.contextmanager
def untracked() -> Iterator[None]:
    """Let lists of variables be set as attributes without becoming the state of who has them."""
    from keras.src.utils.tracking import DotNotTrackScope

    with DotNotTrackScope():
        yield


def known_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables that an optimizer was built for, in the order of the gradients that it takes without them."""
    return list(optimizer._trainable_variables)


def know_variables(optimizer: keras.optimizers.Optimizer, variables: Iterable[keras.Variable]) -> None:
    """Let an optimizer be built for these variables without making any state, as a wrapper has an inner one for it."""
    optimizer.__dict__["_trainable_variables"] = list(variables)  # `SwapEMAWeights` looks there
    optimizer.built = True
