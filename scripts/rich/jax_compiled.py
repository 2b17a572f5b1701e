"""The loss, its gradients and a training step under JAX, as in `tensorflow_compiled`: compiled, and without a state."""

import jax
import keras


def forward_pass(model, batch):
    """The loss of a batch as a compiled function of such a batch."""
    return _compiled(model.variables, lambda values, *batch: _loss(model, values, batch)[0])


def gradients_of(model, batch, variables):
    """The loss of a batch and its gradients with respect to some variables, as a compiled function of such a batch."""
    return _compiled(model.variables, lambda values, *batch: _gradients(model, variables, values, batch)[:2])


def train_step(model, batch, variables):
    """A whole training step of some variables as a compiled function: the loss, its gradients, and the update."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    of_model, of_optimizer = model.variables, model.optimizer.variables
    everything = [*of_model, *of_optimizer]

    def step(values, *batch):
        own, slots = values[: len(of_model)], values[len(of_model) :]
        loss, gradients, own = _gradients(model, variables, own, batch)
        with _holding(everything, [*own, *slots]) as scope:
            model.optimizer.apply(gradients, variables)
        return loss, [scope.get_current_value(variable) for variable in everything]

    compiled = _compiled(everything, step)

    def take(*batch):
        loss, values = compiled(*batch)
        for variable, value in zip(everything, values, strict=True):
            variable.assign(value)
        return loss

    return take


def _compiled(variables, function):
    """A function of the values of variables and a batch, compiled, as one of a batch and the values they have then."""
    compiled = jax.jit(function)
    return lambda *batch: compiled([variable.value for variable in variables], *batch)


def _holding(variables, values):
    return keras.StatelessScope(list(zip(variables, values, strict=True)))


def _loss(model, values, batch):
    """The loss with such values of the model's variables, and the values afterwards."""
    images, labels = batch
    with _holding(model.variables, values) as scope:
        loss = model.compute_loss(images, labels, model(images, training=True))
    return loss, [scope.get_current_value(variable) for variable in model.variables]


def _gradients(model, variables, values, batch):
    """The loss, its gradients, and the values of all variables of the model afterwards."""
    places = {id(variable): place for place, variable in enumerate(model.variables)}
    places = [places[id(variable)] for variable in variables]

    def loss_of(chosen):
        mixed = list(values)
        for place, value in zip(places, chosen, strict=True):
            mixed[place] = value
        return _loss(model, mixed, batch)

    chosen = [values[place] for place in places]
    (loss, values), gradients = jax.value_and_grad(loss_of, has_aux=True)(chosen)
    return loss, gradients, values
