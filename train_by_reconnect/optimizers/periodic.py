"""Optimizers that synchronize the weights every k steps of an inner optimizer, inside the compiled train step."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from train_by_reconnect import backend
from train_by_reconnect.backend import keras_optimizers
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.optimizers.sync_period import decoded, encoded
from train_by_reconnect.optimizers.wrapper import OptimizerWrapper

# Among numbers of steps: no synchronization nor start of training yet.
_NO_INITIAL_WEIGHTS = -1


class PeriodicOptimizer(OptimizerWrapper):
    """Base of the optimizers that synchronize the weights every k completed steps of the inner optimizer.

    A subclass says which weights take part (`_create_state`), what it keeps of the initial ones (`_copy_weights`,
    `_initial_weights`) and what a synchronization makes of them (`_synchronized`, a pure function of tensors). The k
    steps are counted from the last synchronization, whatever caused it, so a new k takes effect at once. The initial
    weights are those at the first step, whatever was loaded or changed between building and that.

    Args:
        inner_optimizer: as in `OptimizerWrapper`.
        sync_period: int, at least 1: k, in completed optimizer steps. `None`: no step synchronizes; somebody calls
            `synchronize`, e.g. the callback `SyncEveryEpoch`.
        name: optional str.
        **kwargs: refused, as in `OptimizerWrapper`.

    Raises:
        ValueError: `sync_period` is neither None nor an integer of at least 1, and as in `OptimizerWrapper`.

    Example:

    >>> from train_by_reconnect import LaPerm
    >>> optimizer = LaPerm("adam", sync_period=20)
    >>> optimizer.sync_period = 50
    >>> optimizer.sync_period
    50
    """

    _COUNT_BEFORE_BUILDING = 5

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer | str | dict[str, Any],
        sync_period: int | None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(inner_optimizer, name=name, **kwargs)
        self._sync_period = self._add_counter(encoded(sync_period), "sync_period")
        # Kept in a variable, so that whatever restores the state, a file or a checkpoint, restores this too.
        self._last_sync = self._add_counter(_NO_INITIAL_WEIGHTS, "last_sync")
        self._sync_in_step = self._add_counter(1, "sync_in_step")
        self._has_stepped = False  # a step may be compiled that does not look for initial weights any more
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
    def sync_period(self) -> int | None:
        """k, the number of completed steps between synchronizations, or None; may be set during training."""
        return decoded(int(self._sync_period.numpy()))

    @sync_period.setter
    def sync_period(self, sync_period: int | None) -> None:
        self._sync_period.assign(encoded(sync_period))

    @property
    def last_sync(self) -> int:
        """The number of completed steps at the last synchronization; before the first, at the start."""
        return int((self._last_sync if self.has_initial_weights else self.iterations).numpy())

    @property
    def has_initial_weights(self) -> bool:
        """Whether the initial weights are fixed: not before the first step, unless by `recapture`."""
        return int(self._last_sync.numpy()) != _NO_INITIAL_WEIGHTS

    @property
    def sync_in_step(self) -> bool:
        """Whether the train step synchronizes by itself; if not, somebody calls `synchronize`."""
        return bool(self._sync_in_step.numpy())

    @sync_in_step.setter
    def sync_in_step(self, sync_in_step: bool) -> None:
        self._sync_in_step.assign(int(bool(sync_in_step)))

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the state. The initial weights are those at the first step.

        Args:
            variables: list of `keras.Variable`, the trainable variables.
        """
        if self.built:
            return
        # `fit` builds while it traces, and what is assigned inside that graph is lost.
        with backend.outside_graph():
            synchronized = self._create_state(variables)
            with keras_optimizers.untracked():  # weights are no state of the optimizer
                self._synchronized_variables = synchronized
            super().build(variables)

    def _keep_initial_weights(self) -> bool:
        """Keep them if they exist: a model that was never built gets them only after the first trace of `fit`."""
        with backend.outside_graph():
            if not backend.are_initialized([self._last_sync]):
                return False
            # The weights are looked at until they are kept, and not in every step that runs eagerly.
            if not self.has_initial_weights and backend.are_initialized(self._synchronized_variables):
                backend.as_written(self.recapture)()
            return self.has_initial_weights

    def recapture(self) -> None:
        """Take the present weights for the initial ones, e.g. after changing them by hand between two `fit`.

        Raises:
            ValueError: the optimizer is not built yet; the first step would take them anyway.
        """
        self._check_built("keep the initial weights")
        self._copy_weights()
        self._last_sync.assign(int(self.iterations.numpy()))

    def apply(self, grads: list[Tensor], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """One step of the inner optimizer, then a synchronization if k steps have passed since the last.

        Args:
            grads: list of gradients.
            trainable_variables: list of variables, one for each gradient; optional once built.
        """
        if trainable_variables is not None and not self.built:
            self.build(list(trainable_variables))
        is_kept = self.built and self._keep_initial_weights()
        self._has_stepped = True
        keeps_in_step = backend.keeps_in_step()
        if keeps_in_step:  # this step may be run again after the state was set back to the start
            variables, values = self._initial_weights()
            backend.assign_if(
                self._last_sync == _NO_INITIAL_WEIGHTS,
                [*variables, self._last_sync],
                lambda _: [*values(), ops.convert_to_tensor(self.iterations)],
            )
        super().apply(grads, trainable_variables)
        if not (is_kept or keeps_in_step):
            backend.fail_when_run(
                f"{type(self).__name__} could not read the initial weights. Build the model before `fit`, e.g. by "
                "starting it with `keras.Input`."
            )
        due = [
            ops.convert_to_tensor(self.iterations) - self._last_sync >= self._sync_period,
            ops.cast(self._sync_in_step, "bool"),
            self._last_sync > _NO_INITIAL_WEIGHTS,
        ]
        backend.assign_if(functools.reduce(ops.logical_and, due), *self._synchronization())

    def synchronize(self) -> None:
        """Synchronize now, outside the train step. Before the first step there is nothing to do.

        Raises:
            ValueError: the optimizer is not built, or its state was set back to the start and a step then taken that
                XLA had compiled before.
        """
        self._check_built("synchronize")
        if self.has_initial_weights:
            backend.assign_if(True, *self._synchronization())
        elif self._has_stepped and int(self.iterations.numpy()):
            raise ValueError(
                f"{type(self).__name__} must know the initial weights to synchronize. Received: a state from before "
                f"the first step, set after XLA compiled the step, and iterations={int(self.iterations.numpy())}. "
                "Call `recapture()` right after setting it."
            )

    def _check_built(self, what: str) -> None:
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} must be built before it can {what}. Received: built=False. Call "
                "`fit`, or `optimizer.build(model.trainable_variables)`."
            )

    def _synchronization(self) -> tuple[list[keras.Variable], Callable[[list[Tensor]], list[Tensor]]]:
        """The variables that a synchronization assigns, and the function from their present to their new values."""
        variables = [*self._synchronized_variables, self._last_sync]
        return variables, lambda values: [*self._synchronized(values[:-1]), ops.convert_to_tensor(self.iterations)]

    def _is_trained(self, variable: keras.Variable) -> bool:
        return variable.trainable or id(variable) in self.frozen_for_step

    def _create_state(self, variables: list[keras.Variable]) -> list[keras.Variable]:
        """Make what a synchronization needs, and give the variables that it may change."""
        raise NotImplementedError

    def _initial_weights(self) -> tuple[list[keras.Variable], Callable[[], list[Tensor]]]:
        """The variables that `_copy_weights` sets, and a function that gives their values as tensors."""
        raise NotImplementedError

    def _copy_weights(self) -> None:
        """Make from the present weights what a synchronization needs."""
        raise NotImplementedError

    def _synchronized(self, values: list[Tensor]) -> list[Tensor]:
        """The new values of `_synchronized_variables`, from their present ones."""
        raise NotImplementedError

    def load_own_variables(self, store: Any) -> bool:
        """Load the state. That of a network before its first step comes without initial weights.

        Args:
            store: dict-like.

        Returns:
            Bool, whether it was loaded.
        """
        loaded = super().load_own_variables(store)
        if loaded and self._has_stepped:
            self._keep_initial_weights()  # a step that is compiled already does not look for them again
        return loaded

    def get_config(self) -> dict[str, Any]:
        """The arguments, k as it is now."""
        return {**super().get_config(), "sync_period": self.sync_period}
