"""The state of an optimizer for some variables, freed while these are not trained."""

from collections.abc import Callable, Iterable
from typing import Any

import keras

from train_by_reconnect import backend
from train_by_reconnect.backend import keras_optimizers, keras_training
from train_by_reconnect.optimizers.fresh_state import slots_of
from train_by_reconnect.optimizers.nesting import nested_optimizers


class DroppedState:
    """Frees what an optimizer keeps for variables, and makes it anew when they are trained again, by whomever.

    While something is freed, whatever would meet it makes it anew first: a `fit` or `train_on_batch` that begins, and
    saving and loading the optimizer.

    Args:
        model: a compiled model whose optimizer is built.

    Raises:
        ValueError: the state of the optimizer does not start with one number for each variable.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.optimizers = list(nested_optimizers(model))
        innermost = self.optimizers[-1]
        variables = keras_optimizers.known_variables(innermost)
        self._slots = {
            id(variable): [(slot, tuple(slot.shape), first) for slot, first in slots]
            for variable, slots in zip(variables, slots_of(innermost), strict=True)
        }
        self._dropped: set[int] = set()
        self._guards: list[Callable[[], None]] = []

    def drop(self, variables: Iterable[keras.Variable]) -> None:
        """Free the state of these variables, and make that of all others anew if it was freed."""
        wanted = set(map(id, variables))
        if wanted == self._dropped:
            return
        keras_training.show_state_and_forget(self.model)
        for key in wanted - self._dropped:
            for slot, _, _ in self._slots[key]:
                backend.release(slot)
            self._dropped.add(key)
            self._guard()
        self._refill(self._dropped - wanted)

    def restore(self) -> None:
        """Make all anew that was freed, and leave model and optimizer as they were."""
        if self._dropped:
            keras_training.show_state(self.model)
        self._refill(set(self._dropped))
        for end in self._guards:
            end()
        self._guards = []

    def _refill(self, keys: set[int]) -> None:
        for key in keys:
            for slot, shape, first in self._slots[key]:
                backend.refill(slot, shape, first)
        self._dropped -= keys

    def _guard(self) -> None:
        if self._guards:
            return
        self._guards.append(keras_training.call_before_training(self.model, self.restore))
        for optimizer in self.optimizers:
            for name in ("save_own_variables", "load_own_variables"):
                guarded = self._restoring(getattr(optimizer, name))
                self._guards.append(keras_training.put(optimizer, name, guarded))

    def _restoring(self, function: Callable) -> Callable:
        def restore_first(*arguments: Any) -> Any:
            self.restore()
            return function(*arguments)

        return restore_first
