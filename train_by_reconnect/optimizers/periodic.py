"""Optimizers that synchronize the weights every k steps of an inner optimizer, inside the compiled train step."""

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from train_by_reconnect import backend
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.optimizers.wrapper import OptimizerWrapper


class PeriodicOptimizer(OptimizerWrapper):
    """Base of the optimizers that synchronize the weights every k completed steps of the inner optimizer.

    A subclass says which weights take part (`_create_state`), what it keeps of the initial ones (`_copy_weights`)
    and what a synchronization makes of them (`_synchronized`, a pure function of tensors). The k steps are counted
    from the last synchronization, whatever caused it, so a new k takes effect at once.

    Args:
        inner_optimizer: as in `OptimizerWrapper`.
        sync_period: int, at least 1: k, in completed optimizer steps.
        name: optional str.
        **kwargs: refused, as in `OptimizerWrapper`.

    Raises:
        ValueError: `sync_period` is not an integer of at least 1, and as in `OptimizerWrapper`.

    Example:

    >>> from train_by_reconnect import LaPerm
    >>> optimizer = LaPerm("adam", sync_period=20)
    >>> optimizer.sync_period = 50
    >>> optimizer.sync_period
    50
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str | dict[str, Any],
        sync_period: int,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(inner_optimizer, name=name, **kwargs)
        self._sync_period = self._add_counter(check_sync_period(sync_period), "sync_period")
        self._last_sync = self._add_counter(0, "last_sync")
        self._sync_in_step = self._add_counter(1, "sync_in_step")
        self._has_initial_weights = False
        self._state_from_file: dict[str, Any] | None = None
        # Ids of variables that are trained, but not in the step being run or compiled.
        self.frozen_for_step: frozenset[int] = frozenset()

    def _add_counter(self, value: int, name: str) -> keras.Variable:
        return self.add_variable(
            shape=(),
            dtype="int",
            initializer=keras.initializers.Constant(value),
            aggregation="only_first_replica",
            name=name,
        )

    @property
    def sync_period(self) -> int:
        """k, the number of completed steps between synchronizations; may be set during training."""
        return int(self._sync_period.numpy())

    @sync_period.setter
    def sync_period(self, sync_period: int) -> None:
        self._sync_period.assign(check_sync_period(sync_period))

    @property
    def last_sync(self) -> int:
        """The number of completed steps at the last synchronization; 0 before the first."""
        return int(self._last_sync.numpy())

    @property
    def sync_in_step(self) -> bool:
        """Whether the train step synchronizes by itself; if not, somebody calls `synchronize`."""
        return bool(self._sync_in_step.numpy())

    @sync_in_step.setter
    def sync_in_step(self, sync_in_step: bool) -> None:
        self._sync_in_step.assign(int(bool(sync_in_step)))

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the state; where the model already has weights, they are kept as the initial ones.

        Args:
            variables: list of `keras.Variable`, the trainable variables.
        """
        if self.built:
            return
        # `fit` builds while it traces, and what is assigned inside that graph is lost.
        with backend.outside_graph():
            self._create_state(variables)
            super().build(variables)
            if self._state_from_file is not None:
                self.load_own_variables(self._state_from_file)
                self._last_sync.assign(self.iterations)
                self._state_from_file = None
        self._keep_initial_weights()

    def _keep_initial_weights(self) -> None:
        """Keep them if they exist: a model that was never built gets them only after the first trace of `fit`."""
        with backend.outside_graph():
            if not self._has_initial_weights and backend.are_initialized(self._synchronized_variables):
                self.recapture()

    def recapture(self) -> None:
        """Take the present weights for the initial ones, e.g. after changing them by hand between two `fit`."""
        self._copy_weights()
        self._last_sync.assign(self.iterations)
        self._has_initial_weights = True

    def apply(self, grads: list[Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """One step of the inner optimizer, then a synchronization if k steps have passed since the last.

        Args:
            grads: list of gradients.
            trainable_variables: list of variables, one for each gradient; optional once built.
        """
        if self.built:
            self._keep_initial_weights()
        super().apply(grads, trainable_variables)
        if not self._has_initial_weights:
            backend.fail_when_run(
                f"{type(self).__name__} could not read the initial weights. Build the model before `fit`, e.g. by "
                "starting it with `keras.Input`."
            )
        is_due = ops.logical_and(
            ops.convert_to_tensor(self.iterations) - self._last_sync >= self._sync_period,
            ops.cast(self._sync_in_step, "bool"),
        )
        backend.assign_if(is_due, *self._synchronization())

    def synchronize(self) -> None:
        """Synchronize now, outside the train step.

        Raises:
            ValueError: the optimizer is not built yet, so there is nothing to synchronize with.
        """
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before it can synchronize. Received: built=False. Call "
                "`fit`, or `optimizer.build(model.trainable_variables)`."
            )
        backend.assign_if(True, *self._synchronization())

    def _synchronization(self) -> tuple[list[keras.Variable], Callable[[list[Tensor]], list[Tensor]]]:
        """The variables that a synchronization assigns, and the function from their present to their new values."""
        variables = [*self._synchronized_variables, self._last_sync]
        return variables, lambda values: [*self._synchronized(values[:-1]), ops.convert_to_tensor(self.iterations)]

    def _is_trained(self, variable: keras.Variable) -> bool:
        return variable.trainable or id(variable) in self.frozen_for_step

    def _create_state(self, variables: list[keras.Variable]) -> None:
        """Set `_synchronized_variables`, those that a synchronization may change, and make what it needs."""
        raise NotImplementedError

    def _copy_weights(self) -> None:
        """Make from the present weights what a synchronization needs."""
        raise NotImplementedError

    def _synchronized(self, values: list[Tensor]) -> list[Tensor]:
        """The new values of `_synchronized_variables`, from their present ones."""
        raise NotImplementedError

    def load_own_variables(self, store: Any) -> bool:
        """Load the state; that of a built optimizer is kept until this one is built.

        Args:
            store: dict-like.

        Returns:
            Bool, whether it was loaded.
        """
        if not self.built and len(store.keys()) != len(self._own_variables):
            self._state_from_file = {key: store[key][()] for key in store.keys()}  # noqa: SIM118
            return False
        loaded = super().load_own_variables(store)
        self._has_initial_weights |= loaded and self.built
        return loaded

    def get_config(self) -> dict[str, Any]:
        """The arguments, k as it is now."""
        return {**super().get_config(), "sync_period": self.sync_period}


def check_sync_period(sync_period: Any) -> int:
    """Return k as an int of at least 1, or say what is wrong with it.

    Example:

    >>> check_sync_period(20)
    20
    """
    if isinstance(sync_period, bool) or not isinstance(sync_period, numbers.Integral) or sync_period < 1:
        raise ValueError(
            f"`sync_period` must be an integer of at least 1, in optimizer steps. "
            f"Received: sync_period={sync_period!r}. Pass e.g. sync_period=1000."
        )
    return int(sync_period)
