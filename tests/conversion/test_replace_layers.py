import keras
import numpy as np
import pytest
from backends import assert_same, only_on, to_numpy

from train_by_reconnect.conversion.replace_layers import replace_layers

X = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")


class Block(keras.layers.Layer):
    """Layers in all the places that are looked into, and one that only its `build` makes."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.single = keras.layers.Dense(units, name="single")
        self.many = [keras.layers.Dense(units, name="listed"), {"a": keras.layers.Dense(units, name="in_dict")}]
        self.pair = (keras.layers.ReLU(), keras.layers.Dense(units, name="in_tuple"))
        self.again = self.single

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="uniform", name="scale")
        self.late = keras.layers.BatchNormalization()
        self.late.build((None, self.units))
        for layer in (self.single, self.many[0], self.many[1]["a"], *self.pair):
            layer.build(input_shape)

    def call(self, inputs):
        x = self.scale * self.again(self.single(inputs))
        for layer in (self.many[0], self.many[1]["a"], *self.pair, self.late):
            x = layer(x)
        return x

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Network(keras.Model):
    """Subclassed layers and a Sequential model inside a subclassed model of two arguments, one of them a dict."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.block = Block(units, name="block")
        self.stack = keras.Sequential([keras.layers.Dense(units, name="stacked"), keras.layers.ReLU()])
        self.head = keras.layers.Dense(2, name="head")

    def call(self, inputs, other):
        return self.head(self.block(inputs) + self.stack(other["b"]))

    def get_config(self):
        return {"units": self.units, "name": self.name}


def perturb(model, low=0.5, high=1.5):
    random = np.random.default_rng(1)
    for variable in model.weights:
        variable.assign(random.uniform(low, high, variable.shape))


def small_functional():
    """Nested, with a shared layer, two inputs and two outputs, an operation that is no layer, and a Lambda layer."""
    first, second = keras.Input((6,), name="first"), keras.Input((6,), name="second")
    shared = keras.layers.Dense(6, activation="relu", name="shared")
    inner_input = keras.Input((6,))
    inner = keras.Model(inner_input, shared(keras.layers.Dense(6, name="inside")(inner_input)), name="inner")
    x = keras.ops.add(inner(first), shared(second))
    x = keras.layers.BatchNormalization(name="normalize")(x)
    doubled = keras.layers.Lambda(lambda x: 2 * x, output_shape=(6,))(x)
    outputs = {"a": keras.layers.Dense(1, name="a")(x), "b": keras.layers.Dense(2, name="b")(doubled)}
    return keras.Model({"first": first, "second": second}, outputs, name="small")


def test_by_hand():
    # 3 inputs of 1 by weights of 2 are 6; the kernel of the replacement is all ones, so 3, and its copy is free: 3 * 2.
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(2))]
    )
    model.add(keras.layers.Rescaling(2.0, name="twice"))
    copy, replaced = replace_layers(
        model,
        lambda layer: (
            keras.layers.Dense(1, kernel_initializer="ones") if isinstance(layer, keras.layers.Dense) else None
        ),
    )
    ones = np.ones((1, 3))
    assert (float(to_numpy(model(ones))[0, 0]), float(to_numpy(copy(ones))[0, 0])) == (12, 6)
    assert replaced == [(model.layers[0], copy.layers[0])]
    assert copy.layers[1] is not model.layers[1]


def test_functional_model_is_copied_with_its_sharing_and_state():
    model = small_functional()
    perturb(model)
    inputs = {"first": X, "second": X[::-1]}
    copy, replaced = replace_layers(model, lambda layer: None)
    assert replaced == []
    expected, outputs = model(inputs), copy(inputs)
    for key in ("a", "b"):
        assert_same(outputs[key], expected[key])
    assert copy.get_layer("inner").get_layer("shared") is copy.get_layer("shared")
    assert not {id(variable) for variable in model.variables} & {id(variable) for variable in copy.variables}


