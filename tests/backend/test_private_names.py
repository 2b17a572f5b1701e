"""Every private name that the library relies on: what it needs of it, and that it is used in few modules only."""

import ast
import functools
import pathlib

import keras
import numpy as np
import pytest
from backends import BACKEND, current, only_on

from train_by_reconnect import LaPerm, backend
from train_by_reconnect.backend import (
    keras_copies,
    keras_layers,
    keras_optimizers,
    keras_scopes,
    keras_training,
    keras_variables,
)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
INTERNALS = sorted((ROOT / "train_by_reconnect" / "backend").glob("keras_*.py"))
# Public names of Python that begin with an underscore; see `collections.namedtuple`.
NAMEDTUPLE = {"_asdict", "_fields", "_replace"}
# Names without an underscore that Keras does not document.
UNDOCUMENTED = {"train_function", "make_train_function", "parent_nodes"}


class Pair(keras.layers.Layer):
    """A layer that holds two, in a list, and has a weight of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [keras.layers.Dense(2, name="first"), keras.layers.Dense(2, name="second")]

    def build(self, input_shape):
        """Build all."""
        self.scale = self.add_weight(shape=(), name="scale")
        for part in self.parts:
            part.build(input_shape)

    def call(self, inputs):
        """One after the other."""
        return self.parts[1](self.parts[0](inputs)) * self.scale


@pytest.fixture(name="model")
def model_fixture():
    return keras.Sequential(
        [keras.Input((2,), name="inputs"), Pair(name="pair"), keras.layers.Dense(1, name="top")], name="model"
    )


def names(layers):
    return [layer.name for layer in layers]


def has(thing, name, needed_by, instead):
    owner = getattr(thing, "__name__", type(thing).__name__)
    assert hasattr(thing, name), f"{owner} no longer has {name}, which `{needed_by}` needs: {instead}"


def test_flatten_layers(model):
    has(keras.Layer, "_flatten_layers", "all_layers", "find the layers of a model another way")
    found = names(keras_layers.all_layers(model))
    assert (found[0], sorted(found[1:])) == ("model", ["first", "inputs", "pair", "second", "top"]), (
        "Layer._flatten_layers no longer lists a model, then every layer in it once, which `all_layers` needs: "
        "find the layers of a model another way"
    )
    assert names(keras_layers.all_layers(model, include_self=False)) == found[1:], (
        "Layer._flatten_layers no longer leaves out the layer itself at include_self=False, which `all_layers` needs"
    )


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_call_within_equals_a_call(dtype):
    # what casts is called whole, so that inputs of float32 give outputs of the lower precision either way
    layer = keras.layers.Conv2D(3, 2, activation="tanh", dtype=dtype)
    inputs = keras.ops.convert_to_tensor(np.random.default_rng(0).random((2, 4, 4, 1), "float32"))
    expected = layer(inputs)
    found = keras_layers.call_within(layer, inputs)
    assert found.dtype == expected.dtype
    expected, found = (keras.ops.convert_to_numpy(keras.ops.cast(each, "float32")) for each in (expected, found))
    np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg="Operation.__call__ no longer runs `call`")


def test_layers(model):
    has(model, "_layers", "layers_inside", "find the layers that a layer holds another way")
    assert names(keras_layers.layers_inside(model.get_layer("pair"))) == ["first", "second"], (
        "Layer._layers is no longer the list of the layers that a layer holds, in lists too, which `layers_inside`, "
        "and with it copies of models, needs"
    )
    assert names(keras_layers.layers_in_order(model)) == ["model", "inputs", "pair", "first", "second", "top"], (
        "Layer._layers no longer lists the layers as Keras orders their variables, which `layers_in_order`, and with "
        "it layer-wise training, needs"
    )
    own = [id(v) for layer in keras_layers.layers_in_order(model) for v in layer.weights if layer.name != "model"]
    assert list(dict.fromkeys(own)) == [id(v) for v in model.weights], (
        "Keras no longer orders the weights of a model as Layer._layers orders its layers, which `layers_in_order` says"
    )


def test_trainable_variables_of_a_layer(model):
    pair = model.get_layer("pair")
    has(pair, "_trainable_variables", "own_trainable_variables", "tell a layer's own variables another way")
    pair.trainable = False
    assert [v.name for v in keras_layers.own_trainable_variables(pair)] == ["scale"], (
        "Layer._trainable_variables is no longer the variables that a layer made itself, frozen or not, which "
        "`own_trainable_variables`, and with it layer-wise training, needs"
    )


def test_attributes_that_are_variables():
    for layer, shape in ((keras.layers.Dense(3), (2, 4)), (keras.layers.Conv2D(3, 1), (2, 4, 4, 4))):
        layer.build(shape)
        assert keras_layers.public_names(layer, layer.kernel) == ["kernel"], (
            f"{type(layer).__name__} no longer keeps its kernel in `_kernel` or `kernel`, which `public_names`, and "
            "with it the initializer of a weight profile, needs"
        )
        main = getattr(layer, keras_layers.variable_attribute(layer, "kernel"))
        assert isinstance(main, keras.Variable)
        layer.enable_lora(1)
        has(layer, "lora_enabled", "variable_attribute", "tell a layer with LoRA another way")
        assert getattr(layer, keras_layers.variable_attribute(layer, "kernel")) is main, (
            f"{type(layer).__name__} with LoRA no longer keeps its kernel in `_kernel`, which `variable_attribute`, "
            "and with it the weight vectors of such a layer, needs"
        )
    embedding = keras.layers.Embedding(3, 2)
    embedding.build()
    assert keras_layers.public_names(embedding, embedding.embeddings) == ["embeddings"], (
        "Embedding no longer keeps its kernel in `_embeddings` or `embeddings`, which `public_names` needs"
    )


def test_setter_of_trainable(model):
    assert getattr(keras.Layer.trainable, "fset", None) is not None, (
        "Layer.trainable is no longer a property with a setter, which `set_trainable`, and with it `FixedKernels`, "
        "needs: set the flag of a layer, of its variables and of the layers inside another way"
    )
    keras_layers.set_trainable(model.get_layer("pair"), False)
    assert [v.path for v in model.trainable_variables] == ["model/top/kernel", "model/top/bias"], (
        "The setter of Layer.trainable no longer freezes all inside a layer, which `set_trainable` needs"
    )


def test_clear_losses():
    has(keras.Layer, "_clear_losses", "forget_losses", "drop the losses of the layer inside `FixedKernels` another way")
    layer = keras.layers.ActivityRegularization(l2=1.0)
    with keras.StatelessScope([], collect_losses=True) as scope:
        layer(np.ones((1, 1), "float32"))
        before = len(scope.losses)
        keras_layers.forget_losses(layer)
    assert (before, len(scope.losses)) == (1, 0), (
        "Layer._clear_losses no longer takes the losses of a layer out of a scope that collects them, which "
        "`forget_losses` needs: `FixedKernels` would count them twice"
    )


def test_attributes(model):
    own = keras_copies.attributes_of(model.get_layer("pair"))
    listed = {name: value if isinstance(value, (list, tuple)) else [value] for name, value in own.items()}
    holding = [name for name, values in listed.items() if any(isinstance(each, keras.Layer) for each in values)]
    assert holding == ["parts"], (
        "A layer repeats the layers that it holds under other names than `_layers` and `_self_...`, which "
        f"`attributes_of`, and with it the copy of a subclassed layer, leaves out: {holding}"
    )


def test_tracker(model):
    pair = model.get_layer("pair")
    has(pair, "_tracker", "replacing_layers", "replace the layers of a built layer another way")
    for name in ("locked", "lock", "unlock", "untrack"):
        has(pair._tracker, name, "replacing_layers", "replace the layers of a built layer another way")
    assert pair._tracker.locked, "A built layer no longer locks its Layer._tracker: `replacing_layers` need not unlock"
    new = [keras.layers.Dense(2, name="third"), keras.layers.Dense(2, name="fourth")]
    with keras_copies.replacing_layers(pair, pair.parts):
        pair.parts = new
    assert names(keras_layers.layers_inside(pair)) == ["third", "fourth"], (
        "Layer._tracker no longer keeps the list of the layers inside by `untrack` and by setting an attribute, which "
        "`replacing_layers`, and with it the copy of a subclassed layer, needs"
    )
    assert pair._tracker.locked


def test_parent_path(model):
    top = model.get_layer("top")
    has(top, "_parent_path", "share_path", "give a copy of a layer the paths of its variables another way")
    inner = keras.Sequential([keras.layers.Dense(1, name="inside")], name="inner")
    outer = keras.Sequential([keras.Input((2,)), inner])
    new = keras.layers.Dense(1, name="inside")
    keras_copies.share_path(inner.layers[0], new)
    new.build((None, 2))
    assert new.kernel.path == inner.layers[0].kernel.path == f"{outer.name}/inner/inside/kernel", (
        "Layer._parent_path no longer decides the paths of a layer's variables, which `share_path`, and with it a copy "
        "of a model, needs"
    )


def test_clone_of_a_compiled_model(model):
    model.compile("sgd", "mse")
    has(model, "compiled", "as_if_not_compiled", "keep Keras from compiling a clone another way")
    with keras_copies.as_if_not_compiled(model):
        clone = keras.models.clone_model(model)
    assert (model.compiled, clone.compiled) == (True, False), (
        "`clone_model` no longer asks for Model.compiled before it compiles the clone, which `as_if_not_compiled` needs"
    )


def test_history_of_a_tensor():
    inputs = keras.Input((2,), name="here")
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    has(model.input, "_keras_history", "operation_of", "find the input layers of a functional model another way")
    assert keras_copies.operation_of(model.input) is model.get_layer("here"), (
        "KerasTensor._keras_history no longer names the layer that a tensor comes from, which `operation_of`, and with "
        "it the clone of a functional model, needs"
    )


def test_nodes(model):
    has(model, "_functional", "chain_of_operations", "find the functional model in a Sequential one another way")
    inputs = keras.Input((2,))
    shared = keras.layers.Dense(2, name="twice")
    functional = keras.Model(inputs, shared(shared(inputs)))
    has(functional, "_nodes_by_depth", "chain_of_operations", "find the uses of the layers in order another way")
    assert names(keras_copies.chain_of_operations(functional)[1:]) == ["twice", "twice"], (
        "Function._nodes_by_depth no longer has a node for each use of a layer, which `chain_of_operations`, and with "
        "it `remove_weights`, needs"
    )
    assert names(keras_copies.chain_of_operations(model)[1:]) == ["pair", "top"], (
        "Sequential._functional no longer is the functional model of its layers, which `chain_of_operations` needs"
    )
    node = functional._nodes_by_depth[0][0]
    has(node, "parent_nodes", "chain_of_operations", "tell whether a layer has several inputs another way")
    has(node, "operation", "chain_of_operations", "find the layer of a node another way")
    branches = keras.Model(inputs, keras.layers.Add()([shared(inputs), inputs]))
    assert keras_copies.chain_of_operations(branches) is None, (
        "Node.parent_nodes no longer lists all nodes that a node takes, which `chain_of_operations` needs"
    )
    assert keras_copies.chain_of_operations(model.get_layer("pair")) is None


def test_train_function(model):
    model.compile("sgd", "mse")
    has(model, "train_function", "train_function", "let callbacks take over the train step another way")
    has(model, "make_train_function", "make_train_function", "compile a train step anew another way")
    first = keras_training.make_train_function(model)
    assert first is keras_training.train_function(model) is not None, (
        "Model.make_train_function no longer leaves its function in Model.train_function, which `make_train_function` "
        "and with it layer-wise training and `KeepZeros` need"
    )
    assert keras_training.make_train_function(model) is not first, (
        "Model.make_train_function(force=True) no longer makes a new function, which `make_train_function` needs"
    )
    calls = []

    def counting(*arguments):
        calls.append(arguments)
        return first(*arguments)

    class TakeOver(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            keras_training.set_train_function(self.model, counting if batch == 1 else first)

    model.fit(np.ones((6, 2)), np.ones((6, 1)), batch_size=2, verbose=0, callbacks=[TakeOver()])
    assert len(calls) == 1, (
        "`fit` no longer looks up Model.train_function at each step, which `set_train_function` needs: "
        f"`SyncEvaluation` and layer-wise training could not take over single steps; one was called {len(calls)} times"
    )


def test_metric_for():
    # Binary, sparse categorical and categorical: by the shapes of the targets and of the answers alone.
    shapes = {(4,): (4, 1), (4, 1): (4, 3), (4, 3): (4, 3)}
    found = [keras_training.metric_for("accuracy", np.zeros(y), np.zeros(answers)) for y, answers in shapes.items()]
    expected = ["BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"]
    assert ([type(each).__name__ for each in found], {each.name for each in found}) == (expected, {"accuracy"}), (
        "compile_utils.get_metric no longer makes of a name the metric that `compile` makes of it, which `metric_for`, "
        "and with it `SyncEvaluation`, needs"
    )
    metric = keras_training.metric_for(keras.metrics.mean_squared_error, np.zeros((4, 1)), np.zeros((4, 1)))
    assert (isinstance(metric, keras.metrics.Metric), metric.name) == (True, "mean_squared_error")


def test_history_of_each_fit(model):
    model.compile("sgd", "mse")
    seen = []
    look = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: seen.append(model.history.epoch))
    for _ in range(2):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, verbose=0, callbacks=[look])
    assert [each is seen[0] for each in seen] == [True, True, False, False], (
        "`Model.history.epoch` no longer is one list in each `fit`, and another in the next, by which "
        "`callbacks.train_steps` tells what an interrupted `fit` has left"
    )


def test_who_calls_a_train_function(model):
    model.compile("sgd", "mse")
    keras_training.make_train_function(model)
    take_step, seen = keras_training.train_function(model), []

    def looking(*arguments):
        seen.append(keras_training.is_step_of_fit())
        return take_step(*arguments)

    def train_on_batch(batch, logs):
        current(model).train_on_batch(np.ones((2, 2)), np.ones((2, 1)))

    keras_training.set_train_function(model, looking)
    on_the_way = keras.callbacks.LambdaCallback(on_train_batch_begin=train_on_batch, on_train_batch_end=train_on_batch)
    model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0, callbacks=[on_the_way])
    assert seen == [False, True, False], (
        "`fit` and `train_on_batch` no longer call Model.train_function themselves, by which `is_step_of_fit`, and "
        "with it `callbacks.train_steps`, tells one from the other"
    )


def test_call_before_training(model):
    model.compile("sgd", "mse")
    has(model, "make_train_function", "call_before_training", "notice that a training begins another way")
    data, calls = (np.ones((2, 2)), np.ones((2, 1))), []
    end = keras_training.call_before_training(model, lambda: calls.append(1))
    model.fit(*data, verbose=0)
    model.train_on_batch(*data)
    keras_training.make_train_function(model)
    assert len(calls) == 2, (
        "`fit` and `train_on_batch` no longer call Model.make_train_function() when they begin, which "
        f'`call_before_training`, and with it layer-wise training with state="drop", needs: {len(calls)} calls'
    )
    end()
    model.fit(*data, verbose=0)
    assert (len(calls), "make_train_function" in vars(model)) == (2, False)


def test_a_train_step_is_traced_anew(model):
    model.compile("sgd", "mse")
    traces, own = [], model.train_step

    def counting(*arguments):
        traces.append(1)
        return own(*arguments)

    data = np.ones((2, 2)), np.ones((2, 1))
    with keras_training.replacing(model, "train_step", counting):
        for _ in range(2):
            keras_training.set_train_function(model, keras_training.make_train_function(model))
            model.fit(*data, verbose=0)
            traces.append("made")
    assert model.train_step == own
    assert all(traces[traces.index("made") + 1 : -1]), (
        "Model.make_train_function no longer takes the Model.train_step that is there, or what it makes is not traced "
        f"anew, which `make_train_function`, and with it layer-wise training, needs: {traces}"
    )
    assert len(traces) >= 4, traces


@only_on("jax", "its state outside the variables")
def test_state_of_jax(model):
    for name in ("jax_state_sync", "_get_jax_state", "_jax_state_synced"):
        has(model, name, "show_state", "find the state that `fit` keeps another way")
    model.compile(keras.optimizers.SGD(0.0, momentum=0.9), "mse")
    variable = model.get_layer("top").kernel
    seen = []

    def look(batch, logs):
        seen.append(variable._value is None)
        keras_training.show_state(model)
        seen.append(float(variable[0, 0]))
        variable.assign(keras.ops.full(variable.shape, 5.0 + batch))

    start = float(variable[0, 0])
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=look)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, verbose=0, callbacks=[watch])
    seen.append(float(variable[0, 0]))
    assert seen == [True, start, True, 5.0, 6.0], (
        "`fit` of JAX no longer keeps its state outside the variables until `jax_state_sync`, or no longer takes up "
        f"what is set then, on which `show_state` and all callbacks rely: {seen}"
    )


@only_on("jax", "its state outside the variables")
def test_a_step_within_a_context_that_sets_variables(model):
    import contextlib

    model.compile(keras.optimizers.SGD(0.0), "mse")
    variable, seen = model.get_layer("top").kernel, []

    @contextlib.contextmanager
    def around():
        seen.append(float(variable[0, 0]))
        variable.assign(keras.ops.full(variable.shape, 7.0))
        yield
        seen.append(float(variable[0, 0]))
        model.predict_on_batch(np.ones((2, 2)))
        variable.assign(keras.ops.full(variable.shape, 8.0))

    def take_step(*arguments):
        return keras_training.take_step_within(model, around(), lambda: own, arguments)

    own, start = keras_training.make_train_function(model), float(variable[0, 0])
    keras_training.set_train_function(model, take_step)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, verbose=0)
    seen.append(float(variable[0, 0]))
    assert seen == [start, 7.0, 8.0, 7.0, 8.0], (
        "`_jax_state`, `_jax_state_synced` and `_get_jax_state` no longer carry the state of `fit` to and from the "
        f"variables, which `take_step_within`, and with it `SyncEvaluation(before=True)`, needs: {seen}"
    )


def test_size_of_a_variable():
    variable = keras.Variable(np.ones((2, 3), "float32"))
    has(variable, "_shape", "set_shape", "free the memory of a variable of an optimizer another way")
    keras_variables.set_shape(variable, (0,))
    assert (tuple(variable.shape), variable.ndim) == ((0,), 1), (
        "KerasVariable._shape and _ndim no longer are what a variable says of itself, which `set_shape`, and with it "
        'layer-wise training with state="drop", needs'
    )


def test_flags_of_variables(model):
    kernel, bias = model.get_layer("top").weights
    has(kernel, "_value", "not_trainable", "reach the variable of TensorFlow another way")
    with keras_variables.not_trainable([kernel]):
        assert [v.path for v in model.get_layer("top").trainable_variables] == [bias.path], (
            "KerasVariable.trainable no longer decides what Layer.trainable_variables are, which `not_trainable`, and "
            "with it layer-wise training, needs"
        )
    assert kernel.trainable


@only_on("tensorflow", "its tapes")
def test_flags_of_variables_of_tensorflow(model):
    import tensorflow as tf

    kernel = model.get_layer("top").kernel
    has(kernel._value, "_trainable", "not_trainable", "keep a tape from recording a variable of TensorFlow another way")
    with keras_variables.not_trainable([kernel]):
        with tf.GradientTape() as tape:
            _ = kernel.value * 2
        assert tape.watched_variables() == (), (
            "`_trainable` of TensorFlow's variable no longer decides whether a tape records it, which `not_trainable` "
            "needs: the backward pass of a layer-wise training would go to the bottom"
        )
    assert kernel._value.trainable


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Nadam"])
def test_serialized(name):
    config = keras_optimizers.serialized(getattr(keras.optimizers, name)(0.25))
    assert (config["module"], config["class_name"]) == ("keras.optimizers", name), (
        "a serialized optimizer names another module than keras.optimizers, which other backends may not have: see "
        "`serialized`"
    )
    assert float(keras.saving.deserialize_keras_object(config).learning_rate) == 0.25


def test_untracked():
    optimizer, variable = keras.optimizers.SGD(), keras.Variable(1.0)
    with keras_optimizers.untracked():
        optimizer.others = [variable]
    assert all(each is not variable for each in optimizer.variables), (
        "keras.src.utils.tracking.DotNotTrackScope no longer keeps a list out of what is tracked, without which the "
        "weights become part of the state of `LaPerm`"
    )


def test_learning_rate():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    optimizer = keras.optimizers.SGD(schedule)
    has(optimizer, "_learning_rate", "learning_rate_of", "tell a schedule from a rate another way")
    assert keras_optimizers.learning_rate_of(optimizer) is schedule, (
        "Optimizer._learning_rate no longer is the schedule itself, which `learning_rate_of`, and with it the check of "
        "`reset_inner_state`, needs"
    )
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([])
    assert any(keras_optimizers.learning_rate_of(optimizer) is variable for variable in optimizer.variables), (
        "Optimizer._learning_rate no longer is one of the optimizer's variables, which `reset_inner_state` leaves alone"
    )


def test_moving_averages():
    variable = keras.Variable([1.0, 2.0])
    optimizer = keras.optimizers.SGD(0.1, use_ema=True)
    optimizer.build([variable])
    name = "_model_variables_moving_average"
    has(optimizer, name, "moving_averages", "find the moving averages of an optimizer another way")
    [average] = keras_optimizers.moving_averages(optimizer)
    assert average.shape == variable.shape
    assert any(average is each for each in optimizer.variables), (
        f"Optimizer.{name} no longer is the list of averages among its variables, which `moving_averages` needs"
    )
    plain = keras.optimizers.SGD(0.1)
    plain.build([variable])
    assert keras_optimizers.moving_averages(plain, []) == [], (
        f"Optimizer.{name} is there without `use_ema`: `moving_averages` cannot tell whether there are any"
    )


def test_hook_of_swap_ema_weights():
    # The one private name that our classes define: `SwapEMAWeights` asks a wrapper for it.
    variable = keras.Variable([1.0, 2.0])
    for use_ema in (False, True):
        optimizer = LaPerm(keras.optimizers.SGD(0.1, use_ema=use_ema))
        optimizer.build([variable])
        assert hasattr(optimizer, "_model_variables_moving_average") == use_ema
    source = pathlib.Path(keras.callbacks.SwapEMAWeights.__init__.__code__.co_filename).read_text()
    assert "optimizer._model_variables_moving_average" in source, (
        "SwapEMAWeights no longer reads Optimizer._model_variables_moving_average, which `OptimizerWrapper` defines "
        "for it: find out what it reads now, or leave the property out"
    )


def test_state_of_the_base_class_of_optimizers():
    # `OptimizerWrapper` tells its own state from the inner one's by `super().variables` and `super().iterations`.
    optimizer = LaPerm(keras.optimizers.SGD(0.1), reset_inner_state=True)
    base = keras.optimizers.Optimizer
    for name in ("variables", "iterations"):
        assert isinstance(getattr(base, name), property), (
            f"Optimizer.{name} no longer is a property, by which `OptimizerWrapper` reads its own state"
        )
    assert optimizer.iterations is base.iterations.fget(optimizer), (
        "Optimizer.iterations no longer gives the counter itself, which `OptimizerWrapper` adds its steps to"
    )
    inner = {id(variable) for variable in optimizer.inner_optimizer.variables}
    own = base.variables.fget(optimizer)
    assert inner.isdisjoint(map(id, own)), (
        "Optimizer.variables of the base class includes those of the inner optimizer, which `OptimizerWrapper` adds"
    )


@only_on("tensorflow", "what it compiles itself")
def test_whether_xla_compiles():
    import tensorflow as tf

    found = {}

    def record(key):
        found[key] = keras_scopes.is_in_xla()
        return tf.constant(0)

    for jit_compile in (False, True):
        tf.function(lambda jit_compile=jit_compile: record(jit_compile), jit_compile=jit_compile)()
    found["eager"] = keras_scopes.is_in_xla()
    assert found == {False: False, True: True, "eager": False}, (
        "control_flow_util.GraphOrParentsInXlaContext of tensorflow.python no longer tells whether XLA compiles, which "
        f"`is_in_xla`, and with it the choice of NumPy for sorting, needs: {found}"
    )


@only_on("tensorflow", "its strategies")
def test_whether_replicas_meet():
    import tensorflow as tf

    has(
        tf.__internal__.distribute,
        "strategy_supports_no_merge_call",
        "replicas_meet_to_assign",
        "tell whether several replicas meet to assign another way",
    )
    assert not keras_scopes.replicas_meet_to_assign()
    with tf.distribute.OneDeviceStrategy("cpu:0").scope():
        alone = keras_scopes.replicas_meet_to_assign()
    with tf.distribute.MirroredStrategy(["cpu:0"]).scope():
        mirrored = keras_scopes.replicas_meet_to_assign()
    assert (alone, mirrored) == (True, True), (
        "tf.__internal__.distribute.strategy_supports_no_merge_call no longer says where a condition cannot assign, "
        f"which `replicas_meet_to_assign`, and with it a synchronization on several devices, needs: {alone}, {mirrored}"
    )


def test_whether_values_come_from_outside():
    with keras.StatelessScope():
        inside = keras_scopes.is_in_stateless_scope()
    assert (inside, keras_scopes.is_in_stateless_scope()) == (True, False), (
        "keras.src.backend.common.stateless_scope no longer tells whether variables have values from outside, without "
        "which `LaPerm` reads its initial weights in a step of JAX"
    )


def test_one_place_chooses_the_backend():
    for name in backend.__all__:
        module = getattr(getattr(backend, name), "__module__", "")
        assert callable(getattr(backend, name)), name
        assert module.startswith((f"train_by_reconnect.backend.{BACKEND}", "tensorflow", "contextlib")), (name, module)


def modules():
    for package in ("train_by_reconnect", "models", "scripts", "benchmarks"):
        yield from (path for path in sorted((ROOT / package).rglob("*.py")) if path not in INTERNALS)


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name not in NAMEDTUPLE


@functools.cache
def own_names(folder):
    """The private names that the classes of a folder define or set on themselves."""
    return frozenset(_own_names(folder))


def _own_names(folder):
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield node.name
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
                yield node.attr
            elif isinstance(node, ast.ClassDef):
                targets = [target for each in node.body if isinstance(each, ast.Assign) for target in each.targets]
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def is_self(node):
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def foreign_names(path):
    """What a module names of others that is private: attributes, also by `getattr`, and modules."""
    source = path.read_text()
    yield from (name for name in ("keras.src", "tensorflow.python", "__internal__") if name in source)
    own = own_names(path.parent)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            undocumented = node.attr in UNDOCUMENTED and ast.unparse(node.value) != "keras_training"
            if undocumented or (is_private(node.attr) and not (is_self(node.value) and node.attr in own)):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "setattr", "hasattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(name.value):
                yield ast.unparse(node)


def test_own_variables(model):
    pair = model.get_layer("pair")
    assert [variable.name for variable in keras_layers.own_variables(pair)] == ["scale"]
    norm = keras.layers.BatchNormalization()
    norm.build((None, 2))
    assert len(keras_layers.own_variables(norm)) == 4, (
        "a layer's own variables are no longer in `_trainable_variables` and `_non_trainable_variables`, where "
        "`describe_variables` looks for what belongs to any layer"
    )


def test_models_without_values():
    def make():
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense"), keras.layers.Dropout(0.5)])

    made, waiting = keras_variables.made_without_values(make)
    kernel, bias = made.weights
    assert {id(kernel), id(bias)} <= {id(each) for each in waiting}, (
        "a variable that is made in a StatelessScope no longer waits for its value in a list of Keras, which "
        "`made_without_values` needs: find another way to build a model without allocating its weights"
    )
    assert kernel._value is None
    assert tuple(kernel.shape) == (3, 2)
    for variable in waiting:
        keras_variables.give_value(variable, np.full((3, 2), 7.0) if variable is kernel else None)
    assert np.all(keras.ops.convert_to_numpy(kernel) == 7), "Variable._initializer is not what gives the value any more"
    assert np.all(keras.ops.convert_to_numpy(bias) == 0)
    assert made(np.ones((1, 3), "float32")).shape == (1, 2)
    # What fails leaves nothing behind that a later scope would allocate.
    with pytest.raises(ZeroDivisionError):
        keras_variables.made_without_values(lambda: (keras.layers.Dense(2).build((None, 10**9)), 1 / 0))
    with keras.StatelessScope():
        pass


def test_call_after_last_batch(model):
    # Order of a fit of two epochs: the function, then validation, then the end of the epoch. `evaluate` has no part.
    has(keras.Model, "_get_metrics_result_or_logs", "call_after_last_batch", "find what `fit` calls after its batches")
    order = []

    class Watch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            keras_training.call_after_last_batch(model, lambda: order.append("function"))

        def on_train_batch_end(self, batch, logs=None):
            current(model).evaluate(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
            order.append("batch")

        def on_test_begin(self, logs=None):
            order.append("validation")

        def on_epoch_end(self, epoch, logs=None):
            order.append("epoch")

        def on_train_end(self, logs=None):
            keras_training.call_after_last_batch(model, None)

    model.compile("sgd", "mse", run_eagerly=True)
    data = np.ones((2, 2)), np.ones((2, 1))
    for callbacks in ([Watch()], []):
        model.fit(*data, verbose=0, batch_size=1, validation_data=data, callbacks=callbacks)
    assert order == ["batch", "batch", "function", "validation", "epoch"]


def test_know_variables():
    optimizer, variable = keras.optimizers.Optimizer(0.1), keras.Variable(1.0)
    assert optimizer._trainable_variables == [], "`SwapEMAWeights` looks elsewhere for the variables of an optimizer"
    keras_optimizers.know_variables(optimizer, [variable])
    assert (optimizer.built, keras_optimizers.known_variables(optimizer)) == (True, [variable])


def test_known_variables():
    optimizer, variables = keras.optimizers.SGD(1.0), [keras.Variable(1.0), keras.Variable(2.0)]
    has(optimizer, "_trainable_variables", "known_variables", "find what an optimizer was built for another way")
    optimizer.build(variables)
    assert list(map(id, keras_optimizers.known_variables(optimizer))) == list(map(id, variables)), (
        "Optimizer._trainable_variables no longer are those of `build`, in their order, which `known_variables`, and "
        "with it layer-wise training on JAX, needs"
    )


def test_private_names_are_where_they_are_tested():
    for path in modules():
        found = list(foreign_names(path))
        assert not found, (
            f"{path.relative_to(ROOT)} uses what is private to others, {', '.join(found)}: put it into a function of "
            "train_by_reconnect/backend/keras_*.py, with a test here, or use a public name"
        )


@pytest.mark.parametrize(
    "line",
    [
        "layer._layers",
        "self._trainable",
        "super()._variables",
        "self.model.train_function = f",
        "getattr(model, '_functional', model)",
        "from tensorflow.python.ops import control_flow_util",
        "tf.__internal__.distribute",
        "import keras.src.ops",
    ],
)
def test_a_private_name_is_found(tmp_path, line):
    (tmp_path / "module.py").write_text(f"class A:\n    def _own(self):\n        self._own()\n        {line}\n")
    assert len(list(foreign_names(tmp_path / "module.py"))) == 1
