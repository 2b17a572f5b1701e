"""Variables without a value, of another shape, or left out of training, by names of Keras that are not public."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

_WITHOUT_VALUES = "uninitialized_variables"  # where Keras lists variables that wait for a value


def made_without_values(make: Callable[[], Any]) -> tuple[Any, list[keras.Variable]]:
    """Call a function that makes layers, whose variables get a shape and no value; returned are both.

    So nothing is allocated that a file only claims to need. Each variable must be given a value before it is used.
    """
    from keras.src.backend.common import global_state

    others = global_state.get_global_attribute(_WITHOUT_VALUES)
    global_state.set_global_attribute(_WITHOUT_VALUES, [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            made = make()
        return made, list(global_state.get_global_attribute(_WITHOUT_VALUES))
    finally:
        global_state.set_global_attribute(_WITHOUT_VALUES, others)


def give_value(variable: keras.Variable, value: Any = None) -> None:
    """Give a variable that was made without one its value, or without any that of its initializer."""
    if value is not None:
        variable._initializer = lambda shape, dtype=None: keras.ops.convert_to_tensor(value, dtype)
    variable._deferred_initialize()


def set_shape(variable: keras.Variable, shape: tuple[int, ...]) -> None:
    """Let a variable say that it has another shape than it was made with; its value must be set to one of it."""
    variable._shape, variable._ndim = shape, len(shape)


@contextlib.contextmanager
def not_trainable(variables: Iterable[keras.Variable]) -> Iterator[None]:
    """Take variables out of the steps that are run, or compiled, meanwhile, where a step asks what is trainable."""
    # Keras' own flag decides what `trainable_variables` are; that of TensorFlow's variable, which Keras does not change
    # with it, whether a tape records what is computed from it, and so how far a backward pass goes. PyTorch's follows.
    flagged = [(each, each.trainable, getattr(each._value, "_trainable", None)) for each in variables]
    try:
        for variable, _, of_tensorflow in flagged:
            variable.trainable = False
            if of_tensorflow is not None:
                variable._value._trainable = False
        yield
    finally:
        for variable, was_trainable, of_tensorflow in flagged:
            variable.trainable = was_trainable
            if of_tensorflow is not None:
                variable._value._trainable = of_tensorflow
