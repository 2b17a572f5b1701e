"""What differs between the backends of Keras in tests: which tests run where, gradients, and ways to compile."""

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
# An array of what a backend gives, also where that is part of a graph of gradients, which NumPy does not take.
to_numpy = keras.ops.convert_to_numpy
# How a function can be run: as it is, traced, or by the backend's compiler.
MODES = {"tensorflow": ["graph", "eager", "jit"], "jax": ["eager", "jit"], "torch": ["eager"]}[BACKEND]
# PyTorch's compiler takes half a minute and more for a training step: the slow tests have it.
SLOW_TO_COMPILE = [pytest.mark.slow] if BACKEND == "torch" else []
# It compiles whole steps only, and warns of what its compiler does itself.
COMPILED_BY_TORCH = [
    *SLOW_TO_COMPILE,
    pytest.mark.filterwarnings("ignore:<class 'torch.autograd.function.Function'> should not be:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf Tensor:UserWarning"),
]
# How `fit` can take its steps.
FIT_MODES = MODES if BACKEND != "torch" else [*MODES, pytest.param("jit", marks=COMPILED_BY_TORCH)]


def errors_of_fit():
    """What `fit` raises where a training has diverged: TensorFlow's own error from inside a graph."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return ValueError, tf.errors.InvalidArgumentError
    return (ValueError,)


def only_on(backends, reason):
    """A mark for tests that are skipped on all backends but some.

    Args:
        backends: str, their names, with a space between them.
        reason: str, what the others lack.
    """
    return pytest.mark.skipif(BACKEND not in backends.split(), reason=f"on {backends} only: {reason}")


def assert_same(one, other):
    """Two tensors or arrays hold the same, bit for bit."""
    np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


# JAX makes float32 of float64 and int64 unless it is told otherwise.
with_64_bits = only_on("tensorflow torch", "JAX has no numbers of 64 bits unless they are switched on")
FLOAT64 = pytest.param("float64", marks=with_64_bits)
# PyTorch takes one step at a time.
several_steps_at_once = only_on("tensorflow jax", "`steps_per_execution` above 1")


def current(model):
    """The model, with the state in its variables: `fit` of JAX keeps it elsewhere during an epoch."""
    if BACKEND == "jax":
        model.jax_state_sync()
    return model


class OwnTrainStep(keras.Model):
    """A model with the train step that the documentation of Keras shows for its backend."""

    if BACKEND == "tensorflow":

        def train_step(self, data):
            import tensorflow as tf

            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True), None)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return {"loss": loss}

    elif BACKEND == "jax":

        def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, x, y):
            answers, non_trainable_variables = self.stateless_call(
                trainable_variables, non_trainable_variables, x, training=True
            )
            return self.compute_loss(x, y, answers), non_trainable_variables

        def train_step(self, state, data):
            import jax

            trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables = state
            gradient = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
            (loss, non_trainable_variables), gradients = gradient(trainable_variables, non_trainable_variables, *data)
            trainable_variables, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, gradients, trainable_variables
            )
            state = trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables
            return {"loss": loss}, state

    else:

        def train_step(self, data):
            import torch

            x, y = data
            self.zero_grad()
            loss = self.compute_loss(x, y, self(x, training=True))
            loss.backward()
            trainable = list(self.trainable_weights)
            with torch.no_grad():
                self.optimizer.apply([variable.value.grad for variable in trainable], trainable)
            return {"loss": loss}


def compiled(function, mode):
    """A function of tensors that changes no variables, as one of `MODES`."""
    if mode == "eager":
        return function
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=mode == "jit")


def fit_as(mode):
    """What `compile` is given so that `fit` takes its steps as one of `FIT_MODES`."""
    return {"run_eagerly": mode == "eager", "jit_compile": mode == "jit"}


def applying(optimizer, variables, mode):
    """A function of gradients that lets an optimizer take a step, as one of `MODES`."""
    if mode == "eager":
        return lambda gradients: optimizer.apply(gradients, variables)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda gradients: optimizer.apply(gradients, variables), jit_compile=mode == "jit")
    import jax

    step = jax.jit(optimizer.stateless_apply, donate_argnums=(0, 2))

    def take(gradients):
        if not optimizer.built:
            optimizer.build(variables)
        state = optimizer.variables
        new, new_state = step([each.value for each in state], gradients, [each.value for each in variables])
        for variable, value in zip([*variables, *state], [*new, *new_state], strict=True):
            variable.assign(value)

    return take


def gradients_of(loss, variables):
    """The gradients of a loss by some variables, and the loss, outside any compiled step.

    Args:
        loss: function without arguments that gives a scalar.
        variables: list of `keras.Variable`.

    Returns:
        Pair of a list of gradients and the loss.
    """
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss()
        return tape.gradient(value, [variable.value for variable in variables]), value
    if BACKEND == "jax":
        import jax

        def of(values):
            with keras.StatelessScope(zip(variables, values, strict=True), collect_losses=True):
                return loss()

        value, gradients = jax.value_and_grad(of)([variable.value for variable in variables])
        return gradients, value
    for variable in variables:
        variable.value.grad = None
    value = loss()
    value.backward()
    return [variable.value.grad for variable in variables], value


def gradients_by(function, tensors):
    """The gradients of a scalar function of tensors by each of them, also inside what `compiled` compiles.

    Args:
        function: function of several tensors that gives a scalar.
        tensors: list of tensors.

    Returns:
        List of tensors; None, or zeros where a backend knows nothing else, for what the function does not depend on.
    """
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        return tape.gradient(value, tensors)
    if BACKEND == "jax":
        import jax

        return list(jax.grad(function, tuple(range(len(tensors))))(*tensors))
    import torch

    tensors = [tensor.detach().requires_grad_() for tensor in tensors]
    return list(torch.autograd.grad(function(*tensors), tensors, allow_unused=True))
