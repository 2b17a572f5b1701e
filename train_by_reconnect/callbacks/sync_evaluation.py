"""A callback that evaluates right after synchronizations, and right before them."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend import keras_training
from train_by_reconnect.backend.types import Logs
from train_by_reconnect.callbacks.agreement import agreement
from train_by_reconnect.callbacks.evaluation_data import named_batches
from train_by_reconnect.callbacks.measuring import measure
from train_by_reconnect.callbacks.periods import check_every
from train_by_reconnect.callbacks.synchronization import periodic_optimizer
from train_by_reconnect.callbacks.train_steps import TrainSteps, around_next_step


class SyncEvaluation(keras.callbacks.Callback):
    """Evaluate right after synchronizations, where all accuracies of the LaPerm paper are taken.

    The metrics of `fit` are left alone. `rows` holds every evaluation of a model. The newest values join the logs of
    each epoch as `sync_<data>_<metric>`, so `ModelCheckpoint`, `CSVLogger` and the history see them; put this callback
    before those. An epoch that ends before the first synchronization gets those of the weights that `fit` starts with.

    Args:
        data: dict from a name to what is evaluated, e.g. `{"test": (x_test, y_test)}`: a pair (x, y) of arrays, x also
            as a list or dict of several inputs; or batches of such pairs, e.g. a `tf.data.Dataset` or a
            `keras.utils.PyDataset`, which is read once and kept in memory.
        metrics: list of `keras.metrics.Metric`, or of what `compile` takes, e.g. `["accuracy"]`, which is the binary,
            categorical or sparse categorical one that fits the data. Defaults to `["accuracy"]`.
        every: int, evaluate at the first synchronization at or after each multiple of so many steps, and at the
            last. Defaults to 1, every synchronization.
        before: bool, evaluate just before the synchronization too: what the inner optimizer had reached. For this the
            callback itself synchronizes, right after the step; the weights are the same as without. Of the final
            synchronization of `fit`, and of one that another callback makes between two steps, there is only the
            evaluation after it. Defaults to `False`.
        compare: bool, with `before` only: add `<data>_agreement`, `<data>_lost` and `<data>_gained` to the rows after a
            synchronization, as `agreement` compares the most probable classes; of a single output, a probability, the
            class is 1 above 0.5. For integer labels. Defaults to `False`.
        batch_size: int, examples at a time, of data that is not in batches. Defaults to 1000.

    Raises:
        ValueError: `data` is no dict, holds no examples, or not as many inputs as targets; `every` or `batch_size` is
            no integer of at least 1; `compare` without `before`. From `fit`, the model has several outputs or no
            optimizer with a `sync_period`; with `compare`, answers or labels are no classes; a synchronization fell
            inside a call of several steps (`steps_per_execution`), where it cannot be observed.

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
        data: Mapping[str, Any],
        metrics: Sequence[keras.metrics.Metric | str | Callable] | None = None,
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
        self.data = named_batches(data, batch_size)
        self.metrics: list[Any] = [metrics] if isinstance(metrics, str) else list(metrics or ["accuracy"])
        for metric in self.metrics:
            keras.metrics.get(metric)  # refuses a name that is none
        self.every = check_every("every", every)
        self.before = before
        self.compare = compare
        self.rows: list[dict[str, Any]] = []
        self._newest: dict[str, float] = {}
        self._evaluated: tuple[keras.Model | None, int] = None, 0
        self._train_steps: TrainSteps | None = None

    def __repr__(self) -> str:
        """The data, when it is evaluated, and how often it was."""
        data = ", ".join(f"{name} ({sum(len(y) for _, y in batches):,})" for name, batches in self.data.items())
        options = f"every={self.every}, before={self.before}, compare={self.compare}"
        return f"<SyncEvaluation of {data}, {options}: {len(self.rows)} rows>"

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find the optimizer."""
        self._optimizer = periodic_optimizer(self.model)
        self._before: tuple[int, dict[str, np.ndarray]] = 0, {}  # a step, and the answers before its synchronization
        self._seen: Any = None  # a number of steps from the first epoch on

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note where a new or resumed training stands."""
        self._epoch = epoch
        if self._seen is None:  # not on_train_begin: BackupAndRestore may set the state after it
            self._seen = self._optimizer.last_sync
            model, step = self._evaluated
            if model is not self.model or step > self._step():
                self.rows, self._evaluated = [], (self.model, self._step())
                self._newest, _ = measure(self.model, self.data, self.metrics, self.compare)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Note the step, and take over the synchronizing if the state before it is wanted."""
        self._look_between_steps()
        self._begun = self._step()
        if self.before:
            self._train_steps = around_next_step(self.model, self._train_steps, self._synchronizing_after())

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Evaluate if a synchronization has just happened."""
        step, last = self._step(), self._optimizer.last_sync
        if last == self._seen:
            return
        due = self._due(self._seen)
        if step > due or last != step:
            raise _hidden(due, step)
        self._evaluate_after(step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the newest values into the logs."""
        self._look_between_steps()
        if logs is not None:
            logs.update({f"sync_{name}": value for name, value in self._newest.items()})

    def on_train_end(self, logs: Logs = None) -> None:
        """Evaluate after the last synchronization, if `fit` ends with one, whatever `every` is."""
        if self._seen is not None and self._optimizer.last_sync == self._step() != self._evaluated[1]:
            self._evaluate("after")

    def _step(self) -> int:
        keras_training.show_state(self.model)
        return int(self._optimizer.iterations.numpy())

    def _look_between_steps(self) -> None:
        """Evaluate if another callback has synchronized."""
        step, last = self._step(), self._optimizer.last_sync
        if last == step != self._seen:
            self._evaluate_after(step)

    def _evaluate_after(self, step: int) -> None:
        if self._is_wanted(step):
            self._evaluate("after")
        self._seen = step

    def _due(self, last: int) -> float:
        """Where the first synchronization of a call falls, if the call goes so far."""
        period = self._optimizer.sync_period
        return math.inf if period is None else max(last + period, self._begun + 1)

    def _is_wanted(self, step: int) -> bool:
        return step // self.every > self._seen // self.every

    @contextlib.contextmanager
    def _synchronizing_after(self) -> Iterator[None]:
        """Let the next call take its steps without synchronizing; then evaluate, and synchronize if it is due.

        It is held back during that call and no longer: no checkpoint is saved with it, and an exception that ends
        `fit` does not leave the optimizer without synchronizations. Of several such callbacks the one whose context is
        around the others synchronizes, when all have evaluated.
        """
        is_outermost = self._optimizer.sync_in_step
        self._optimizer.sync_in_step = False
        try:
            yield
            step, due = self._step(), self._due(self._optimizer.last_sync)
            if step > due:
                raise _hidden(due, step)
            if step == due and self._is_wanted(step):
                self._evaluate("before")
            if step == due and is_outermost:
                self._optimizer.synchronize()
        finally:
            self._optimizer.sync_in_step = is_outermost

    def _evaluate(self, when: str) -> None:
        self._newest, answers = measure(self.model, self.data, self.metrics, self.compare)
        step = self._step()
        if when == "before":
            self._before = step, answers
        elif self._before[0] == step:
            for name, after in answers.items():
                labels = np.concatenate([np.ravel(y) for _, y in self.data[name]])
                found = agreement(labels, self._before[1][name], after)
                self._newest.update({f"{name}_{key}": value for key, value in found.items()})
            # What is of one data set stands together.
            ordered = (key for name in self.data for key in self._newest if key.startswith(f"{name}_"))
            self._newest = {key: self._newest[key] for key in ordered}
        self.rows.append({"epoch": self._epoch, "step": step, "when": when, **self._newest})
        self._evaluated = self.model, step


def _hidden(due: float, step: int) -> ValueError:
    return ValueError(
        "`SyncEvaluation` must see the weights right after a synchronization. Received: a synchronization at step "
        f"{due}, seen only at step {step}. Choose `steps_per_execution` so that it divides `sync_period`."
    )
