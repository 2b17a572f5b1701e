"""Every name of Keras and TensorFlow that is not public, in one place; its test says what breaks when one changes."""

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras

# Layers and what is inside them.


def all_layers(layer: keras.Layer, include_self: bool = True) -> list[keras.Layer]:
    """A layer or model and all layers inside it, each once; those inside one layer in any order."""
    return layer._flatten_layers(include_self=include_self)


def layers_inside(layer: keras.Layer) -> list[keras.Layer]:
    """The layers that a layer holds itself, without those that they hold."""
    return list(layer._layers)


def layers_in_order(layer: keras.Layer) -> Iterator[keras.Layer]:
    """A layer and all inside it, as Keras orders their variables; one that is held twice comes twice."""
    yield layer
    for inside in layers_inside(layer):
        yield from layers_in_order(inside)


def own_trainable_variables(layer: keras.Layer) -> list[keras.Variable]:
    """The variables that a layer made as trainable ones, without those of the layers inside; also frozen ones."""
    return list(layer._trainable_variables)


def own_variables(layer: keras.Layer) -> list[keras.Variable]:
    """The variables that a layer tracks itself, without those of the layers inside; none of one that is half made."""
    return [*getattr(layer, "_trainable_variables", ()), *getattr(layer, "_non_trainable_variables", ())]


def variable_attribute(layer: keras.Layer, name: str) -> str:
    """The name of the attribute that is the variable: with LoRA the public one is a sum, computed at each look."""
    return f"_{name}" if getattr(layer, "lora_enabled", False) else name


def public_names(layer: keras.Layer, variable: keras.Variable) -> list[str]:
    """The attributes of a layer that are this variable, by their public names: Dense keeps its kernel in `_kernel`."""
    return [name.lstrip("_") for name, value in vars(layer).items() if value is variable]


def set_trainable(layer: keras.Layer, value: bool) -> None:
    """Do what Keras does at `layer.trainable = value`, for a subclass that does more."""
    keras.Layer.trainable.fset(layer, value)  # type: ignore[attr-defined]  # a property has it


def forget_losses(layer: keras.Layer) -> None:
    """Drop the losses that a layer added in its last call."""
    layer._clear_losses()


def call_within(layer: keras.Layer, inputs: Any) -> Any:
    """Call a built layer from the `call` of one around it that has seen to the inputs, as to shape, dtype and mask.

    What `Layer.__call__` does a second time, on PyTorch at each step, is left out: hooks of PyTorch's modules are not.
    It is done for layers that cast, add a loss of their outputs, or may have their layout changed.
    """
    is_seen_to = (
        layer.built
        and layer.activity_regularizer is None
        and keras.distribution.distribution() is None
        and keras.backend.standardize_dtype(inputs.dtype) == layer.compute_dtype == layer.variable_dtype
    )
    return super(keras.Layer, layer).__call__(inputs) if is_seen_to else layer(inputs)


# Copies of layers and models.


def attributes_of(layer: keras.Layer) -> dict[str, Any]:
    """What was set on a layer, without the lists in which Keras and TensorFlow repeat it."""
    return {name: value for name, value in vars(layer).items() if name != "_layers" and not name.startswith("_self_")}


@contextlib.contextmanager
def replacing_layers(layer: keras.Layer, replaced: Iterable[keras.Layer]) -> Iterator[None]:
    """Let attributes of a layer be set anew, built or not, and count those it held before as inside it no longer.

    A layer that is replaced as an attribute would stay in Keras' list. Take all out, so that the order is kept.
    """
    tracker = layer._tracker
    was_locked = tracker.locked
    tracker.unlock()
    for each in replaced:
        tracker.untrack(each)
    try:
        yield
    finally:
        if was_locked:
            tracker.lock()


def share_path(layer: keras.Layer, new: keras.Layer) -> None:
    """Let the variables that `new` will make have the paths of those of `layer`, whoever builds it."""
    new._parent_path = layer._parent_path


@contextlib.contextmanager
def as_if_not_compiled(model: keras.Model) -> Iterator[None]:
    """Keep Keras from compiling the clone of a compiled model, with all that costs."""
    compiled, model.compiled = model.compiled, False
    try:
        yield
    finally:
        model.compiled = compiled


def operation_of(tensor: Any) -> keras.Operation:
    """The layer or operation of a functional model that a symbolic tensor comes from."""
    return tensor._keras_history.operation


def chain_of_operations(model: keras.Layer) -> list[keras.Operation] | None:
    """The operations of a functional or Sequential model, from its one input to its one output, one for each use.

    None of any other model, and of one with branches.
    """
    depths = getattr(getattr(model, "_functional", model), "_nodes_by_depth", {})
    nodes = [node for depth in sorted(depths, reverse=True) for node in depths[depth]]
    if not nodes or len(nodes) > len(depths) or len(model.outputs) > 1 or any(len(n.parent_nodes) > 1 for n in nodes):
        return None
    return [node.operation for node in nodes]


