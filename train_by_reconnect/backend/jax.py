"""What is done with JAX itself; the other modules use Keras only."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from train_by_reconnect.backend import keras_optimizers, keras_scopes, keras_training, keras_variables
from train_by_reconnect.backend.cannot_release import cannot_release_message
from train_by_reconnect.backend.diverged import diverged_message
from train_by_reconnect.backend.row_ranking import permute_if_finite, permute_kernels, sort_kernel
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.backend.types import Axes, Tensor

# A step is traced with values that come from outside it; there is no other mode to go to.
outside_graph = contextlib.nullcontext


def as_written(function: Callable[[], None]) -> Callable[[], None]:
    """The function, which nobody rewrites here."""
    return function


def are_initialized(variables: Sequence[keras.Variable]) -> bool:
    """Whether every variable can be read now: not within a step, which gets all values from outside."""
    return not keras_scopes.is_in_stateless_scope()


def keeps_in_step() -> bool:
    """Whether a step can itself keep the initial weights, which nobody could read before it."""
    return keras_scopes.is_in_stateless_scope()


@contextlib.contextmanager
def frozen(model: keras.Model, variables: Sequence[keras.Variable]) -> Iterator[None]:
    """Take variables out of the steps of a model that are run, or compiled, meanwhile.

    The flags stay: by them Keras sorts the state that `fit` holds. Instead the values of these variables are constants
    to the differentiation, so that the backward pass ends above them, and the optimizer gets no gradients of them.
    """
    optimizer, ids = model.optimizer, set(map(id, variables))
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    call, apply = model.stateless_call, optimizer.apply

    def call_with_constants(trainable_variables: Sequence[Tensor], *args: Any, **kwargs: Any) -> Any:
        values = [
            jax.lax.stop_gradient(value) if id(variable) in ids else value
            for variable, value in zip(model.trainable_variables, trainable_variables, strict=True)
        ]
        return call(values, *args, **kwargs)

    def apply_to_others(grads: Sequence[Tensor], trainable_variables: Any = None) -> None:
        if trainable_variables is None:
            trainable_variables = keras_optimizers.known_variables(optimizer)
        pairs = zip(grads, trainable_variables, strict=True)
        kept = [(gradient, variable) for gradient, variable in pairs if id(variable) not in ids]
        apply([gradient for gradient, _ in kept], [variable for _, variable in kept])

    with (
        keras_training.replacing(model, "stateless_call", call_with_constants),
        keras_training.replacing(optimizer, "apply", apply_to_others),
    ):
        yield


def release(variable: keras.Variable) -> None:
    """Free the memory of a variable that no step reads until `refill`.

    Raises:
        ValueError: it lies on several devices.
    """
    if len(variable.value.devices()) > 1:
        raise ValueError(cannot_release_message("a model under a `keras.distribution.Distribution`"))
    keras_variables.set_shape(variable, (0,))
    variable.assign(jnp.zeros((0,), variable.value.dtype))


def refill(variable: keras.Variable, shape: Axes, number: float) -> None:
    """Give a variable back its shape after `release`, with one number everywhere."""
    keras_variables.set_shape(variable, shape)
    variable.assign(jnp.full(shape, number, variable.value.dtype))


def fail_when_run(message: str) -> None:
    """Raise: what is not traced runs now."""
    raise RuntimeError(message)


def assign_if(
    condition: Tensor, variables: Sequence[keras.Variable], function: Callable[[list[Tensor]], list[Tensor]]
) -> None:
    """Give variables the new values that a function makes of their present ones, where a condition holds.

    Where it does not, they are neither read nor copied. The condition is a bool or a bool scalar array.
    """
    present = [variable.value for variable in variables]

    def new(values: list[Tensor]) -> list[Tensor]:
        # Copies: of an array that two variables share a step could not take the memory over.
        return [jnp.array(value, old.dtype) for value, old in zip(function(values), values, strict=True)]

    if isinstance(condition, jax.core.Tracer):
        values = jax.lax.cond(condition, new, lambda values: values, present)
    elif condition:
        values = new(present)
    else:
        return
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def permute_all(
    kernels: list[Tensor], unit_axes: Sequence[Axes], sorted_rows: Sequence[Tensor], names: Sequence[str]
) -> tuple[list[Tensor], Tensor]:
    """Permute the sorted weight vectors of every kernel into the ranking of its present ones; as with TensorFlow.

    NumPy does it wherever all is on one CPU, where XLA's own sort is slower.

    Raises:
        ValueError: outside a compiled step, a weight is NaN or infinite; names the variable. In one nothing can be
            raised; the second result says it, and such a kernel is given back as it is.
    """
    if not kernels:
        return [], jnp.asarray(-1)
    if isinstance(kernels[0], jax.core.Tracer) and _runs_on_one_cpu():
        return _permute_on_host(kernels, unit_axes, sorted_rows)
    finite = jnp.stack([jnp.isfinite(kernel).all() for kernel in kernels])
    if not isinstance(finite, jax.core.Tracer) and not finite.all():
        raise ValueError(diverged_message(names[int(jnp.argmin(finite))]))
    if all(map(can_call_host, [*kernels, *sorted_rows])):
        permuted = permute_kernels(list(map(np.asarray, kernels)), unit_axes, list(map(np.asarray, sorted_rows)))
        there = [jax.device_put(new, old.sharding) for new, old in zip(permuted, kernels, strict=True)]
        return there, jnp.asarray(-1)
    permuted = [
        jnp.where(ok, _permute(kernel, axes, rows), kernel)
        for ok, kernel, axes, rows in zip(finite, kernels, unit_axes, sorted_rows, strict=True)
    ]
    return permuted, jnp.where(finite.all(), -1, jnp.argmin(finite))


def sort_all(kernels: list[Tensor], unit_axes: Sequence[Axes]) -> list[Tensor]:
    """The sorted weight vectors of every kernel, as rows, equal values in their order; as with TensorFlow."""
    return [_sort(kernel, axes) for kernel, axes in zip(kernels, unit_axes, strict=True)]


def can_call_host(value: Any) -> bool:
    """Whether NumPy can take the array as it is: it has values, and all on one CPU."""
    return not isinstance(value, jax.core.Tracer) and {device.platform for device in value.devices()} == {"cpu"}


def _runs_on_one_cpu() -> bool:
    """Whether a step being compiled is for one CPU; of rows on several devices none has to travel otherwise."""
    return jax.default_backend() == "cpu" and jax.device_count() == 1


def _permute_on_host(
    kernels: list[Tensor], unit_axes: Sequence[Axes], sorted_rows: Sequence[Tensor]
) -> tuple[list[Tensor], Tensor]:
    def permute(old: list[Tensor], rows: list[Tensor]) -> tuple[list[np.ndarray], np.int32]:
        # Arrays of NumPy's from here on: what would call JAX within a callback can wait for itself.
        permuted, first = permute_if_finite(list(map(np.asarray, old)), unit_axes, list(map(np.asarray, rows)))
        return permuted, np.int32(first)

    shapes = [jax.ShapeDtypeStruct(kernel.shape, rows.dtype) for kernel, rows in zip(kernels, sorted_rows, strict=True)]
    shape = jax.ShapeDtypeStruct((), np.int32)
    return jax.pure_callback(permute, (shapes, shape), kernels, list(sorted_rows), vmap_method="sequential")


def _sort(kernel: Tensor, axes: Axes) -> Tensor:
    if can_call_host(kernel):
        return jnp.asarray(sort_kernel(np.asarray(kernel), axes))
    rows = to_rows(kernel, axes)
    return jnp.take_along_axis(rows, _positions(rows), axis=1)


def _permute(kernel: Tensor, axes: Axes, sorted_rows: Tensor) -> Tensor:
    positions = _positions(to_rows(kernel, axes))
    return from_rows(jax.vmap(_place)(sorted_rows, positions), kernel.shape, axes)


def _place(values: Tensor, positions: Tensor) -> Tensor:
    """Put each value where it belongs. Row by row, so that of rows on several devices none has to travel."""
    return jnp.empty_like(values).at[positions].set(values, unique_indices=True)


def _positions(rows: Tensor) -> Tensor:
    """Where the r-th smallest value of each row is, of equal ones the first first."""
    return jnp.argsort(_keys(rows), axis=1, stable=True)


def _keys(rows: Tensor) -> Tensor:
    """Integers in the order of floats, as NumPy makes them: XLA would sort -0.0 before 0.0."""
    integer = {2: jnp.int16, 4: jnp.int32, 8: jnp.int64}[rows.dtype.itemsize]
    bits = jax.lax.bitcast_convert_type(rows, integer)
    magnitude = bits & jnp.iinfo(integer).max
    return jnp.where(bits < 0, -magnitude, magnitude)
