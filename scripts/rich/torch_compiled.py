"""The loss, its gradients and a training step under PyTorch, as in `tensorflow_compiled`, but run as they are."""

import torch


def forward_pass(model, batch):
    """The loss of a batch as a function of such a batch."""
    return torch.no_grad()(lambda images, labels: _loss(model, images, labels))


def gradients_of(model, batch, variables):
    """The loss of a batch and its gradients with respect to some variables, as a function of such a batch."""

    def gradients(images, labels):
        loss = _loss(model, images, labels)
        return loss, torch.autograd.grad(loss, [variable.value for variable in variables])

    return gradients


def train_step(model, batch, variables):
    """A whole training step of some variables: the loss, its gradients, and the update."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    loss_and_gradients = gradients_of(model, batch, variables)

    def step(images, labels):
        loss, gradients = loss_and_gradients(images, labels)
        with torch.no_grad():
            model.optimizer.apply(gradients, variables)
        return loss

    return step


def _loss(model, images, labels):
    return model.compute_loss(images, labels, model(images, training=True))
