"""A schedule for k, and the optimizer that a callback around synchronizations needs."""

from collections.abc import Callable
from typing import Any

import keras

from train_by_reconnect.backend.types import Logs
from train_by_reconnect.optimizers.nesting import find_optimizer
from train_by_reconnect.optimizers.periodic import PeriodicOptimizer


class SyncPeriodScheduler(keras.callbacks.Callback):
    """Set k at the start of every epoch, as `LearningRateScheduler` sets the learning rate.

    Args:
        schedule: function `schedule(epoch, sync_period) -> sync_period`; epochs count from 0. None lets no step of the
            epoch synchronize.

    Raises:
        ValueError: the model has no optimizer with a `sync_period`, or the schedule gives neither None nor an integer
            of at least 1.

    Example:

    >>> doubling = SyncPeriodScheduler(lambda epoch, k: 2 * k if epoch == 10 else k)

    Reference:
        Qiu and Suda 2020, A.5.0: "a schedule designed for k can further improve the performance".
    """

    def __init__(self, schedule: Callable[[int, Any], int | None]) -> None:
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set k for this epoch."""
        optimizer = periodic_optimizer(self.model)
        optimizer.sync_period = self.schedule(epoch, optimizer.sync_period)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report k, if there is one, with the metrics of the epoch."""
        period = periodic_optimizer(self.model).sync_period
        if logs is not None and period is not None:  # Keras' progress bar adds up what is in the logs
            logs["sync_period"] = period


def periodic_optimizer(model: keras.Model) -> PeriodicOptimizer:
    """The optimizer of a compiled model that synchronizes, such as `LaPerm`, also inside a `LossScaleOptimizer`."""
    optimizer = find_optimizer(model, PeriodicOptimizer)
    if optimizer is None:
        raise ValueError(
            "This callback needs an optimizer that synchronizes. Received: "
            f"model.optimizer={getattr(model, 'optimizer', None)!r}. Compile the model with `LaPerm(...)` or "
            "`Lookahead(...)`."
        )
    return optimizer
