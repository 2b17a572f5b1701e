"""What TensorFlow has to do with gradients: those of step functions, and of a model over many batches."""

import keras
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


def gradient_adder(model, variables, x, y, training):
    """Compile, once, a function that adds the gradient of a model's compiled loss to a sum.

    It leaves the model as it is: what a call would update (moving statistics, random seeds, metrics) is dropped.

    Args:
        model: a built and compiled `keras.Model`.
        variables: list of `keras.Variable`, with respect to which the gradient is.
        x: array or a structure of arrays, inputs as the model will be given, of any number of examples.
        y: array or a structure of arrays, their targets.
        training: bool, what the model is called with.

    Returns:
        Function of `sums` (list of float32 or float64 tensors of the variables' shapes), a batch of `x`, one of `y` and
        a float, which returns `sums` plus that float times the gradient.
    """

    def add(sums, x, y, weight):
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

    def of_any_length(array):
        return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

    # Half precision would lose what the later batches add.
    sums = [tf.TensorSpec(v.shape, tf.float64 if v.dtype == "float64" else tf.float32) for v in variables]
    specifications = sums, *keras.tree.map_structure(of_any_length, (x, y)), tf.TensorSpec((), tf.float32)
    return tf.function(add).get_concrete_function(*specifications)
