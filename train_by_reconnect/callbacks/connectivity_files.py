"""A callback that keeps a whole training in the bits of its permutations, masks or signs."""

import os
import pathlib
from typing import Any, Literal

import keras

from train_by_reconnect.backend import keras_layers, keras_training
from train_by_reconnect.backend.types import Logs
from train_by_reconnect.connectivity_files.history import INITIAL_FILE, file_of_step
from train_by_reconnect.connectivity_files.rules import InitialRule, rule_of
from train_by_reconnect.connectivity_files.saving import save_connectivity
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.optimizers.laperm import LaPerm
from train_by_reconnect.optimizers.nesting import find_optimizer


class ConnectivityFiles(keras.callbacks.Callback):
    """Write a connectivity file right after each synchronization, or of masks and signs at the end of each epoch.

    The files are named by the step, and `connectivity_history` reads them back. With `LaPerm` and no known rule the
    initial weights are kept in a file of their own, once, and the others are the permutations alone.

    Args:
        folder: str or path, made if it is not there.
        initial: where the initial weights come from, as of `save_connectivity`: an `InitialRule` or the path of a file.
            Defaults to None, the rule by which `draw_initial_weights` made this model, or the weights that the
            training with `LaPerm` starts from.

    Raises:
        ValueError: at the start of `fit`, the model has neither `LaPerm` nor layers with fixed kernels, or was trained
            before from weights that nobody knows; later, with `steps_per_execution` a synchronization happens
            where no callback sees it; and as from `save_connectivity`.

    Example:

    >>> import numpy as np, tempfile
    >>> from train_by_reconnect import connectivity_history, draw_initial_weights
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> rule = draw_initial_weights(model, "he_uniform", seed=0)
    >>> model.compile(LaPerm("adam", sync_period=2), loss="mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = ConnectivityFiles(folder)
    ...     history = model.fit(np.ones((5, 4)), np.ones((5, 3)), batch_size=1, verbose=0, callbacks=[files])
    ...     [step for step, _ in connectivity_history(folder)]
    [0, 2, 4, 5]

    Reference:
        Qiu and Suda 2020, section 7.
    """

    def __init__(
        self, folder: str | os.PathLike[str], initial: InitialRule | str | os.PathLike[str] | None = None
    ) -> None:
        super().__init__()
        self.folder, self.initial = pathlib.Path(folder), initial

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find what is trained, and keep the weights that the training starts with."""
        self._optimizer = find_optimizer(self.model, LaPerm)
        layers = keras_layers.all_layers(self.model)
        if self._optimizer is None and not any(isinstance(layer, FixedKernels) for layer in layers):
            raise ValueError(
                "`ConnectivityFiles` needs a training by permutation, masks or signs. Received: "
                f"model={self.model.name!r} with optimizer={type(self.model.optimizer).__name__}. Compile it with "
                "`LaPerm`, or make it by `connectivity_model`."
            )
        self._seen: int | None = None
        # Synchronizations before this training are none of its own.
        is_going_on = self._optimizer is not None and self._optimizer.built
        self._start = self._optimizer.last_sync if is_going_on else None  # type: ignore[union-attr]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._source = self._find_source()
        if self._optimizer is None or not self._optimizer.built or self._optimizer.last_sync == self._step():
            self._write()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write the weights if they were just synchronized."""
        if self._optimizer is not None:
            self._look()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write masks and signs, and weights that another callback has synchronized."""
        if self._optimizer is None:
            self._write()
        else:
            self._look()

    def on_train_end(self, logs: Logs = None) -> None:
        """Write the weights after the final synchronization."""
        if self._optimizer is not None and self._optimizer.last_sync == self._step():
            self._look()

    def _find_source(self) -> Any:
        if self.initial is not None or self._optimizer is None:
            return self.initial
        kept = self.folder / INITIAL_FILE
        rule = rule_of(self.model)
        if rule is None and not kept.exists():
            stored: Literal["stored"] = "stored"
            save_connectivity(self.model, kept, stored)
        return rule or kept

    def _step(self) -> int:
        keras_training.show_state(self.model)
        return int(self.model.optimizer.iterations.numpy())

    def _look(self) -> None:
        step = self._step()
        last = self._optimizer.last_sync  # type: ignore[union-attr]
        if last in (self._seen, self._start):
            return
        if last != step:
            raise ValueError(
                "`ConnectivityFiles` must see the weights right after a synchronization. Received: one at step "
                f"{last}, seen only at step {step}. Choose `steps_per_execution` so that it divides `sync_period`."
            )
        self._write()

    def _write(self) -> None:
        self._seen = self._step()
        save_connectivity(self.model, file_of_step(self.folder, self._seen), self._source)
