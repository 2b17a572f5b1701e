"""What `fit` calls, and the state that it holds, by names of Keras that are not public."""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras


def train_function(model: keras.Model) -> Any:
    """The function that `fit` calls for each step, with what its backend hands over, or None before the first."""
    return model.train_function


def set_train_function(model: keras.Model, function: Callable | None) -> None:
    """Let `fit` call another function, also one that is under way."""
    model.train_function = function


def make_train_function(model: keras.Model) -> Callable:
    """Make the function of the train step anew, as one that is compiled knows nothing of later changes."""
    own = model.train_step
    # JAX takes two methods that are equal for one function, and would not trace the second time.
    with replacing(model, "train_step", lambda *arguments: own(*arguments)):
        model.make_train_function(force=True)
    return train_function(model)


def call_before_training(model: keras.Model, function: Callable[[], None]) -> Callable[[], None]:
    """Let each `fit` or `train_on_batch` that begins call a function first; returned is what ends that."""
    make = model.make_train_function

    def make_train_function(force: bool = False) -> Any:
        if not force:  # as they do; `make_train_function` above does not begin one
            function()
        return make(force)

    return put(model, "make_train_function", make_train_function)


def put(thing: Any, name: str, function: Callable) -> Callable[[], None]:
    """Let a method of one object be another function; returned is what takes it away, unless it was replaced since."""
    thing.__dict__[name] = function

    def take_away() -> None:
        if thing.__dict__.get(name) is function:
            del thing.__dict__[name]

    return take_away


def is_step_of_fit() -> bool:
    """Whether a train function was called by `fit`, and not by the `train_on_batch` of a callback meanwhile."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name not in ("fit", "train_on_batch"):
        frame = frame.f_back
    return frame is None or frame.f_code.co_name == "fit"


@contextlib.contextmanager
def replacing(thing: Any, name: str, function: Callable) -> Iterator[None]:
    """Let a method of one object be another function meanwhile."""
    missing = object()
    former = thing.__dict__.get(name, missing)
    thing.__dict__[name] = function  # without what Keras does to look for state in what is set
    try:
        yield
    finally:
        if former is missing:
            del thing.__dict__[name]
        else:
            thing.__dict__[name] = former


def show_state(model: keras.Model) -> None:
    """Put the state that `fit` of JAX keeps to itself during an epoch into the variables, if it is not there.

    What is assigned to them then is taken up by the next step. On the other backends the state is always there.
    """
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()


def show_state_and_forget(model: keras.Model) -> None:
    """As `show_state`; what is then taken out of the variables is nowhere else, and its memory free."""
    show_state(model)
    if hasattr(model, "jax_state_sync") and model._jax_state_synced:
        model._jax_state = None


def take_step_within(
    model: keras.Model,
    context: contextlib.AbstractContextManager,
    make_function: Callable[[], Callable],
    arguments: Sequence[Any],
) -> Any:
    """Call a train function inside a context that reads and sets variables, and in which the function is made."""
    if not hasattr(model, "jax_state_sync"):
        with context:
            return make_function()(*arguments)
    state, iterator = arguments
    _set_state(model, state)
    with context:
        function = make_function()
        state = _take_state(model)
        try:
            logs, state = function(state, iterator)
        finally:
            _set_state(model, state)
    state = _take_state(model)
    model._jax_state_synced = False
    return logs, state


_PARTS_OF_STATE = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


def _set_state(model: keras.Model, state: Sequence[Any]) -> None:
    model._jax_state = dict(zip(_PARTS_OF_STATE, state, strict=True))
    model._jax_state_synced = False
    model.jax_state_sync()


def _take_state(model: keras.Model) -> Any:
    """Take the state out of the variables: a step takes over its memory."""
    return model._get_jax_state(**dict.fromkeys(_PARTS_OF_STATE, True), purge_model_variables=True)


def metric_for(identifier: Any, y: Any, predicted: Any) -> keras.metrics.Metric:
    """The metric that `compile` makes of a name or function; `"accuracy"` is another for other shapes of the data."""
    from keras.src.trainers import compile_utils

    return compile_utils.get_metric(identifier, y, predicted)


_AFTER_LAST_BATCH = "_get_metrics_result_or_logs"  # what `fit` calls next, and `evaluate` at its end


def call_after_last_batch(model: keras.Model, function: Callable[[], None] | None) -> None:
    """Let the `fit` under way call a function at the end of each epoch, before all else; None: no more.

    A `fit` that begins later does not call it, also where this one ends with an exception.
    """
    for name in (_AFTER_LAST_BATCH, "evaluate"):
        model.__dict__.pop(name, None)
    if function is None:
        return
    history, results, evaluate = model.history, getattr(model, _AFTER_LAST_BATCH), model.evaluate
    is_evaluating = False

    def results_after_function(logs: Any) -> Any:
        if model.history is history and not is_evaluating:
            function()
        return results(logs)

    def evaluate_without_function(*args: Any, **kwargs: Any) -> Any:
        nonlocal is_evaluating
        is_evaluating = True
        try:
            return evaluate(*args, **kwargs)
        finally:
            is_evaluating = False

    model.__dict__.update({_AFTER_LAST_BATCH: results_after_function, "evaluate": evaluate_without_function})
