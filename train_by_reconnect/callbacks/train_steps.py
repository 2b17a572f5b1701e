"""What callbacks do around a step of `fit`: in any order, for that step only, and without a trace after it."""

import contextlib
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

import keras

from train_by_reconnect.backend import keras_training


class _Announced(NamedTuple):
    around: contextlib.AbstractContextManager
    variant: Hashable
    fit: Any


class TrainSteps:
    """Stands in for the train function of a model from an announcement to the step of `fit` that it is for.

    `compiled` holds the functions that were compiled under some combination of variants, for as long as the model keeps
    the train function `own`.
    """

    def __init__(self, model: keras.Model, own: Callable[..., Any]) -> None:
        self.model, self.own = model, own
        self.compiled: dict[tuple[Hashable, ...], Callable[..., Any]] = {}
        self._announced: list[_Announced] = []

    def announce(self, around: contextlib.AbstractContextManager, variant: Hashable) -> None:
        """Add what is to happen around the next step."""
        self._announced.append(_Announced(around, variant, _running_fit(self.model)))

    def forget(self, variant: Hashable) -> None:
        """Drop what was compiled under a variant that will not come again."""
        self.compiled = {key: function for key, function in self.compiled.items() if variant not in key}

    def __call__(self, *arguments: Any) -> Any:
        """Take the step, or several with `steps_per_execution`; the arguments are other ones on each backend."""
        if not keras_training.is_step_of_fit():  # but a `train_on_batch` that a callback calls
            return self.own(*arguments)
        if keras_training.train_function(self.model) is self:
            keras_training.set_train_function(self.model, self.own)
        # Another `fit`, ended by an exception before the step, may have left announcements of its own.
        fit = _running_fit(self.model)
        announced = [each for each in self._announced if each.fit is fit]
        self._announced = []
        # What decides how the step is compiled is innermost: it is in force during the step, and not while others act.
        announced.sort(key=lambda each: each.variant is not None)
        variants = tuple(each.variant for each in announced if each.variant is not None)
        if len(variants) == len(announced) and (not variants or variants in self.compiled):
            with _all_of(announced):
                return self._function_for(variants)(*arguments)
        # Somebody acts on the variables, or a function is made, which looks at them.
        return keras_training.take_step_within(
            self.model, _all_of(announced), lambda: self._function_for(variants), arguments
        )

    def _function_for(self, variants: tuple[Hashable, ...]) -> Callable[..., Any]:
        if not variants:
            return self.own
        if variants not in self.compiled:
            self.compiled[variants] = keras_training.make_train_function(self.model)
            keras_training.set_train_function(self.model, self.own)
        return self.compiled[variants]


def around_next_step(
    model: keras.Model,
    former: TrainSteps | None,
    around: contextlib.AbstractContextManager,
    variant: Hashable = None,
) -> TrainSteps:
    """Let the next step of the `fit` that is running happen inside a context; for `on_train_batch_begin`.

    Args:
        model: the model that is trained.
        former: what the last call for this callback returned, or None.
        around: a context manager, entered for this step only. Without a variant it may read and set variables; with one
            it must not ask a callback for its `model`.
        variant: what the compiled step depends on, if it is another one inside the context: each combination of
            variants gets a function of its own. Defaults to None, the model's function as it is.

    Returns:
        The `TrainSteps` for the next call.
    """
    present = keras_training.train_function(model)
    if isinstance(present, TrainSteps):
        steps = present
    else:
        is_same = former is not None and former.model is model and former.own is present
        steps = former if is_same else TrainSteps(model, present)  # type: ignore[assignment]
        keras_training.set_train_function(model, steps)
    steps.announce(around, variant)
    return steps


@contextlib.contextmanager
def _all_of(announced: list[_Announced]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for each in announced:
            stack.enter_context(each.around)
        yield


def _running_fit(model: keras.Model) -> Any:
    """What is another object in each `fit`: the list of epochs that its `History` begins."""
    return getattr(getattr(model, "history", None), "epoch", None)
