"""Step functions with the gradient of the identity, by TensorFlow's custom gradients."""

import tensorflow as tf


def straight_through(scores, values):
    """Give the values of a step function the gradient that the scores themselves would have: exactly 1.

    Args:
        scores: tensor.
        values: tensor of the same shape and dtype, computed from `scores`.

    Returns:
        Tensor equal to `values`; what its gradient is passes unchanged to `scores`.
    """

    @tf.custom_gradient
    def forward(scores):
        return values, lambda upstream: upstream

    return forward(scores)


def times_step(kernel, scores, below):
    """Multiply a kernel by a step function of scores, `below` for a score of at most 0 and 1 above, straight through.

    The step function is given the derivative 1, so the gradient of the scores is the gradient of the product times the
    kernel. To the kernel, which is fixed, no gradient passes.

    Args:
        kernel: tensor or variable.
        scores: tensor or variable of the same shape and dtype.
        below: float.

    Returns:
        Tensor of this shape and dtype.
    """
    kernel, scores = tf.convert_to_tensor(kernel), tf.convert_to_tensor(scores)

    @tf.custom_gradient
    def forward(scores):
        # The derivative of a leaky ReLU is this very step function, so TensorFlow has its product in one pass.
        product = tf.raw_ops.LeakyReluGrad(gradients=kernel, features=scores, alpha=below)
        return product, lambda upstream: upstream * kernel

    return forward(scores)


def fraction_above_zero(scores):
    """The fraction of scores above 0, straight through: its gradient of each score is `1 / size`.

    Args:
        scores: tensor or variable of a known shape.

    Returns:
        Scalar tensor of the same dtype.
    """
    scores = tf.convert_to_tensor(scores)

    @tf.custom_gradient
    def forward(scores):
        above = tf.reshape(tf.cast(scores > 0, tf.float32), (-1, scores.shape[-1]))
        # A product with ones: XLA takes the terms of a plain sum one by one, which costs a tenth of a small network.
        count = tf.reduce_sum(tf.linalg.matvec(above, tf.ones(above.shape[-1])))
        size = scores.shape.num_elements()
        return tf.cast(count / size, scores.dtype), lambda upstream: tf.fill(scores.shape, upstream / size)

    return forward(scores)
