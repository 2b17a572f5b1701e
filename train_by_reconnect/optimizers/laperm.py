"""LaPerm: train by permuting the initial weights."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from train_by_reconnect import backend
from train_by_reconnect.backend import keras_internals
from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.backend.types import Axes, Tensor
from train_by_reconnect.optimizers.periodic import PeriodicOptimizer
from train_by_reconnect.weights.layouts import Layout, describe_variables


@keras.saving.register_keras_serializable(package="train_by_reconnect")
class LaPerm(PeriodicOptimizer):
    """Lookahead permutation: every k steps the weights become a permutation of their own initial values.

    The inner optimizer takes the steps. After every k of them comes a *synchronization*: each weight vector becomes
    the permutation of its own initial values that has the ranking which the inner optimizer has just learned,
    `theta_t <- sigma_theta_t(theta_sorted)`. Equal weights keep their order. The layer decides what a weight vector
    is: see the table in `train_by_reconnect.weights.layouts`.

    After `fit` the weights are a permutation of the initial ones, also where k does not divide the number of steps:
    `fit` ends with a synchronization. Keras reports the last epoch's validation before that; the callback
    `SyncEvaluation` evaluates after it. With an inner optimizer that keeps moving averages, the averages give the final
    ranking.

    The initial weights are those at the first step. After changing them by hand later, call `recapture()`. A layer
    that is frozen later keeps the weights it has then, until it is trainable again.

    Args:
        inner_optimizer: a `keras.optimizers.Optimizer`, its name (`"adam"`) or its config. Weight decay, clipping
            and moving averages are set there.
        sync_period: int, at least 1: k, in completed optimizer steps; may be set during training, or by
            the callback `SyncPeriodScheduler`. Defaults to 1000.
        skip_bias: bool, whether biases are left to the inner optimizer. If not, each is one weight vector.
            Defaults to `True`.
        skip_batch_norm: bool, whether scale and offset of normalization layers are left to the inner optimizer.
            `False` is the paper's gamma-beta reset: gamma starts as all 1 and beta as all 0, and the only
            permutation of equal values is those values, so each synchronization resets them. Defaults to `True`.
        final_sync: bool, whether `fit` ends with a synchronization. Defaults to `True`.
        reset_inner_state: bool, whether each synchronization makes the inner optimizer forget what it has learned of
            gradients, and the number of its steps, which corrects its bias. Moving averages of weights restart, the
            learning rate stays, and `iterations` goes on counting all steps. Defaults to `False`, as in the paper.
        unit_axes: optional dict that overrides what a weight vector is, from a regular expression on variable
            paths to the axes that number the neurons, or to `None` for variables to leave alone.
        name: optional str. Defaults to `"laperm"`.
        **kwargs: refused with an error that says where they belong.

    Raises:
        ValueError: an argument is out of its range or belongs to the inner optimizer; `reset_inner_state` with a
            `LearningRateSchedule`, which counts the steps; in the step that builds it, if an initial weight is not
            finite; at the end of `fit` under XLA, if one has become so.
        tf.errors.InvalidArgumentError: from `fit`, if a weight is NaN or infinite at a synchronization; where it
            runs eagerly, a ValueError. Names the variable. A ranking would turn it into a finite weight and hide
            that the training diverged.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> before = model.get_weights()[0]
    >>> model.compile(optimizer=LaPerm(keras.optimizers.Adam(), sync_period=2), loss="mse")
    >>> history = model.fit(np.ones((40, 4)), np.ones((40, 3)), batch_size=8, verbose=0)
    >>> bool((np.sort(model.get_weights()[0], axis=0) == np.sort(before, axis=0)).all())
    True

    Reference:
        Qiu and Suda 2020, "Train-by-Reconnect: Decoupling Locations of Weights from Their Values", section 4,
        algorithm 1; A.5.6 for the gamma-beta reset. Unlike the paper, the k steps are counted from the last
        synchronization, which is the same for a constant k; and the table decides what a weight vector is, where
        the original takes the last axis of every variable, also of a depthwise convolution.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str | dict[str, Any],
        sync_period: int = 1000,
        skip_bias: bool = True,
        skip_batch_norm: bool = True,
        final_sync: bool = True,
        unit_axes: Mapping[str, Axes | None] | None = None,
        reset_inner_state: bool = False,
        name: str | None = "laperm",
        **kwargs: Any,
    ) -> None:
        super().__init__(inner_optimizer, sync_period, name=name, **kwargs)
        self.skip_bias = bool(skip_bias)
        self.skip_batch_norm = bool(skip_batch_norm)
        self.final_sync = bool(final_sync)
        self._unit_axes = dict(unit_axes or {})
        self.reset_inner_state = bool(reset_inner_state)
        self._first_values: list[Any] = []  # of the inner optimizer's state that is reset
        schedule = keras_internals.learning_rate_of(self.inner_optimizer)
        if self.reset_inner_state and isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            raise ValueError(
                "`reset_inner_state` restarts the inner optimizer's count of steps, which a `LearningRateSchedule` "
                f"needs. Received: learning_rate={schedule}. Set the rate by `keras.callbacks.LearningRateScheduler`."
            )

    @property
    def iterations(self) -> keras.Variable:
        """The number of completed steps, whatever the inner optimizer remembers of them."""
        return self._own_iterations if self.reset_inner_state else super().iterations

    def _create_state(self, variables: list[keras.Variable]) -> None:
        layouts = describe_variables(variables, self._unit_axes)
        self._kernels = [v for v, layout in zip(variables, layouts, strict=True) if self._is_permuted(layout)]
        self._axes: tuple[Axes, ...] = tuple(
            layout.unit_axes  # type: ignore[misc]  # what is permuted has unit axes
            for layout in layouts
            if self._is_permuted(layout)
        )
        self._paths = tuple(getattr(kernel, "path", kernel.name) for kernel in self._kernels)
        self._sorted = [
            self.add_variable(
                to_rows(np.empty(kernel.shape, bool), axes, np).shape,
                dtype=kernel.dtype,
                name=f"{path.replace('/', '_')}_sorted",
            )
            for kernel, axes, path in zip(self._kernels, self._axes, self._paths, strict=True)
        ]
        # The index of the first kernel found with a NaN or an infinity where no error can be raised; -1 for none.
        self._diverged = self._add_counter(-1, "diverged")
        self._synchronized_variables = [*self._kernels, self._diverged]
        if self.reset_inner_state:
            self._synchronized_variables += self._inner_state(variables)

    def _inner_state(self, variables: list[keras.Variable]) -> list[keras.Variable]:
        """The variables to reset, whose first values are kept: each has one value everywhere before the first step."""
        inner = self.inner_optimizer
        inner.build(variables)
        kept = set(map(id, [keras_internals.learning_rate_of(inner), *keras_internals.moving_averages(inner, [])]))
        state = [variable for variable in inner.variables if id(variable) not in kept]
        self._first_values = [keras.ops.convert_to_numpy(variable).flat[0] for variable in state]
        return state

    def _is_permuted(self, layout: Layout) -> bool:
        if layout.kind == "bias":
            return not self.skip_bias
        if layout.kind == "normalization":
            return not self.skip_batch_norm
        return layout.unit_axes is not None

    def _copy_weights(self) -> None:
        for kernel, axes, path, rows in zip(self._kernels, self._axes, self._paths, self._sorted, strict=True):
            value = kernel.numpy()
            if not np.isfinite(value).all():
                raise ValueError(
                    f"LaPerm expects finite initial weights. Received: {path} with a NaN or an infinity. "
                    "Initialize it again."
                )
            rows.assign(np.sort(to_rows(value, axes, np), axis=1, kind="stable"))

    def _synchronized(self, values: list[Tensor]) -> list[Tensor]:
        count = len(self._kernels)
        kernels, diverged, inner_state = values[:count], values[count], values[count + 1 :]
        sorted_rows = [ops.convert_to_tensor(variable) for variable in self._sorted]
        permuted, found = backend.permute_all(kernels, self._axes, sorted_rows, self._paths)
        kernels = [
            new if self._is_trained(variable) else kernel
            for new, kernel, variable in zip(permuted, kernels, self._kernels, strict=True)
        ]
        reset = [ops.full_like(v, first) for v, first in zip(inner_state, self._first_values, strict=True)]
        return [*kernels, ops.where(diverged < 0, found, diverged), *reset]

    def synchronize(self) -> None:
        """Synchronize now, outside the train step.

        Raises:
            ValueError: the optimizer is not built, or a weight has become NaN or infinite.
        """
        self._raise_if_diverged()
        super().synchronize()

    def _raise_if_diverged(self) -> None:
        index = int(self._diverged.numpy()) if self.built else -1
        if index >= 0:
            raise ValueError(backend.diverged_message(self._paths[index]))

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """What Keras calls at the end of `fit`: moving averages first, then the final synchronization.

        Args:
            var_list: list of the trainable variables.

        Raises:
            ValueError: a weight has become NaN or infinite.
        """
        super().finalize_variable_values(var_list)
        self._raise_if_diverged()
        if self.final_sync:
            self.synchronize()

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {
            **super().get_config(),
            "skip_bias": self.skip_bias,
            "skip_batch_norm": self.skip_batch_norm,
            "final_sync": self.final_sync,
            "unit_axes": self._unit_axes,
            "reset_inner_state": self.reset_inner_state,
        }
