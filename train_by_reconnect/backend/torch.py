"""What is done with PyTorch itself; the other modules use Keras only."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import keras
import torch

from train_by_reconnect.backend import keras_variables
from train_by_reconnect.backend.diverged import diverged_message
from train_by_reconnect.backend.row_ranking import permute_kernels, sort_kernel
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.backend.types import Axes, Tensor

# Everything runs at once; there is no graph to leave.
outside_graph = contextlib.nullcontext


def as_written(function: Callable[[], None]) -> Callable[[], None]:
    """The function as it is, within what `torch.compile` makes of a step: what NumPy does is not for it."""
    return torch.compiler.disable(function)


def are_initialized(variables: Sequence[keras.Variable]) -> bool:
    """Whether every variable can be read now: always."""
    return True


def keeps_in_step() -> bool:
    """Whether a step can itself keep the initial weights: it need not, they can always be read before."""
    return False


@contextlib.contextmanager
def frozen(model: keras.Model, variables: Sequence[keras.Variable]) -> Iterator[None]:
    """Take variables out of the steps of a model that are run, or compiled, meanwhile."""
    with keras_variables.not_trainable(variables):
        yield


def release(variable: keras.Variable) -> None:
    """Free the memory of a variable that no step reads until `refill`."""
    variable.value.data = variable.value.data.new_empty(0)
    keras_variables.set_shape(variable, (0,))


def refill(variable: keras.Variable, shape: Axes, number: float) -> None:
    """Give a variable back its shape after `release`, with one number everywhere."""
    keras_variables.set_shape(variable, shape)
    variable.value.data = variable.value.data.new_full(shape, number)


def fail_when_run(message: str) -> None:
    """Raise: a step runs where it is written."""
    raise RuntimeError(message)


@torch.no_grad()
def assign_if(
    condition: Tensor, variables: Sequence[keras.Variable], function: Callable[[list[Tensor]], list[Tensor]]
) -> None:
    """Give variables the new values that a function makes of their present ones, where a condition holds.

    Where it does not, they are neither read nor copied. The condition is a bool or a bool scalar tensor.
    """
    if condition:
        for variable, value in zip(variables, function([each.value for each in variables]), strict=True):
            variable.assign(value)


@torch.compiler.disable  # it would compile what NumPy does, by rules of its own
def permute_all(
    kernels: list[Tensor], unit_axes: Sequence[Axes], sorted_rows: Sequence[Tensor], names: Sequence[str]
) -> tuple[list[Tensor], Tensor]:
    """Permute the sorted weight vectors of every kernel into the ranking of its present ones; as with TensorFlow.

    Raises:
        ValueError: a weight is NaN or infinite; names the variable. So the second result is always -1.
    """
    for kernel, name in zip(kernels, names, strict=True):
        if not torch.isfinite(kernel).all():
            raise ValueError(diverged_message(name))
    if all(map(can_call_host, [*kernels, *sorted_rows])):
        old, rows = ([each.detach().numpy() for each in part] for part in (kernels, sorted_rows))
        return [torch.from_numpy(new) for new in permute_kernels(old, unit_axes, rows)], torch.tensor(-1)
    permuted = [
        from_rows(_permute(to_rows(kernel, axes), rows), tuple(kernel.shape), axes)
        for kernel, axes, rows in zip(kernels, unit_axes, sorted_rows, strict=True)
    ]
    return permuted, torch.tensor(-1)


@torch.compiler.disable
def sort_all(kernels: list[Tensor], unit_axes: Sequence[Axes]) -> list[Tensor]:
    """The sorted weight vectors of every kernel, as rows, equal values in their order; as with TensorFlow."""
    return [_sort(kernel, axes) for kernel, axes in zip(kernels, unit_axes, strict=True)]


def can_call_host(value: Tensor) -> bool:
    """Whether NumPy can take the tensor as it is: it lies beside a CPU, and is not of a type that NumPy lacks."""
    return value.device.type == "cpu" and value.dtype != torch.bfloat16


def _sort(kernel: Tensor, axes: Axes) -> Tensor:
    if can_call_host(kernel):
        return torch.from_numpy(sort_kernel(kernel.detach().numpy(), axes))
    rows = to_rows(kernel, axes)
    return rows.gather(1, _positions(rows))


def _permute(rows: Tensor, sorted_rows: Tensor) -> Tensor:
    return torch.empty_like(sorted_rows).scatter_(1, _positions(rows), sorted_rows)


def _positions(rows: Tensor) -> Tensor:
    """Where the r-th smallest value of each row is, of equal ones the first first."""
    return torch.argsort(_keys(rows), dim=1, stable=True)


def _keys(rows: Tensor) -> Tensor:
    """Integers in the order of floats, as NumPy makes them: some devices take subnormal numbers for zero."""
    integer = {2: torch.int16, 4: torch.int32, 8: torch.int64}[rows.dtype.itemsize]
    bits = rows.detach().contiguous().view(integer)
    magnitude = bits & torch.iinfo(integer).max
    return torch.where(bits < 0, -magnitude, magnitude)
