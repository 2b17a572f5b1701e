"""Layer-wise sparse training: each epoch, or each step, trains only some layers and computes only what these need."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Protocol

import keras
import numpy as np

from train_by_reconnect import backend
from train_by_reconnect.backend.types import Logs
from train_by_reconnect.callbacks.dropped_state import DroppedState
from train_by_reconnect.callbacks.train_steps import TrainSteps, around_next_step
from train_by_reconnect.optimizers.nesting import nested_optimizers
from train_by_reconnect.optimizers.periodic import PeriodicOptimizer
from train_by_reconnect.weights.trainable_layers import trainable_layers


class Scheme(Protocol):
    """What says which layers are trained; see `TopAndBottom.draw`."""

    def draw(self, generator: np.random.Generator, depth: int) -> Iterable[int]:
        """The layers to train, 0 being the one nearest the input."""


class LayerwiseTraining(keras.callbacks.Callback):
    """Train only the layers that a scheme draws for each epoch; the others keep their weights bit for bit.

    While a step runs, and while it is compiled, the variables of the other layers are not trainable: nothing is
    differentiated with respect to them, and the backward pass ends at the lowest layer that is trained. Between the
    steps the model is as it was. Each set of layers gets one compiled train step, made the first time the set is drawn
    and used from then on, also in a further `fit`; the set of all layers is the model's own. Custom train steps work if
    they ask for `self.trainable_variables` (or `trainable_weights`).

    The optimizer is built once, for all layers: the slots of a layer (e.g. Adam's momentum) wait until it is trained
    again. With `state="drop"` their memory is freed instead, and they start anew, as those of a new optimizer, when the
    layer is trained again; so they do when the model is saved or somebody else trains it. `optimizer.iterations` counts
    every step, and so do learning rate schedules, Adam's bias correction and the k of `LaPerm` and `Lookahead`. These
    synchronize every layer, as each may have been trained since the last synchronization; a layer that was not trained
    stays as it is.

    Only weights are frozen: the forward pass is that of a training, in which dropout acts and every BatchNorm uses the
    statistics of the batch and updates its moving ones, also in a layer that is not trained. (With `trainable = False`
    on the whole layer Keras would use the moving statistics, which in a new network normalize nothing.)

    The draw of an epoch depends only on `seed` and the number of the epoch, and that of a step also on its number in
    the epoch: a training that is resumed, by `initial_epoch` or `keras.callbacks.BackupAndRestore`, draws what it would
    have drawn.

    `history` holds, for every epoch, a dict of its number, `"epoch"`, and of `"trained"`: from the name of each layer,
    bottom first, to the part of the steps in which it was trained; where layers share a name, their paths stand there.
    With another model it starts anew. The logs get `trained_layers`, how many were trained on average.

    It goes with any other callback, in any order. A `train_on_batch` that another callback calls on the way trains all
    layers, and is not counted.

    Unlike the paper, which draws once an epoch, this callback can also draw for each step.

    Args:
        scheme: `TopAndBottom`, `MiddleOnly`, `RandomUniform`, `RandomBeta`, or an object with a method
            `draw(generator, depth)` like theirs. `trainable_layers` tells which layers it chooses from.
        per: `"epoch"` or `"step"`, how long a draw holds. Defaults to `"epoch"`.
        seed: int, at least 0. Defaults to 0.
        state: `"keep"` or `"drop"`, what becomes of the state that the inner optimizer has for a layer, in an epoch in
            which it is not trained. `"drop"` goes with `per="epoch"`, on one device. Defaults to `"keep"`.

    Raises:
        ValueError: `per`, `seed` or `state` is not one of these. From `fit`, the model is not built, or has fewer
            layers than the scheme names; the optimizer accumulates gradients, which belong to the layers of several
            draws; `per` is `"step"` and the model is compiled with `steps_per_execution` above 1; with `state="drop"`,
            the state of the optimizer starts from the weights, is reset by `LaPerm(reset_inner_state=True)`, or is on
            several devices.

    Example:

    >>> from train_by_reconnect.callbacks.layerwise_schemes import TopAndBottom
    >>> parts = [keras.layers.Dense(3, name="bottom"), keras.layers.Dense(1, name="top")]
    >>> model = keras.Sequential([keras.Input((4,)), *parts])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> before = model.layers[0].kernel.numpy()
    >>> top = LayerwiseTraining(TopAndBottom(top=1))
    >>> logs = model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0, callbacks=[top]).history
    >>> logs["trained_layers"], top.history
    ([1.0], [{'epoch': 0, 'trained': {'bottom': 0.0, 'top': 1.0}}])
    >>> bool((model.layers[0].kernel.numpy() == before).all())
    True

    Reference:
        Li and Banerjee 2021, "Experiments with Rich Regime Training for Deep Learning", section 6.
    """

    def __init__(
        self,
        scheme: Scheme,
        per: Literal["epoch", "step"] = "epoch",
        seed: int = 0,
        state: Literal["keep", "drop"] = "keep",
    ) -> None:
        super().__init__()
        if per not in ("epoch", "step"):
            raise ValueError(f'`per` must be "epoch" or "step". Received: per={per!r}. Choose one of them.')
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"`seed` must be an integer of at least 0. Received: seed={seed!r}. Pass e.g. seed=0.")
        if state not in ("keep", "drop"):
            raise ValueError(f'`state` must be "keep" or "drop". Received: state={state!r}. Choose one of them.')
        if state == "drop" and per == "step":
            raise ValueError(
                '`state="drop"` would start the state of the optimizer anew at nearly every step. Received: '
                'per="step". Use per="epoch", or state="keep".'
            )
        self.scheme, self.per, self.seed, self.state = scheme, per, seed, state
        self.history: list[dict[str, Any]] = []
        self._train_steps: TrainSteps | None = None
        self._trained_model: keras.Model | None = None

    def __repr__(self) -> str:
        """The scheme, how long a draw holds, and how far it is."""
        settings = f"seed={self.seed}" + (', state="drop"' if self.state == "drop" else "")
        return f"<LayerwiseTraining by {self.scheme!r} per {self.per}, {settings}: {len(self.history)} epochs>"

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find the layers, and build the optimizer for all of them."""
        found = trainable_layers(self.model)
        self._variables, self._names = [variables for _, variables in found], _names_of([layer for layer, _ in found])
        self._check_optimizer()
        if self.model is not self._trained_model:
            self._trained_model, self.history = self.model, []
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._dropped = DroppedState(self.model) if self.state == "drop" else None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Draw the layers of the epoch."""
        self._epoch, self._steps, self._counts = epoch, 0, np.zeros(len(self._variables))
        if self.per == "epoch":
            self._trained = self._draw(epoch)
            self._drop_state()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Draw the layers of the step, and let it train these only."""
        if self.per == "step":
            self._trained = self._draw(self._epoch, batch)
        self._drop_state()  # again, if it was needed meanwhile
        frozen = self._frozen_variables()
        variant = frozenset(map(id, frozen)) or None
        self._train_steps = around_next_step(
            self.model, self._train_steps, self._around_step(frozen, self.model), variant
        )

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Record what was trained."""
        parts = (self._counts / max(self._steps, 1)).tolist()
        self.history.append({"epoch": epoch, "trained": dict(zip(self._names, parts, strict=True))})
        if logs is not None:
            logs["trained_layers"] = sum(parts)

    def on_train_end(self, logs: Logs = None) -> None:
        """Leave the optimizer with all of its state."""
        if self._dropped is not None:
            self._dropped.restore()

    def _frozen_variables(self) -> list[keras.Variable]:
        return [v for i, variables in enumerate(self._variables) if i not in self._trained for v in variables]

    def _drop_state(self) -> None:
        if self._dropped is not None:
            self._dropped.drop(self._frozen_variables())

    @contextlib.contextmanager
    def _around_step(self, frozen: list[keras.Variable], model: keras.Model) -> Iterator[None]:
        """Count what a step trains, and keep all else out of it.

        Keras' `self.model` would put a state of JAX into the variables that the step has taken out of them.
        """
        self._steps += 1
        self._counts[list(self._trained)] += 1
        with _frozen(frozen, model):
            yield

    def _draw(self, *numbers: int) -> tuple[int, ...]:
        depth = len(self._variables)
        trained = tuple(sorted(set(self.scheme.draw(np.random.default_rng([self.seed, *numbers]), depth))))
        if not trained or trained[0] < 0 or trained[-1] >= depth:
            raise ValueError(
                f"`scheme.draw` must return at least one of the layers 0 to {depth - 1}. Received: {trained} from "
                f"scheme={self.scheme!r}. Correct the scheme."
            )
        return trained

    def _check_optimizer(self) -> None:
        for optimizer in nested_optimizers(self.model):
            if optimizer.gradient_accumulation_steps:
                raise ValueError(
                    "`LayerwiseTraining` expects an optimizer that does not accumulate gradients. Received: "
                    f"gradient_accumulation_steps={optimizer.gradient_accumulation_steps}. Use a larger batch."
                )
            if self.state == "drop" and getattr(optimizer, "reset_inner_state", False):
                raise ValueError(
                    '`state="drop"` frees the state that `LaPerm(reset_inner_state=True)` would set. Received: '
                    f"optimizer={optimizer!r}. Use one of the two."
                )
        if self.per == "step" and self.model.steps_per_execution > 1:
            raise ValueError(
                '`LayerwiseTraining(per="step")` must be asked before every step. Received: a model compiled with '
                f"steps_per_execution={self.model.steps_per_execution}. Compile it with 1."
            )


def _names_of(layers: list[keras.Layer]) -> list[str]:
    """The name of each layer; its path where several have the name."""
    names = [layer.name for layer in layers]
    return [layer.name if names.count(layer.name) == 1 else layer.path for layer in layers]


@contextlib.contextmanager
def _frozen(variables: list[keras.Variable], model: keras.Model) -> Iterator[None]:
    """Take variables out of the steps that are run, or compiled, meanwhile."""
    optimizers = nested_optimizers(model)
    synchronizing = [(each, each.frozen_for_step) for each in optimizers if isinstance(each, PeriodicOptimizer)]
    try:
        for each, former in synchronizing:
            each.frozen_for_step = former.union(map(id, variables))
        with backend.frozen(model, variables):
            yield
    finally:
        for each, former in synchronizing:
            each.frozen_for_step = former