# Models whose weights come from elsewhere.


def made_without_values(make: Callable[[], Any]) -> tuple[Any, list[keras.Variable]]:
    """Call a function that makes layers, whose variables get a shape and no value; returned are both.

    So nothing is allocated that a file only claims to need. Each variable must be given a value before it is used.
    """
    from keras.src.backend.common import global_state

    others = global_state.get_global_attribute(_WITHOUT_VALUES)
    global_state.set_global_attribute(_WITHOUT_VALUES, [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            made = make()
        return made, list(global_state.get_global_attribute(_WITHOUT_VALUES))
    finally:
        global_state.set_global_attribute(_WITHOUT_VALUES, others)


_WITHOUT_VALUES = "uninitialized_variables"


def give_value(variable: keras.Variable, value: Any = None) -> None:
    """Give a variable that was made without one its value, or without any that of its initializer."""
    if value is not None:
        variable._initializer = lambda shape, dtype=None: keras.ops.convert_to_tensor(value, dtype)
    variable._deferred_initialize()


# Training.


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


def set_shape(variable: keras.Variable, shape: tuple[int, ...]) -> None:
    """Let a variable say that it has another shape than it was made with; its value must be set to one of it."""
    variable._shape, variable._ndim = shape, len(shape)


@contextlib.contextmanager
def not_trainable(variables: Iterable[keras.Variable]) -> Iterator[None]:
    """Take variables out of the steps that are run, or compiled, meanwhile, where a step asks what is trainable."""
    # Keras' own flag decides what `trainable_variables` are; that of TensorFlow's variable, which Keras does not change
    # with it, whether a tape records what is computed from it, and so how far a backward pass goes. PyTorch's follows.
    flagged = [(each, each.trainable, getattr(each._value, "_trainable", None)) for each in variables]
    try:
        for variable, _, of_tensorflow in flagged:
            variable.trainable = False
            if of_tensorflow is not None:
                variable._value._trainable = False
        yield
    finally:
        for variable, was_trainable, of_tensorflow in flagged:
            variable.trainable = was_trainable
            if of_tensorflow is not None:
                variable._value._trainable = of_tensorflow


# Optimizers.


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """The learning rate as the optimizer keeps it: a variable, a schedule or a function, not its present value."""
    return optimizer._learning_rate


def moving_averages(optimizer: keras.optimizers.Optimizer, *default: Any) -> list[keras.Variable]:
    """The moving averages of the weights; like `getattr`, the default or an AttributeError where there are none."""
    return getattr(optimizer, "_model_variables_moving_average", *default)


def serialized(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """The config of an optimizer for a file that every backend can read.

    With PyTorch, Keras writes the module of that backend, which no other has.
    """
    config = keras.saving.serialize_keras_object(optimizer)
    name = config["class_name"]
    if config["module"].startswith("keras.src.backend.") and hasattr(keras.optimizers, name):
        config |= {"module": "keras.optimizers", "registered_name": None}
    return config


@contextlib.contextmanager
def untracked() -> Iterator[None]:
    """Let lists of variables be set as attributes without becoming the state of who has them."""
    from keras.src.utils.tracking import DotNotTrackScope

    with DotNotTrackScope():
        yield


def known_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """The variables that an optimizer was built for, in the order of the gradients that it takes without them."""
    return list(optimizer._trainable_variables)


def know_variables(optimizer: keras.optimizers.Optimizer, variables: Iterable[keras.Variable]) -> None:
    """Let an optimizer be built for these variables without making any state, as a wrapper has an inner one for it."""
    optimizer.__dict__["_trainable_variables"] = list(variables)  # `SwapEMAWeights` looks there
    optimizer.built = True


# Backends.


def layout_of_rows(kernel: keras.Variable, unit_axes: tuple[int, ...]) -> Any:
    """How the weight vectors of a kernel, as rows, are spread over devices: as its first unit axis is.

    None where Keras distributes nothing.
    """
    layout = getattr(kernel, "_layout", None)
    if not isinstance(layout, keras.distribution.TensorLayout):
        return None
    first, *others = [layout.axes[axis] for axis in unit_axes] or [None]
    return keras.distribution.TensorLayout([None if any(others) else first, None], layout.device_mesh)


def is_in_stateless_scope() -> bool:
    """Whether variables have values given from outside, as in a train step of JAX."""
    from keras.src.backend.common import stateless_scope

    return stateless_scope.in_stateless_scope()


def is_in_xla() -> bool:
    """Whether what is being traced will be compiled by XLA."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def replicas_meet_to_assign() -> bool:
    """Whether several replicas assign variables together, which they cannot do inside a condition."""
    import tensorflow as tf

    return tf.distribute.has_strategy() and not tf.__internal__.distribute.strategy_supports_no_merge_call()
