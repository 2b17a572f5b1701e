"""What JAX has to do with gradients: those of step functions, and of a model over many batches."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras

from train_by_reconnect.backend.types import Arrays, Tensor


@jax.custom_vjp
def straight_through(scores: Tensor, values: Tensor) -> Tensor:
    """Values of a step function of scores, of their shape and dtype; the gradient passes to the scores unchanged."""
    return values


straight_through.defvjp(lambda scores, values: (values, None), lambda _, upstream: (upstream, None))


def times_step(kernel: Tensor, scores: Tensor, below: float) -> Tensor:
    """Multiply a kernel by a step function of scores: `below` for a score of at most 0, and 1 above; straight through.

    In the backward pass the derivative of the step function is 1, so the gradient of the scores is the gradient of the
    product times the kernel. The kernel, which is fixed, gets no gradient.
    """
    return _times_step(jnp.asarray(kernel), jnp.asarray(scores), below)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _times_step(kernel: Tensor, scores: Tensor, below: float) -> Tensor:
    return jnp.where(scores > 0, kernel, below * kernel)


_times_step.defvjp(
    lambda kernel, scores, below: (_times_step(kernel, scores, below), kernel),
    lambda below, kernel, upstream: (None, upstream * kernel),
)


@jax.custom_vjp
def _fraction_above_zero(scores: Tensor) -> Tensor:
    above = jnp.reshape(scores > 0, (-1, scores.shape[-1])).astype(jnp.float32)
    # A product with ones: XLA takes the terms of a plain sum one by one.
    count = jnp.sum(above @ jnp.ones(above.shape[-1], jnp.float32))
    return (count / scores.size).astype(scores.dtype)


# The residual is an array of the right shape and dtype, which XLA never reads.
_fraction_above_zero.defvjp(
    lambda scores: (_fraction_above_zero(scores), scores),
    lambda scores, upstream: (jnp.full_like(scores, upstream / math.prod(scores.shape)),),
)


def fraction_above_zero(scores: Tensor) -> Tensor:
    """The fraction of scores above 0, straight through: the gradient of each score is `1 / size`."""
    return _fraction_above_zero(jnp.asarray(scores))


def gradient_adder(
    model: keras.Model, variables: Sequence[keras.Variable], x: Arrays, y: Arrays, training: bool
) -> Callable[..., list[Tensor]]:
    """Compile, once, a function that adds the gradient of a model's compiled loss to a sum; as with TensorFlow."""
    chosen = set(map(id, variables))
    others = [variable for variable in model.variables if id(variable) not in chosen]

    @jax.jit
    def add(values: list[Tensor], fixed: list[Tensor], sums: list[Tensor], x: Any, y: Any, weight: Any) -> list[Tensor]:
        def loss(values: list[Tensor]) -> Tensor:
            state = [*zip(variables, values, strict=True), *zip(others, fixed, strict=True)]
            with keras.StatelessScope(state, collect_losses=True):
                return model.compute_loss(x, y, model(x, training=training), None)

        gradients = jax.grad(loss)(values)
        return [
            total + jnp.asarray(weight, total.dtype) * gradient.astype(total.dtype)
            for total, gradient in zip(sums, gradients, strict=True)
        ]

    def add_to(sums: list[Tensor], x: Any, y: Any, weight: float) -> list[Tensor]:
        return add([v.value for v in variables], [v.value for v in others], sums, x, y, weight)

    return add_to
