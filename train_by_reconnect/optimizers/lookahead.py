"""Lookahead: every k steps the weights go part of the way from the slow weights to the fast ones."""

import numbers
from collections.abc import Callable
from typing import Any

import keras

from train_by_reconnect.backend import keras_optimizers
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.optimizers.periodic import PeriodicOptimizer


@keras.saving.register_keras_serializable(package="train_by_reconnect")
class Lookahead(PeriodicOptimizer):
    """The baseline LA of the LaPerm paper, with the behaviour of `tensorflow_addons.optimizers.Lookahead`.

    The inner optimizer moves the fast weights. After every k steps the slow weights follow,
    `slow += slow_step_size * (fast - slow)`, and the fast ones restart from there, `fast = slow`. The slow
    weights start as the initial weights, and every trainable variable takes part; one that is frozen later keeps
    the value it has then.

    Args:
        inner_optimizer: a `keras.optimizers.Optimizer`, its name or its config.
        sync_period: int, at least 1: k, in completed optimizer steps; or None, as for `LaPerm`. Defaults to 6.
        slow_step_size: float in [0, 1], the part of the way that the slow weights go. Defaults to 0.5.
        name: optional str. Defaults to `"lookahead"`.
        **kwargs: refused with an error that says where they belong.

    Raises:
        ValueError: an argument is out of its range or belongs to the inner optimizer.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=Lookahead(keras.optimizers.Adam()), loss="mse")

    Reference:
        Zhang, Lucas, Hinton and Ba 2019, "Lookahead Optimizer: k steps forward, 1 step back", algorithm 1; its
        settings here are those of Qiu and Suda 2020, A.5.2.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str | dict[str, Any],
        sync_period: int | None = 6,
        slow_step_size: float = 0.5,
        name: str | None = "lookahead",
        **kwargs: Any,
    ) -> None:
        super().__init__(inner_optimizer, sync_period, name=name, **kwargs)
        self.slow_step_size = _check_step_size(slow_step_size)

    def _create_state(self, variables: list[keras.Variable]) -> list[keras.Variable]:
        with keras_optimizers.untracked():
            self._fast = list(variables)
        self._slow = [self.add_variable_from_reference(variable, name="slow") for variable in variables]
        return [*self._fast, *self._slow]

    def _copy_weights(self) -> None:
        for slow, fast in zip(self._slow, self._fast, strict=True):
            slow.assign(keras.ops.copy(fast))

    def _initial_weights(self) -> tuple[list[keras.Variable], Callable[[], list[Tensor]]]:
        return self._slow, lambda: [keras.ops.convert_to_tensor(fast) for fast in self._fast]

    def _synchronized(self, values: list[Tensor]) -> list[Tensor]:
        # slow -> slow + size * (fast - slow), then fast -> slow. By hand, from 3.0 with SGD of 1.0 and gradient
        # 1, k = 2, size = 0.5: fast 3 -> 2 -> 1, slow 3 + 0.5 * (1 - 3) = 2, so fast 1 -> 2.
        fast, slow = values[: len(self._fast)], values[len(self._fast) :]
        moved = [
            s + self.slow_step_size * (f - s) if self._is_trained(variable) else f
            for f, s, variable in zip(fast, slow, self._fast, strict=True)
        ]
        return moved + moved

    def _shown_settings(self) -> dict[str, Any]:
        return {"sync_period": self.sync_period, "slow_step_size": self.slow_step_size}

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "slow_step_size": self.slow_step_size}


def _check_step_size(slow_step_size: Any) -> float:
    if not isinstance(slow_step_size, numbers.Real) or not 0 <= float(slow_step_size) <= 1:
        raise ValueError(
            f"`slow_step_size` must be a number from 0 to 1. Received: slow_step_size={slow_step_size!r}. "
            "Pass e.g. slow_step_size=0.5."
        )
    return float(slow_step_size)
