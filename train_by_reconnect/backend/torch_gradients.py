"""What PyTorch has to do with gradients: those of step functions, and of a model over many batches."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import torch

from train_by_reconnect.backend.types import Arrays, Tensor


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, values: Tensor) -> Tensor:
        return values.clone()  # an input that is returned as it is would be the leaf itself

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        return upstream, None


class _TimesStep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kernel: Tensor, scores: Tensor, below: float) -> Tensor:
        ctx.save_for_backward(kernel)
        # The derivative of a leaky ReLU is this very step function, so PyTorch has its product in one pass.
        return torch.ops.aten.leaky_relu_backward(kernel, scores, below, False)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[None, Tensor, None]:
        (kernel,) = ctx.saved_tensors
        return None, upstream * kernel, None


class _FractionAboveZero(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor) -> Tensor:
        ctx.shape = scores.shape
        # 0 and 1 in the dtype of the scores, and their sum: a third of the time that a count of booleans takes.
        above = torch.gt(scores, 0, out=torch.empty_like(scores))
        return (above.sum(dtype=torch.float32) / scores.numel()).to(scores.dtype)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Tensor:
        return (upstream / ctx.shape.numel()).expand(ctx.shape)


def straight_through(scores: Tensor, values: Tensor) -> Tensor:
    """Values of a step function of scores, of their shape and dtype; the gradient passes to the scores unchanged."""
    return _StraightThrough.apply(scores, values)


def times_step(kernel: Tensor, scores: Tensor, below: float) -> Tensor:
    """Multiply a kernel by a step function of scores: `below` for a score of at most 0, and 1 above; straight through.

    In the backward pass the derivative of the step function is 1, so the gradient of the scores is the gradient of the
    product times the kernel. The kernel, which is fixed, gets no gradient.
    """
    kernel, scores = map(keras.ops.convert_to_tensor, (kernel, scores))
    return _TimesStep.apply(kernel, scores, below)


def fraction_above_zero(scores: Tensor) -> Tensor:
    """The fraction of scores above 0, straight through: the gradient of each score is `1 / size`."""
    return _FractionAboveZero.apply(keras.ops.convert_to_tensor(scores))


def gradient_adder(
    model: keras.Model, variables: Sequence[keras.Variable], x: Arrays, y: Arrays, training: bool
) -> Callable[..., list[Tensor]]:
    """Make a function that adds the gradient of a model's compiled loss to a sum; as with TensorFlow."""

    def add(sums: list[Tensor], x: Any, y: Any, weight: float) -> list[Tensor]:
        values = [variable.value.detach().requires_grad_() for variable in variables]
        state = zip(variables, values, strict=True)
        # The random numbers of dropout without a seed are PyTorch's own, of which none must be used up.
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        with torch.random.fork_rng(devices), torch.enable_grad(), keras.StatelessScope(state, collect_losses=True):
            loss = model.compute_loss(x, y, model(x, training=training), None)
        gradients = torch.autograd.grad(loss, values, materialize_grads=True)
        return [
            total + float(weight) * gradient.to(total.dtype) for total, gradient in zip(sums, gradients, strict=True)
        ]

    return add
