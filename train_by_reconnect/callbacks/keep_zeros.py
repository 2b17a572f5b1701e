"""A callback that keeps the zeros of a sparse network while it is trained further."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

import keras
from keras import ops

from train_by_reconnect.backend.types import Logs, Tensor
from train_by_reconnect.callbacks.train_steps import TrainSteps, around_next_step
from train_by_reconnect.optimizers.laperm import LaPerm
from train_by_reconnect.optimizers.nesting import find_optimizer
from train_by_reconnect.weights.kernels import kernels_of

Constraint: TypeAlias = Callable[[Tensor], Tensor]


class KeepZeros(keras.callbacks.Callback):
    """Keep every weight of a kernel at zero that is zero when training begins, with any optimizer.

    For training on after `prune_by_magnitude` or `sparsify`. The zeros are put back inside each train step, right after
    the update, as a `kernel_constraint` is; so neither momentum nor weight decay nor moving averages bring one back. If
    a kernel has a constraint already, that is applied first.

    During `fit` this takes one byte for each weight. Nothing is left on the model afterwards, also when `fit` is
    interrupted, and nothing needs to be saved: the zeros are in the weights, and the next `fit`, resumed or not, finds
    them there. It goes with any other callback, in any order; the steps of a `train_on_batch` that another callback
    calls are its own, and the next step of `fit` puts the zeros back.

    Three things to know: a kernel initialized with zeros would never learn; norms of gradients (for clipping) include
    those of the zeros; during training the optimizer's own moving averages (`use_ema`) are not exactly 0 there, but
    after `fit` the weights are.

    Raises:
        ValueError: the optimizer is `LaPerm`, which moves zeros as it moves any weight.

    Example:

    >>> import numpy as np
    >>> from train_by_reconnect import prune_by_magnitude
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> reports = prune_by_magnitude(model, 0.5)
    >>> model.compile(optimizer="adam", loss="mse")
    >>> history = model.fit(np.ones((8, 4)), np.ones((8, 2)), callbacks=[KeepZeros()], verbose=0)
    >>> int((model.get_weights()[0] == 0).sum())
    4

    Reference:
        Han et al. 2015, section 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self._train_steps: TrainSteps | None = None
        self._variant = object()

    def on_train_begin(self, logs: Logs = None) -> None:
        """Refuse an optimizer that moves zeros."""
        optimizer = find_optimizer(self.model, LaPerm)
        if optimizer is not None:
            raise ValueError(
                f"`KeepZeros` expects an optimizer that leaves weights where they are. Received: {optimizer.name!r}, "
                "which permutes them, zeros too. Leave this callback out."
            )
        self._kept: list[tuple[keras.Variable, Constraint]] | None = None
        self._forget_compiled()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Look for zeros at the first epoch: by then a resumed training has its weights back."""
        if self._kept is None:
            self._kept = [(kernel, _keeping_zeros(kernel)) for kernel, _ in kernels_of(self.model)]

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Let the step put the zeros back."""
        if self._kept is not None:
            constrained = _constrained(self._kept)
            self._train_steps = around_next_step(self.model, self._train_steps, constrained, self._variant)

    def on_train_end(self, logs: Logs = None) -> None:
        """Put the zeros back once more, after moving averages have become the weights."""
        for kernel, constraint in self._kept or []:
            kernel.assign(constraint(kernel))
        self._forget_compiled()

    def _forget_compiled(self) -> None:
        """The zeros of this training are compiled into its step, which nobody needs after it."""
        if self._train_steps is not None:
            self._train_steps.forget(self._variant)
        self._variant = object()


@contextlib.contextmanager
def _constrained(kept: list[tuple[keras.Variable, Constraint]]) -> Iterator[None]:
    """Give kernels these constraints while a step runs, or is compiled."""
    former = [(kernel, kernel.constraint) for kernel, _ in kept]
    try:
        for kernel, constraint in kept:
            kernel.constraint = constraint
        yield
    finally:
        for kernel, constraint in former:
            kernel.constraint = constraint


def _keeping_zeros(kernel: keras.Variable) -> Constraint:
    """A constraint: what the kernel's own one makes of the weights, and 0 where the kernel is 0 now."""
    is_kept = ops.convert_to_tensor(kernel.numpy() != 0)
    own = kernel.constraint

    def constrain(weights: Tensor) -> Tensor:
        constrained = ops.convert_to_tensor(weights if own is None else own(weights))
        return ops.where(is_kept, constrained, ops.zeros_like(constrained))

    return constrain
