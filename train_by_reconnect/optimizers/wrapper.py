"""An optimizer around another: all that Keras asks of an optimizer, forwarded to the inner one."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self

import keras
import numpy.typing as npt

from train_by_reconnect.backend import keras_optimizers
from train_by_reconnect.backend.chosen import backend_of_keras
from train_by_reconnect.backend.several_machines import let_fit_fail_with
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.optimizers.forwarding import OfInner
from train_by_reconnect.optimizers.inner_optimizer import get_inner, refuse_accumulation, refuse_arguments

_NO_FIT = (
    "Keras' `fit` and `evaluate` expect one machine under TensorFlow, whatever the optimizer (keras#20585). Received: "
    "MultiWorkerMirroredStrategy with several workers. Train in a loop of your own, as "
    "scripts/distributed/tensorflow_loop.py does, or by `fit` on JAX: docs/scale.md."
)


class OptimizerWrapper(keras.optimizers.Optimizer):
    """Base of the optimizers that let an inner optimizer take the steps and act on the weights between them.

    The learning rate, the step counter, the loss scale, weight decay, clipping and moving averages are the inner
    optimizer's, also where they are set on this one. A subclass adds its state with `add_variable` and calls
    `super().apply`.

    Args:
        inner_optimizer: a `keras.optimizers.Optimizer`, its name (`"adam"`) or its config.
        name: optional str.
        **kwargs: none are accepted; each gets an error that says where it belongs.

    Raises:
        ValueError: the inner optimizer is not one, is a `LossScaleOptimizer`, is one of the same class as this, or
            accumulates gradients; or an argument belongs to the inner optimizer.

    Example:

    >>> optimizer = OptimizerWrapper(keras.optimizers.SGD(0.1))
    >>> optimizer.learning_rate = 0.05
    >>> round(float(optimizer.inner_optimizer.learning_rate), 4)
    0.05
    """

    def __init__(
        self, inner_optimizer: keras.optimizers.Optimizer | str | dict[str, Any], name: str | None = None, **kwargs: Any
    ) -> None:
        backend_of_keras()  # it may have been changed since
        let_fit_fail_with(_NO_FIT)
        refuse_arguments(self, kwargs)
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = get_inner(self, inner_optimizer)

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the state of the inner optimizer and of this one.

        Args:
            variables: list of `keras.Variable`, the trainable variables.
        """
        if self.built:
            return
        refuse_accumulation(self, self.inner_optimizer.gradient_accumulation_steps)  # set on it since
        self.inner_optimizer.build(variables)
        keras_optimizers.know_variables(self, variables)

    def apply(self, grads: list[Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Let the inner optimizer take one step.

        Args:
            grads: list of gradients.
            trainable_variables: list of variables, one for each gradient; optional once built.
        """
        if trainable_variables is not None and not self.built:
            self.build(list(trainable_variables))
        self.inner_optimizer.apply(grads, trainable_variables)
        if self.iterations is self._own_iterations:  # a subclass whose inner optimizer does not count all steps
            self._own_iterations.assign_add(1)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor, keras.Variable]]) -> keras.Variable:
        """Let the inner optimizer take one step.

        Args:
            grads_and_vars: list of (gradient, variable) pairs.

        Returns:
            The number of steps so far.
        """
        super().apply_gradients(grads_and_vars)
        return self.iterations

    @property
    def variables(self) -> list[keras.Variable]:
        """All state, the inner optimizer's too, each variable once."""
        return self._own_variables + self.inner_optimizer.variables

    @property
    def _own_variables(self) -> list[keras.Variable]:
        """The state that is not the inner optimizer's."""
        return super().variables

    @property
    def iterations(self) -> keras.Variable:
        """The number of completed steps: a step skipped for overflow is not one."""
        return self.inner_optimizer.iterations

    @property
    def _own_iterations(self) -> keras.Variable:
        """A counter beside the inner optimizer's."""
        return super().iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    _COUNT_BEFORE_BUILDING = 2  # of its own variables

    weight_decay = OfInner()
    clipnorm = OfInner()
    global_clipnorm = OfInner()
    clipvalue = OfInner()
    use_ema = OfInner()
    ema_momentum = OfInner()
    ema_overwrite_frequency = OfInner()
    loss_scale_factor = OfInner()

    @property
    def gradient_accumulation_steps(self) -> None:
        """None: this is not supported."""
        return None

    @gradient_accumulation_steps.setter
    def gradient_accumulation_steps(self, steps: int | None) -> None:
        refuse_accumulation(self, steps)

    def exclude_from_weight_decay(
        self, var_list: Sequence[keras.Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Let the inner optimizer leave variables out of its weight decay.

        Args:
            var_list: optional list of `keras.Variable`.
            var_names: optional list of str, each a part of the names of variables.
        """
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    # The name is Keras' own: its `SwapEMAWeights` looks one wrapper deep, and under mixed precision there are two.
    @property
    def _model_variables_moving_average(self) -> list[keras.Variable]:
        return keras_optimizers.moving_averages(self.inner_optimizer)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """Scale the loss as the inner optimizer asks.

        Args:
            loss: scalar tensor.

        Returns:
            Scalar tensor.
        """
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """What Keras calls at the end of `fit`: the inner optimizer may put its moving averages in place.

        Args:
            var_list: list of the trainable variables.
        """
        self.inner_optimizer.finalize_variable_values(var_list)

    def save_own_variables(self, store: Any) -> None:
        """Save this optimizer's own state; Keras saves the inner optimizer as its child.

        Args:
            store: dict-like.
        """
        for index, variable in enumerate(self._own_variables):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> bool:
        """Load what `save_own_variables` wrote.

        Args:
            store: dict-like.

        Returns:
            Bool, whether it fits this optimizer and was loaded; if not, there is a warning.
        """
        held, own = len(store.keys()), len(self._own_variables)
        if not self.built or held != own:
            if held > self._COUNT_BEFORE_BUILDING:  # otherwise the file is of an optimizer that was not built
                warnings.warn(
                    f"The state of {self.name} in the file is not loaded. Received: {held} variables for an optimizer "
                    f"that has {own} (built={self.built}). Call `optimizer.build(model.trainable_variables)` before "
                    "loading into the same network; otherwise training starts anew, from the present weights.",
                    stacklevel=2,
                )
            return False
        for index, variable in enumerate(self._own_variables):
            variable.assign(store[str(index)])
        return True

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Set all state, in the order of `variables`.

        Args:
            weights: list of arrays.
        """
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def __repr__(self) -> str:
        inner = self.inner_optimizer
        shown = repr(inner) if isinstance(inner, OptimizerWrapper) else f"<{type(inner).__name__} {inner.name!r}>"
        settings = "".join(f", {name}={value!r}" for name, value in self._shown_settings().items())
        return f"{type(self).__name__}({shown}{settings})"

    def _shown_settings(self) -> dict[str, Any]:
        """What the `repr` shows besides the inner optimizer."""
        return {}

    def get_config(self) -> dict[str, Any]:
        """The arguments, with the inner optimizer's config."""
        return {"name": self.name, "inner_optimizer": keras_optimizers.serialized(self.inner_optimizer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        """The optimizer that `get_config` described.

        Args:
            config: dict.
            custom_objects: optional dict of names to classes.

        Returns:
            A new optimizer.
        """
        inner = keras.saving.deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
