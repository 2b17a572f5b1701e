"""LaPerm: train by permuting the initial weights."""

import copy
import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from train_by_reconnect import backend
from train_by_reconnect.backend import keras_optimizers, keras_scopes
from train_by_reconnect.backend.diverged import diverged_message
from train_by_reconnect.backend.row_ranking import sort_kernel
from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.backend.types import Axes, Tensor
from train_by_reconnect.optimizers.fresh_state import state_to_reset
from train_by_reconnect.optimizers.periodic import PeriodicOptimizer
from train_by_reconnect.optimizers.sync_period import warn_of_too_long_a_period
from train_by_reconnect.weights.layouts import Layout
from train_by_reconnect.weights.variables import describe_as_before, path_of


@keras.saving.register_keras_serializable(package="train_by_reconnect")
class LaPerm(PeriodicOptimizer):
    """Lookahead permutation: every k steps the kernels become a permutation of their own initial values.

    The inner optimizer takes the steps. After every k of them comes a *synchronization*: each weight vector becomes
    the permutation of its own initial values that has the ranking which the inner optimizer has just learned,
    `theta_t <- sigma_theta_t(theta_sorted)`. Equal weights keep their order. The layer decides what a weight vector
    is: see the table in `train_by_reconnect.weights.layouts`, and `describe()` for what was decided.

    **What is guaranteed.** The weight vectors of all kernels are permutations of their initial ones right after a
    synchronization, and at no other time. Biases, and scale and offset of normalization layers, are trained freely
    (`skip_bias`, `skip_batch_norm`), and so are kernels that `unit_axes` leaves alone. `fit` ends with a
    synchronization, so the guarantee holds after it, whatever k. But it does not hold

    - at the end of an epoch, in the middle of `fit`: neither for the validation that Keras reports, nor for what
      `ModelCheckpoint` saves. `EarlyStopping(restore_best_weights=True)` brings such weights back *after* the final
      synchronization;
    - where a callback puts other weights in their place: `SwapEMAWeights` does during validation, or from an epoch's
      end on, and brings them back with rounding errors;
    - after `fit` was interrupted.

    With the callback `SyncEveryEpoch` the first of these is mended: it synchronizes at the end of every epoch, before
    validation, checkpoints and early stopping see it. `is_permutation(model)` tells whether it holds now, and
    `model.optimizer.synchronize()` makes it hold. With an inner optimizer that keeps moving averages, the averages
    give the final ranking.

    **How to choose k.** As a rule of thumb, a training should have about fifty synchronizations: k = steps / 50, at
    least 20. A small k starts fast and ends lower, a larger one starts slowly and ends higher, up to one or two epochs
    of steps in a training of many epochs; k = 1 learns badly, and a single synchronization at the very end leaves
    little of what was learned (the paper's Fig. 6 and A.5.3). `fit` warns of the last.

    The initial weights are those at the first step. After changing them by hand later, call `recapture()`. A layer
    that is frozen later keeps the weights it has then, until it is trainable again.

    Args:
        inner_optimizer: a `keras.optimizers.Optimizer`, its name (`"adam"`) or its config. Weight decay, clipping
            and moving averages are set there.
        sync_period: int, at least 1: k, in completed optimizer steps; or None, where `SyncEveryEpoch` or somebody else
            calls `synchronize()`. May be set during training, or by the callback `SyncPeriodScheduler`. Defaults to
            1000.
        skip_bias: bool, whether biases are left to the inner optimizer. If not, each is one weight vector.
            Defaults to `True`.
        skip_batch_norm: bool, whether scale and offset of normalization layers are left to the inner optimizer.
            `False` is the paper's gamma-beta reset: gamma starts as all 1 and beta as all 0, and the only
            permutation of equal values is those values, so each synchronization resets them. Defaults to `True`.
        final_sync: bool, whether `fit` ends with a synchronization. Defaults to `True`.
        reset_inner_state: bool, whether each synchronization makes the inner optimizer forget what it has learned of
            gradients, and the number of its steps, which corrects its bias, as if it were new. Moving averages of
            weights restart, the learning rate stays, and `iterations` goes on counting all steps. Defaults to `False`,
            as in the paper.
        unit_axes: optional dict that overrides what a weight vector is, from a regular expression on variable
            paths to the axes that number the neurons, or to `None` for variables to leave alone.
        name: optional str. Defaults to `"laperm"`.
        **kwargs: `layouts`, which only a config holds. Others are refused with an error that says where they belong.

    Raises:
        ValueError: an argument is out of its range or belongs to the inner optimizer; `reset_inner_state` with a
            `LearningRateSchedule`, which counts the steps, or with an inner optimizer that keeps copies of the weights;
            a variable is the scores of a connectivity layer; in the first step, if an initial weight is not finite; at
            the end of `fit` under XLA, if one has become so.
        tf.errors.InvalidArgumentError: from `fit`, if a weight is NaN or infinite at a synchronization; where it
            runs eagerly, a ValueError. Names the variable. A ranking would turn it into a finite weight and hide
            that the training diverged.

    Warns:
        UserWarning: `fit` ends, and its only synchronization is the final one; the unit axes of a variable are a guess.

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
        sync_period: int | None = 1000,
        skip_bias: bool = True,
        skip_batch_norm: bool = True,
        final_sync: bool = True,
        unit_axes: Mapping[str, Axes | None] | None = None,
        reset_inner_state: bool = False,
        name: str | None = "laperm",
        **kwargs: Any,
    ) -> None:
        layouts = kwargs.pop("layouts", [])
        super().__init__(inner_optimizer, sync_period, name=name, **kwargs)
        self._layouts_before: list[dict[str, Any]] = layouts
        self.skip_bias = bool(skip_bias)
        self.skip_batch_norm = bool(skip_batch_norm)
        self.final_sync = bool(final_sync)
        self._unit_axes = dict(unit_axes or {})
        self.reset_inner_state = bool(reset_inner_state)
        self._layouts: list[Layout] = []
        self._first_values: list[Any] = []  # of the inner optimizer's state that is reset
        self._last_seen = 0  # `last_sync` when `fit` began
        self._has_warned = False
        self._check_schedule(keras_optimizers.learning_rate_of(self.inner_optimizer))

    def _check_schedule(self, learning_rate: Any) -> None:
        if self.reset_inner_state and isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule):
            raise ValueError(
                "`reset_inner_state` restarts the inner optimizer's count of steps, which a `LearningRateSchedule` "
                f"needs. Received: learning_rate={learning_rate}. Set the rate by "
                "`keras.callbacks.LearningRateScheduler`."
            )

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self._check_schedule(learning_rate)
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self) -> keras.Variable:
        """The number of completed steps, whatever the inner optimizer remembers of them."""
        return self._own_iterations if self.reset_inner_state else super().iterations

    def _create_state(self, variables: list[keras.Variable]) -> list[keras.Variable]:
        self._check_schedule(keras_optimizers.learning_rate_of(self.inner_optimizer))  # set on it since
        described = describe_as_before(variables, self._unit_axes, self._layouts_before)
        self._layouts_before = [remembered for _, remembered in described]
        self._layouts = [self._used(layout) for layout, _ in described]
        _refuse_scores(self._layouts)
        # A kernel without weights, of a layer without inputs, has nothing to permute.
        permuted = [
            (variable, layout.unit_axes)
            for variable, layout in zip(variables, self._layouts, strict=True)
            if layout.unit_axes is not None and math.prod(variable.shape)
        ]
        with keras_optimizers.untracked():
            self._kernels = [variable for variable, _ in permuted]
        self._axes = tuple(axes for _, axes in permuted)
        self._paths = tuple(path_of(kernel) for kernel in self._kernels)
        self._sorted = [
            self.add_variable(
                to_rows(np.empty(kernel.shape, bool), axes, np).shape,
                dtype=kernel.dtype,
                layout=keras_scopes.layout_of_rows(kernel, axes),
                name=f"{path.replace('/', '_').replace(':', '_')}_sorted",
            )
            for kernel, axes, path in zip(self._kernels, self._axes, self._paths, strict=True)
        ]
        # The index of the first kernel found with a NaN or an infinity where no error can be raised; -1 for none.
        self._diverged = self._add_counter(-1, "diverged")
        state: list[keras.Variable] = []
        if self.reset_inner_state:
            state, self._first_values = state_to_reset(self.inner_optimizer, variables)
        return [*self._kernels, self._diverged, *state]

    def initial_rows(self) -> list[tuple[keras.Variable, Axes, np.ndarray]]:
        """The variables that are permuted, the axes that number their neurons, and their initial weight vectors.

        Returns:
            List of triples, with a sorted array of shape (units, size); before the first step, of the present weights.
        """
        if not self.built:
            return []
        if not self.has_initial_weights:
            self._copy_weights()
        return [
            (kernel, axes, ops.convert_to_numpy(rows))
            for kernel, axes, rows in zip(self._kernels, self._axes, self._sorted, strict=True)
        ]

    def _used(self, layout: Layout) -> Layout:
        """The layout of what is permuted; one without unit axes for what is left alone."""
        if (layout.kind == "bias" and self.skip_bias) or (layout.kind == "normalization" and self.skip_batch_norm):
            return dataclasses.replace(layout, unit_axes=None)
        return layout

    def describe(self) -> list[Layout]:
        """What a synchronization does with each variable, once built.

        Returns:
            List of `Layout` with the path of each variable, in the order of the model's trainable ones: the axes that
            number its weight vectors, or None where it is left to the inner optimizer.

        Raises:
            ValueError: the optimizer is not built yet.

        Example:

        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="net")
        >>> optimizer = LaPerm("adam")
        >>> optimizer.build(model.trainable_variables)
        >>> for layout in optimizer.describe():
        ...     print(layout)
        Layout(kind='kernel', unit_axes=(-1,), path='net/dense/kernel')
        Layout(kind='bias', unit_axes=None, path='net/dense/bias')
        """
        self._check_built("describe its variables")
        return list(self._layouts)

    def _copy_weights(self) -> None:
        for kernel, axes, path, rows in zip(self._kernels, self._axes, self._paths, self._sorted, strict=True):
            value = ops.convert_to_numpy(kernel)
            if not np.isfinite(value).all():
                raise ValueError(
                    f"LaPerm expects finite initial weights. Received: {path} with a NaN or an infinity. "
                    "Initialize it again."
                )
            rows.assign(sort_kernel(value, axes))

        self._last_seen = int(self.iterations.numpy())

    def _initial_weights(self) -> tuple[list[keras.Variable], Callable[[], list[Tensor]]]:
        return self._sorted, lambda: backend.sort_all(
            [ops.convert_to_tensor(kernel) for kernel in self._kernels], self._axes
        )

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
            raise ValueError(diverged_message(self._paths[index]))

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """What Keras calls at the end of `fit`: moving averages first, then the final synchronization.

        Args:
            var_list: list of the trainable variables.

        Raises:
            ValueError: a weight has become NaN or infinite.
        """
        if not self.built:  # `fit` took no step, or nothing is trainable
            return
        super().finalize_variable_values(var_list)
        self._raise_if_diverged()
        if self.final_sync:
            self._warn_if_the_only_one()
            self.synchronize()
        self._last_seen = self.last_sync

    def _warn_if_the_only_one(self) -> None:
        if self.last_sync == self._last_seen and self.sync_period is not None and not self._has_warned:
            steps = int(self.iterations.numpy()) - self._last_seen
            self._has_warned = warn_of_too_long_a_period(self.sync_period, steps)

    def _shown_settings(self) -> dict[str, Any]:
        defaults = inspect.signature(LaPerm).parameters
        settings = {name: getattr(self, name) for name in ("skip_bias", "skip_batch_norm", "final_sync")}
        settings |= {"unit_axes": self._unit_axes or None, "reset_inner_state": self.reset_inner_state}
        changed = {name: value for name, value in settings.items() if value != defaults[name].default}
        return {"sync_period": self.sync_period, **changed}

    def get_config(self) -> dict[str, Any]:
        """The arguments, and the layouts of the variables if it is built, so that a copy has the same."""
        return {
            **super().get_config(),
            "skip_bias": self.skip_bias,
            "skip_batch_norm": self.skip_batch_norm,
            "final_sync": self.final_sync,
            "unit_axes": self._unit_axes,
            "reset_inner_state": self.reset_inner_state,
            "layouts": copy.deepcopy(self._layouts_before),
        }


def _refuse_scores(layouts: list[Layout]) -> None:
    scores = [layout.path for layout in layouts if layout.kind == "scores"]
    if scores:
        raise ValueError(
            "LaPerm permutes kernels, and the scores of a connectivity layer are none: their values mean nothing "
            f"beyond their signs or order. Received: {', '.join(scores)}. Train them with the inner optimizer alone."
        )
