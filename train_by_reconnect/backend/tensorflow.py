"""What is done with TensorFlow itself; the other modules use Keras only."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from train_by_reconnect.backend import keras_scopes, keras_variables
from train_by_reconnect.backend.cannot_release import cannot_release_message
from train_by_reconnect.backend.diverged import diverged_message
from train_by_reconnect.backend.row_ranking import permute_if_finite, sort_kernel
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.backend.types import Axes, Tensor

# Out of the graph of a train step that is being traced, into eager mode, where values can be read and kept.
outside_graph = tf.init_scope
# Without AutoGraph, which rewrites all that a traced function calls, NumPy's part too.
as_written = tf.autograph.experimental.do_not_convert


def are_initialized(variables: Sequence[keras.Variable]) -> bool:
    """Whether every variable can be read now: not while the first step of a model that was never built is traced."""
    return all(bool(_value_of(variable).is_initialized()) for variable in variables)


def _value_of(variable: keras.Variable | tf.Variable) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable


def keeps_in_step() -> bool:
    """Whether a step can itself keep the initial weights: not within XLA, where sorting them costs every step."""
    return not keras_scopes.is_in_xla()


@contextlib.contextmanager
def frozen(model: keras.Model, variables: Sequence[keras.Variable]) -> Iterator[None]:
    """Take variables out of the steps of a model that are run, or compiled, meanwhile."""
    with keras_variables.not_trainable(variables):
        yield


def release(variable: keras.Variable) -> None:
    """Free the memory of a variable that no step reads until `refill`.

    Raises:
        ValueError: several replicas have it.
    """
    if isinstance(variable.value, tf.distribute.DistributedValues):
        raise ValueError(cannot_release_message("a model under a `tf.distribute.Strategy`"))
    _assign_of_any_shape(variable, tf.zeros((0,), variable.value.dtype))


def refill(variable: keras.Variable, shape: Axes, number: float) -> None:
    """Give a variable back its shape after `release`, with one number everywhere."""
    _assign_of_any_shape(variable, tf.fill(shape, tf.cast(number, variable.value.dtype)))


def _assign_of_any_shape(variable: keras.Variable, value: Tensor) -> None:
    """Replace the memory of a variable: its own `assign` insists on the shape that it has now."""
    tf.raw_ops.AssignVariableOp(resource=variable.value.handle, value=value)
    keras_variables.set_shape(variable, tuple(value.shape))


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
    if keras_scopes.replicas_meet_to_assign():
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
    if not kernels:
        return [], tf.constant(-1, tf.int64)
    permuted, first = (_permute_on_host if can_call_host() else _permute_in_graph)(kernels, unit_axes, sorted_rows)
    if keras_scopes.is_in_xla():
        return permuted, first
    check = _fail_unless(first < 0, first, list(map(diverged_message, names)))
    with tf.control_dependencies([] if check is None else [check]):
        return [tf.identity(kernel) for kernel in permuted], first


def _fail_unless(condition: Tensor, index: Tensor, messages: list[str]) -> tf.Operation | None:
    """Fail with one of several messages and nothing else: a function of NumPy that fails adds its call stack, twice."""
    if tf.executing_eagerly():
        if not condition:
            raise ValueError(messages[int(index)])
        return None
    return tf.debugging.Assert(condition, [tf.gather(tf.constant(messages), tf.maximum(index, 0))])


def sort_all(kernels: list[Tensor], unit_axes: Sequence[Axes]) -> list[Tensor]:
    """The sorted weight vectors of every kernel, as rows, equal values in their order.

    Args:
        kernels: list of tensors of any shape.
        unit_axes: list of tuples of ints, the axes of each that number the neurons.

    Returns:
        List of tensors (units, size of a weight vector), every row in ascending order.
    """
    if not can_call_host():
        rows = [to_rows(kernel, axes) for kernel, axes in zip(kernels, unit_axes, strict=True)]
        return [tf.gather(row, tf.argsort(_keys(row), axis=1, stable=True), batch_dims=1) for row in rows]

    def sort(*arrays: np.ndarray) -> list[np.ndarray | np.int64]:
        return [*map(sort_kernel, arrays, unit_axes), np.int64(0)]  # of a single answer TensorFlow makes no list

    shapes = [
        to_rows(np.empty(kernel.shape, bool), axes, np).shape for kernel, axes in zip(kernels, unit_axes, strict=True)
    ]
    answers = tf.numpy_function(sort, kernels, [*(kernel.dtype for kernel in kernels), tf.int64], stateful=False)
    return [tf.ensure_shape(new, shape) for new, shape in zip(answers[:-1], shapes, strict=True)]


def can_call_host() -> bool:
    """Whether the step being traced can call NumPy, which sorts fastest on a CPU: not within XLA or beside a GPU."""
    return not keras_scopes.is_in_xla() and not tf.config.list_logical_devices("GPU")


def _permute_on_host(
    kernels: list[Tensor], unit_axes: Sequence[Axes], sorted_rows: Sequence[Tensor]
) -> tuple[list[Tensor], Tensor]:
    def permute(*arrays: np.ndarray) -> list[np.ndarray | np.int64]:
        permuted, first = permute_if_finite(arrays[: len(kernels)], unit_axes, arrays[len(kernels) :])
        return [*permuted, np.int64(first)]

    kinds = [*(kernel.dtype for kernel in kernels), tf.int64]
    *permuted, first = tf.numpy_function(permute, [*kernels, *sorted_rows], kinds, stateful=False)
    first = tf.ensure_shape(first, [])
    return [tf.ensure_shape(new, kernel.shape) for new, kernel in zip(permuted, kernels, strict=True)], first


def _permute_in_graph(
    kernels: list[Tensor], unit_axes: Sequence[Axes], sorted_rows: Sequence[Tensor]
) -> tuple[list[Tensor], Tensor]:
    finite = tf.stack([tf.reduce_all(tf.math.is_finite(kernel)) for kernel in kernels])
    first = tf.argmin(tf.cast(finite, tf.int32), output_type=tf.int64)
    permuted = [
        tf.where(ok, from_rows(_permute_by_argsort(to_rows(kernel, axes), rows), kernel.shape, axes), kernel)
        for ok, kernel, axes, rows in zip(tf.unstack(finite), kernels, unit_axes, sorted_rows, strict=True)
    ]
    return permuted, tf.where(tf.reduce_all(finite), tf.constant(-1, tf.int64), first)


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
