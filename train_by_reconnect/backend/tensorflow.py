"""What is done with TensorFlow itself; the other modules use Keras only."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from train_by_reconnect.backend import keras_internals
from train_by_reconnect.backend.diverged import diverged_message
from train_by_reconnect.backend.row_ranking import permute_to_ranking, sort_rows
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.backend.types import Axes, Tensor

# Weights of a kernel that is moved together with others.
_SMALL = 1 << 16

# Out of the graph of a train step that is being traced, into eager mode, where values can be read and kept.
outside_graph = tf.init_scope


def are_initialized(variables: Sequence[keras.Variable]) -> bool:
    """Whether every variable can be read now: not while the first step of a model that was never built is traced."""
    return all(bool(_value_of(variable).is_initialized()) for variable in variables)


def _value_of(variable: keras.Variable | tf.Variable) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable


def keeps_in_step() -> bool:
    """Whether a step can itself keep the initial weights: not within XLA, where sorting them costs every step."""
    return not keras_internals.is_in_xla()


def fail_when_run(message: str) -> None:
    """Put an error into the graph being traced, for a trace that must never be run."""
    tf.debugging.Assert(False, [message])


def assign_if(
    condition: Tensor, variables: Sequence[keras.Variable], function: Callable[[list[Tensor]], list[Tensor]]
) -> None:
    """Give variables the new values that a function makes of their present ones, where a condition holds.

    Where it does not, they are neither read nor copied. The condition is a bool or a bool scalar tensor.
    """

    def assign(values: list[Tensor]) -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def present() -> list[Tensor]:
        return [tf.convert_to_tensor(_value_of(variable)) for variable in variables]

    def assign_new() -> Tensor:
        assign(function(present()))
        return condition

    # Several replicas must meet to assign, which they cannot do inside a condition: there values come out of it.
    if keras_internals.replicas_meet_to_assign():
        kept = present()
        assign(tf.cond(condition, lambda: function(kept), lambda: kept))
    else:
        tf.cond(tf.convert_to_tensor(condition), assign_new, lambda: condition)


def permute_all(
    kernels: list[Tensor], unit_axes: Sequence[Axes], sorted_rows: Sequence[Tensor], names: Sequence[str]
) -> tuple[list[Tensor], Tensor]:
    """Permute the sorted weight vectors of every kernel into the ranking of its present ones.

    Without XLA and without a GPU one call of NumPy sorts everything, several times faster than `tf.argsort`; otherwise
    the graph sorts.

    Args:
        kernels: list of tensors of any shape, the present weights.
        unit_axes: list of tuples of ints, the axes of each that number the neurons.
        sorted_rows: list of tensors (units, size of a weight vector), every row in ascending order.
        names: list of str, the paths of the variables, for the error.

    Returns:
        Pair: list of tensors of the shapes of `kernels`; int64 scalar, -1 or the index of the first kernel that is
        not finite. Such a kernel is given back as it is.

    Raises:
        tf.errors.InvalidArgumentError, eagerly a ValueError: a weight is NaN or infinite; names the variable. Within
            XLA nothing can be raised; the second result says it.
    """
    none = tf.constant(-1, tf.int64)
    if not kernels:
        return [], none
    finite = tf.stack([tf.reduce_all(tf.math.is_finite(kernel)) for kernel in kernels])
    first = tf.argmin(tf.cast(finite, tf.int32), output_type=tf.int64)
    if not keras_internals.is_in_xla():
        check = _fail_unless(tf.reduce_all(finite), first, list(map(diverged_message, names)))
        with tf.control_dependencies([] if check is None else [check]):
            kernels = [tf.identity(kernel) for kernel in kernels]
    groups = _group(kernels, unit_axes)
    rows = [_stacked_rows([kernels[i] for i in group], unit_axes[group[0]]) for group in groups]
    values = [tf.concat([sorted_rows[i] for i in group], axis=0) for group in groups]
    rows = _permute_on_host(rows, values) if can_call_host() else list(map(_permute_by_argsort, rows, values))
    permuted = [None] * len(kernels)
    for group, new in zip(groups, rows, strict=True):
        for i, kernel in zip(group, _unstacked(new, kernels[group[0]].shape, unit_axes[group[0]]), strict=True):
            permuted[i] = kernel
    if not keras_internals.is_in_xla():
        return permuted, none
    permuted = [tf.where(finite[i], new, old) for i, (new, old) in enumerate(zip(permuted, kernels, strict=True))]
    return permuted, tf.where(tf.reduce_all(finite), none, first)


def _fail_unless(condition: Tensor, index: Tensor, messages: list[str]) -> tf.Operation | None:
    """Fail with one of several messages and nothing else: a function of NumPy that fails adds its call stack, twice."""
    if tf.executing_eagerly():
        if not condition:
            raise ValueError(messages[int(index)])
        return None
    return tf.debugging.Assert(condition, [tf.gather(tf.constant(messages), index)])


def sort_all(kernels: list[Tensor], unit_axes: Sequence[Axes]) -> list[Tensor]:
    """The sorted weight vectors of every kernel, as rows, equal values in their order.

    Args:
        kernels: list of tensors of any shape.
        unit_axes: list of tuples of ints, the axes of each that number the neurons.

    Returns:
        List of tensors (units, size of a weight vector), every row in ascending order.
    """
    rows = [to_rows(kernel, axes) for kernel, axes in zip(kernels, unit_axes, strict=True)]
    if not can_call_host():
        return [tf.gather(row, tf.argsort(_keys(row), axis=1, stable=True), batch_dims=1) for row in rows]

    def sort(*arrays: np.ndarray) -> list[np.ndarray | np.int64]:
        return [*map(sort_rows, arrays), np.int64(0)]  # of a single answer TensorFlow makes no list

    answers = tf.numpy_function(sort, rows, [*(row.dtype for row in rows), tf.int64], stateful=False)
    return [tf.ensure_shape(new, row.shape) for new, row in zip(answers[:-1], rows, strict=True)]


def _group(kernels: Sequence[Tensor], unit_axes: Sequence[Axes]) -> list[list[int]]:
    """Groups of indices: small kernels of one shape, dtype and axes together, each large one alone.

    A deep network has many small kernels, and moving each by itself costs more than sorting it. Stacking a large one
    would cost a copy.
    """
    groups: dict[Any, list[int]] = {}
    for index, (kernel, axes) in enumerate(zip(kernels, unit_axes, strict=True)):
        alike = (tuple(kernel.shape), tuple(axes), kernel.dtype)
        groups.setdefault(alike if kernel.shape.num_elements() <= _SMALL else index, []).append(index)
    return list(groups.values())


def _stacked_rows(kernels: list[Tensor], axes: Axes) -> Tensor:
    if len(kernels) == 1:
        return to_rows(kernels[0], axes)
    return to_rows(tf.stack(kernels), _stacked_axes(kernels[0].shape, axes))


def _unstacked(rows: Tensor, shape: Axes, axes: Axes) -> list[Tensor]:
    units = math.prod(shape[axis] for axis in axes)
    count = rows.shape[0] // units
    if count == 1:
        return [from_rows(rows, shape, axes)]
    return tf.unstack(from_rows(rows, (count, *shape), _stacked_axes(shape, axes)))


def _stacked_axes(shape: Axes, axes: Axes) -> Axes:
    return (0, *(axis % len(shape) + 1 for axis in axes))


def can_call_host() -> bool:
    """Whether the step being traced can call NumPy, which sorts fastest on a CPU: not within XLA or beside a GPU."""
    return not keras_internals.is_in_xla() and not tf.config.list_logical_devices("GPU")


def _permute_on_host(rows: list[Tensor], values: list[Tensor]) -> list[Tensor]:
    def permute(*arrays: np.ndarray) -> list[np.ndarray | np.int64]:
        permuted = map(permute_to_ranking, arrays[: len(rows)], arrays[len(rows) :])
        return [*permuted, np.int64(0)]  # of a single answer TensorFlow makes no list

    answers = tf.numpy_function(permute, [*rows, *values], [*(r.dtype for r in rows), tf.int64], stateful=False)
    return [tf.ensure_shape(new, row.shape) for new, row in zip(answers[:-1], rows, strict=True)]


def _permute_by_argsort(rows: Tensor, sorted_rows: Tensor) -> Tensor:
    """One argsort and its inverse: the inverse of "where is the r-th smallest" is "which rank is here"."""
    units, size = rows.shape
    positions = tf.argsort(_keys(rows), axis=1, stable=True)
    starts = tf.range(0, units * size, size)[:, tf.newaxis]
    ranking = tf.math.invert_permutation(tf.reshape(positions + starts, [-1]))
    return tf.reshape(tf.gather(tf.reshape(sorted_rows, [-1]), ranking), rows.shape)


def _keys(rows: Tensor) -> Tensor:
    """Integers in the order of floats, as NumPy makes them: some devices sort -0.0 before 0.0, or zero subnormals."""
    integer = {2: tf.int16, 4: tf.int32, 8: tf.int64}[rows.dtype.size]
    bits = tf.cast(tf.bitcast(rows, integer), tf.int64 if integer is tf.int64 else tf.int32)
    magnitude = tf.bitwise.bitwise_and(bits, tf.constant(integer.max, bits.dtype))
    return tf.where(bits < 0, -magnitude, magnitude)
