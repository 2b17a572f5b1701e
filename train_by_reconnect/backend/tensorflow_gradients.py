"""What TensorFlow has to do with gradients: those of step functions, and of a model over many batches."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from train_by_reconnect.backend.types import Arrays, Tensor


def straight_through(scores: Tensor, values: Tensor) -> Tensor:
    """Values of a step function of scores, of their shape and dtype; the gradient passes to the scores unchanged."""

    @tf.custom_gradient
    def forward(scores: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        return values, lambda upstream: upstream

    return forward(scores)


def times_step(kernel: Tensor, scores: Tensor, below: float) -> Tensor:
    """Multiply a kernel by a step function of scores: `below` for a score of at most 0, and 1 above; straight through.

    In the backward pass the derivative of the step function is 1, so the gradient of the scores is the gradient of the
    product times the kernel. The kernel, which is fixed, gets no gradient.
    """
    kernel, scores = tf.convert_to_tensor(kernel), tf.convert_to_tensor(scores)

    @tf.custom_gradient
    def forward(scores: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        # The derivative of a leaky ReLU is this very step function, so TensorFlow has its product in one pass.
        product = tf.raw_ops.LeakyReluGrad(gradients=kernel, features=scores, alpha=below)
        return product, lambda upstream: upstream * kernel

    return forward(scores)


def fraction_above_zero(scores: Tensor) -> Tensor:
    """The fraction of scores above 0, straight through: the gradient of each score is `1 / size`."""
    scores = tf.convert_to_tensor(scores)

    @tf.custom_gradient
    def forward(scores: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        above = tf.reshape(tf.cast(scores > 0, tf.float32), (-1, scores.shape[-1]))
        # A product with ones: XLA takes the terms of a plain sum one by one, which costs a tenth of a small network.
        count = tf.reduce_sum(tf.linalg.matvec(above, tf.ones(above.shape[-1])))
        size = scores.shape.num_elements()
        return tf.cast(count / size, scores.dtype), lambda upstream: tf.fill(scores.shape, upstream / size)

    return forward(scores)


def gradient_adder(
    model: keras.Model, variables: Sequence[keras.Variable], x: Arrays, y: Arrays, training: bool
) -> Callable[..., list[Tensor]]:
    """Compile, once, a function that adds the gradient of a model's compiled loss to a sum.

    It leaves the model as it is: what a call would update (moving statistics, random seeds, metrics) is dropped.

    Args:
        model: a built and compiled `keras.Model`.
        variables: list of `keras.Variable`, by which to differentiate.
        x: array or a structure of arrays, inputs as the model will be given, of any number of examples.
        y: array or a structure of arrays, their targets.
        training: bool, what the model is called with.

    Returns:
        Function of `sums` (list of float32 or float64 tensors of the variables' shapes), a batch of `x`, one of `y` and
        a float, which returns `sums` plus that float times the gradient.
    """

    def add(sums: list[Tensor], x: Any, y: Any, weight: Tensor) -> list[Tensor]:
        values = [tf.convert_to_tensor(variable.value) for variable in variables]
        scope = keras.StatelessScope(zip(variables, values, strict=True), collect_losses=True)
        with tf.GradientTape(watch_accessed_variables=False) as tape, scope:
            tape.watch(values)
            loss = model.compute_loss(x, y, model(x, training=training), None)
        gradients = tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return [
            total + tf.cast(weight, total.dtype) * tf.cast(g, total.dtype)
            for total, g in zip(sums, gradients, strict=True)
        ]

    def of_any_length(array: np.ndarray) -> tf.TensorSpec:
        return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

    # Half precision would lose what the later batches add.
    sums = [tf.TensorSpec(v.shape, tf.float64 if v.dtype == "float64" else tf.float32) for v in variables]
    specifications = sums, *keras.tree.map_structure(of_any_length, (x, y)), tf.TensorSpec((), tf.float32)
    return tf.function(add).get_concrete_function(*specifications)
