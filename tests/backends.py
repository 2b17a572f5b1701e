"""What differs between the backends of Keras in tests: which tests run where, gradients, and ways to compile."""

import keras
import pytest

BACKEND = keras.backend.backend()
# How a function can be run: as it is, traced, or by the backend's compiler.
MODES = {"tensorflow": ["graph", "eager", "jit"], "jax": ["eager", "jit"], "torch": ["eager"]}[BACKEND]
# PyTorch's compiler takes half a minute and more for a training step: the slow tests have it.
SLOW_TO_COMPILE = [pytest.mark.slow] if BACKEND == "torch" else []


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


def compiled(function, mode):
    """A function of tensors that changes no variables, as one of `MODES`."""
    if mode == "eager":
        return function
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=mode == "jit")


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
            with keras.StatelessScope(zip(variables, values, strict=True)):
                return loss()

        value, gradients = jax.value_and_grad(of)([variable.value for variable in variables])
        return gradients, value
    for variable in variables:
        variable.value.grad = None
    value = loss()
    value.backward()
    return [variable.value.grad for variable in variables], value
