"""The loss, its gradients and a training step under TensorFlow, each as a compiled function of a batch."""

import tensorflow as tf


def forward_pass(model, batch):
    """The loss of a batch as a compiled function.

    Args:
        model: a compiled `keras.Model`.
        batch: pair of tensors, images and labels.

    Returns:
        Function of such a batch: a concrete one of TensorFlow.
    """
    return _compiled(model, batch, lambda images, labels: _loss(model, images, labels))


def gradients_of(model, batch, variables):
    """The loss of a batch and its gradients with respect to some variables, as a compiled function.

    Args:
        model: a compiled `keras.Model`.
        batch: pair of tensors, images and labels.
        variables: list of variables of the model.

    Returns:
        Function of such a batch: a concrete one of TensorFlow.
    """
    return _compiled(model, batch, lambda images, labels: _gradients(model, variables, images, labels))


def train_step(model, batch, variables):
    """A whole training step of some variables as a compiled function: the loss, its gradients, and the update.

    Args:
        model: a compiled `keras.Model`.
        batch: pair of tensors, images and labels.
        variables: list of variables of the model.

    Returns:
        Function of such a batch: a concrete one of TensorFlow.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)

    def step(images, labels):
        loss, gradients = _gradients(model, variables, images, labels)
        model.optimizer.apply(gradients, variables)
        return loss

    return _compiled(model, batch, step)


def _loss(model, images, labels):
    return model.compute_loss(images, labels, model(images, training=True))


def _gradients(model, variables, images, labels):
    values = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss = _loss(model, images, labels)
    return loss, tape.gradient(loss, values)


def _compiled(model, batch, function):
    return tf.function(function, jit_compile=bool(model.jit_compile)).get_concrete_function(*batch)
