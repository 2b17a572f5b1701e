"""Callbacks around synchronization: a schedule for k, and evaluation where the paper evaluates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend import keras_internals
from train_by_reconnect.backend.types import Logs, Tensor
from train_by_reconnect.callbacks.agreement import agreement
from train_by_reconnect.optimizers.periodic import PeriodicOptimizer


class SyncPeriodScheduler(keras.callbacks.Callback):
    """Set k at the start of every epoch, as `LearningRateScheduler` sets the learning rate.

    Args:
        schedule: function `schedule(epoch, sync_period) -> sync_period`; epochs count from 0.

    Raises:
        ValueError: the model has no optimizer with a `sync_period`, or the schedule gives no integer of at
            least 1.

    Example:

    >>> doubling = SyncPeriodScheduler(lambda epoch, k: 2 * k if epoch == 10 else k)

    Reference:
        Qiu and Suda 2020, A.5.0: "a schedule designed for k can further improve the performance".
    """

    def __init__(self, schedule: Callable[[int, int], int]) -> None:
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set k for this epoch."""
        optimizer = periodic_optimizer(self.model)
        optimizer.sync_period = self.schedule(epoch, optimizer.sync_period)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report k with the metrics of the epoch."""
        if logs is not None:
            logs["sync_period"] = periodic_optimizer(self.model).sync_period


class SyncEvaluation(keras.callbacks.Callback):
    """Evaluate right after synchronizations, where all accuracies of the LaPerm paper are taken.

    The metrics of `fit` are left alone. The newest values, once there are any, join the logs of each epoch as
    `sync_<data>_<metric>`, so `ModelCheckpoint`, `CSVLogger` and the history see them; put this callback before
    those. `rows` holds every evaluation.

    Args:
        data: dict from a name to a pair (x, y) of arrays, e.g. `{"test": (x_test, y_test)}`.
        metrics: list of `keras.metrics.Metric`. Defaults to sparse categorical accuracy, named `"accuracy"`.
        every: int, evaluate at the first synchronization at or after each multiple of so many steps, and at the
            last. Defaults to 1, every synchronization.
        before: bool, evaluate just before the synchronization too: what the inner optimizer had reached. For this the
            callback itself synchronizes, between two steps; the weights are the same as without. Of the final
            synchronization of `fit` there is only the evaluation after it. Defaults to `False`.
        compare: bool, with `before` only: add `<data>_agreement`, `<data>_lost` and `<data>_gained` to the rows after a
            synchronization, as `agreement` compares the most probable classes. For integer labels. Defaults to
            `False`.
        batch_size: int, examples at a time. Defaults to 1000.

    Raises:
        ValueError: `every` is below 1, `compare` without `before`, the model has no optimizer with a `sync_period`, or
            a synchronization fell inside a call of several steps (`steps_per_execution`), where it cannot be observed.

    Example:

    >>> import numpy as np
    >>> from train_by_reconnect import LaPerm
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> model.compile(optimizer=LaPerm("adam", sync_period=5), loss="sparse_categorical_crossentropy")
    >>> x, y = np.ones((40, 4), "float32"), np.zeros(40, "int32")
    >>> evaluation = SyncEvaluation({"train": (x, y)})
    >>> history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[evaluation])
    >>> [row["step"] for row in evaluation.rows], sorted(evaluation.rows[0])
    ([5, 10], ['epoch', 'step', 'train_accuracy', 'when'])

    Reference:
        Qiu and Suda 2020, A.5: "calculated right after synchronization"; Fig. 6 (d) for `before`.
    """

    def __init__(
        self,
        data: Mapping[str, tuple[np.ndarray, np.ndarray]],
        metrics: Sequence[keras.metrics.Metric] | None = None,
        every: int = 1,
        before: bool = False,
        batch_size: int = 1000,
        compare: bool = False,
    ) -> None:
        super().__init__()
        if compare and not before:
            raise ValueError(
                "`compare` needs the answers before synchronizations. Received: compare=True, before=False. Pass "
                "before=True too."
            )
        if every < 1:
            raise ValueError(
                f"`every` must be at least 1, in optimizer steps. Received: every={every}. Pass 1 to evaluate at every "
                "synchronization."
            )
        self.data = {name: self._batches(*pair, batch_size) for name, pair in data.items()}
        self.metrics = metrics or [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
        self.every = every
        self.before = before
        self.compare = compare
        self.rows: list[dict[str, Any]] = []

    @staticmethod
    def _batches(x: np.ndarray, y: np.ndarray, size: int) -> list[tuple[Tensor, Tensor]]:
        # Converted once: an evaluation after every synchronization would otherwise be mostly copying.
        tensor = keras.ops.convert_to_tensor
        return [(tensor(x[i : i + size]), tensor(y[i : i + size])) for i in range(0, len(x), size)]

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find the optimizer."""
        self._optimizer = periodic_optimizer(self.model)
        self._seen: Any = None  # a number of steps from the first epoch on
        self._evaluated: int | None = None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note where a new or resumed training stands."""
        self._epoch = epoch
        if self._seen is None:  # not on_train_begin: BackupAndRestore may set the state after it
            self._seen = self._optimizer.last_sync

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Note the step, and take over the synchronizing if the state before it is wanted."""
        self._begun = int(self._optimizer.iterations.numpy())
        if self.before:
            self._hold_back_synchronization()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Evaluate if a synchronization has just happened, or is due."""
        step, last = int(self._optimizer.iterations.numpy()), self._optimizer.last_sync
        # Where the first synchronization of this call falls, if the call goes so far.
        due = max((last if self.before else self._seen) + self._optimizer.sync_period, self._begun + 1)
        if step < due if self.before else last == self._seen:
            return
        if step > due or (last != step and not self.before):
            raise ValueError(
                "`SyncEvaluation` must see the weights right after a synchronization. Received: a synchronization at "
                f"step {due}, seen only at step {step}. Choose `steps_per_execution` so that it divides `sync_period`."
            )
        wanted = step // self.every > self._seen // self.every
        if self.before:
            if wanted:
                self._evaluate("before")
            self._optimizer.synchronize()
        if wanted:
            self._evaluate("after", self._answers if self.compare else None)
        self._seen = step

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the newest values into the logs."""
        # None before the first: Keras takes a first NaN for the best value and never lets go of it.
        if logs is not None and self.rows:
            values = {key: value for key, value in self.rows[-1].items() if key not in ("epoch", "step", "when")}
            logs.update({f"sync_{name}": value for name, value in values.items()})

    def on_train_end(self, logs: Logs = None) -> None:
        """Evaluate after the last synchronization, if `fit` ends with one, whatever `every` is."""
        if self._optimizer.last_sync == int(self._optimizer.iterations.numpy()) != self._evaluated:
            self._evaluate("after")

    def _hold_back_synchronization(self) -> None:
        """Let the next call of the train function take its steps without synchronizing.

        It is held back during that call and no longer: no checkpoint is saved with it, and an exception that ends
        `fit` does not leave the optimizer without synchronizations.
        """
        train_function = keras_internals.train_function(self.model)

        def without_synchronizing(iterator: Any) -> Any:
            keras_internals.set_train_function(self.model, train_function)
            self._optimizer.sync_in_step = False
            try:
                return train_function(iterator)
            finally:
                self._optimizer.sync_in_step = True

        keras_internals.set_train_function(self.model, without_synchronizing)

    def _evaluate(self, when: str, answers_before: dict[str, np.ndarray] | None = None) -> None:
        step = int(self._optimizer.iterations.numpy())
        row = {"epoch": self._epoch, "step": step, "when": when}
        self._answers = {}
        for name, batches in self.data.items():
            for metric in self.metrics:
                metric.reset_state()
            answers = []
            for x, y in batches:
                predicted = self.model.predict_on_batch(x)
                for metric in self.metrics:
                    metric.update_state(y, predicted)
                if self.compare:
                    answers.append(np.argmax(predicted, axis=-1))
            row.update({f"{name}_{metric.name}": float(metric.result()) for metric in self.metrics})
            if self.compare:
                self._answers[name] = np.concatenate(answers)
            if answers_before is not None:
                labels = np.concatenate([np.ravel(y) for _, y in batches])
                found = agreement(labels, answers_before[name], self._answers[name])
                row.update({f"{name}_{key}": value for key, value in found.items()})
        self.rows.append(row)
        self._evaluated = step


def periodic_optimizer(model: keras.Model) -> PeriodicOptimizer:
    """The optimizer of a compiled model that synchronizes, such as `LaPerm`, also inside a `LossScaleOptimizer`."""
    optimizer = compiled = getattr(model, "optimizer", None)
    while optimizer is not None and not isinstance(optimizer, PeriodicOptimizer):
        optimizer = getattr(optimizer, "inner_optimizer", None)
    if optimizer is None:
        raise ValueError(
            "This callback needs an optimizer that synchronizes. Received: "
            f"model.optimizer={compiled!r}. Compile the model with `LaPerm(...)` or `Lookahead(...)`."
        )
    return optimizer