def test_subclassed_model_is_copied_with_everything_inside():
    model = Network(6)
    model(X, {"b": X})
    perturb(model)
    seen = []
    copy, _ = replace_layers(model, lambda layer: seen.append(layer.name))
    assert type(copy) is Network
    assert copy.built
    assert copy.block.again is copy.block.single
    assert {"block", "single", "listed", "in_dict", "in_tuple", "stacked", "head"} <= set(seen)
    assert len(copy.weights) == len(model.weights)
    assert_same(copy(X, {"b": X}), model(X, {"b": X}))
    # Nothing of what `from_config` had made at first is left.
    assert all(layer.built for layer in copy._flatten_layers())


def test_variables_of_a_subclassed_model_keep_their_paths():
    model = Network(6, name="network")
    model(X, {"b": X})
    copy, _ = replace_layers(model, lambda layer: None)
    assert copy.head.kernel.path == model.head.kernel.path == "network/head/kernel"


class Eager(keras.Model):
    """Builds its layers at once, and cannot be called with placeholders: its number of steps is in the data."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(6, name="dense")
        self.dense.build((None, 6))

    def call(self, inputs):
        for _ in range(int(keras.ops.convert_to_numpy(inputs).max() > 0) + 1):
            inputs = self.dense(inputs)
        return inputs

    def get_config(self):
        return {"name": self.name}


def test_model_that_only_data_can_build():
    model = Eager()
    model(X)
    copy, _ = replace_layers(model, lambda layer: None)
    assert_same(copy(X), model(X))


def test_compiled_model_stays_compiled_and_its_copy_is_not():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    model.compile(optimizer="adam", loss=lambda y, z: keras.ops.mean(z))
    copy, _ = replace_layers(model, lambda layer: None)
    assert model.compiled
    assert not copy.compiled


def test_frozen_layers_stay_frozen():
    model = small_functional()
    model.get_layer("inner").trainable = False
    copy, _ = replace_layers(model, lambda layer: None)
    assert [v.path for v in copy.trainable_variables] == [v.path for v in model.trainable_variables]


@only_on("tensorflow", "layers of strings need it")
def test_vocabularies_are_copied():
    lookup = keras.layers.StringLookup(output_mode="multi_hot", name="words")
    lookup.adapt(np.array(["a", "b", "c"]))
    words = keras.Input((1,), dtype="string")
    model = keras.Model(words, keras.layers.Dense(1)(lookup(words)))
    copy, _ = replace_layers(model, lambda layer: None)
    text = keras.ops.convert_to_tensor(np.array([["b"], ["z"]]))
    assert_same(copy(text), model(text))


def test_layers_of_users_inside_layers_of_keras_need_not_be_registered():
    model = keras.Sequential([keras.Input((4, 6)), keras.layers.TimeDistributed(Block(6))])
    copy, _ = replace_layers(model, lambda layer: None)
    sequences = np.stack([X] * 4, axis=1)
    assert_same(copy(sequences), model(sequences))


class Forgetful(keras.layers.Layer):
    def __init__(self, depth=1, **kwargs):
        super().__init__(**kwargs)
        self.layers = [keras.layers.Dense(6) for _ in range(depth)]

    def call(self, inputs):
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def get_config(self):
        return {"name": self.name}


def test_unbuilt_model_is_an_error():
    with pytest.raises(ValueError, match=r"must be built.*Received: model='new'.*call it once"):
        replace_layers(keras.Sequential([keras.layers.Dense(1)], name="new"), lambda layer: None)


@pytest.mark.parametrize("depth", [0, 2])
def test_layer_that_forgets_its_arguments_is_an_error(depth):
    model = keras.Sequential([keras.Input((6,)), Forgetful(depth, name="forgetful"), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"same layers.*Received: 'forgetful' of class Forgetful.*get_config"):
        replace_layers(model, lambda layer: None)
