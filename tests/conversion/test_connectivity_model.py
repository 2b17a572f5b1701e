import functools

import keras
import numpy as np
import pytest
from backends import assert_same, to_numpy
from test_replace_layers import Block, Network, X, perturb, small_functional

import models
from train_by_reconnect import Masked, MinimalChange, Signed, SignedMask, changed_fractions
from train_by_reconnect.conversion.connectivity_model import connectivity_model
from train_by_reconnect.conversion.strip import strip
from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.edge_popup import EdgePopup
from train_by_reconnect.layers.fixed_kernels import FixedKernels

random = np.random.default_rng(0)


def two_layers():
    layers = [keras.layers.Dense(4, activation="relu", name="hidden"), keras.layers.Dense(2, name="output")]
    return keras.Sequential([keras.Input((6,), name="images"), *layers], name="two")


def move_scores(model):
    """Scores of both signs everywhere, so that a third of the connections is changed."""
    generator = np.random.default_rng(2)
    for layer in connectivity_layers(model):
        for scores in layer.scores:
            scores.assign(generator.uniform(-0.2, 0.1, scores.shape))


def snapshot(model):
    return [variable.numpy() for variable in model.variables]


def test_by_hand():
    # Inputs (1, 2), kernel (3, 5), bias 7: 1 * 3 + 2 * 5 + 7 = 20. The second connection masked: 3 + 7 = 10. Its sign
    # flipped: 3 - 10 + 7 = 0. With both, a score of -0.1 flips, as scores in (-0.1, 0] mask.
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.set_weights([np.array([[3.0], [5.0]]), np.array([7.0])])
    modes = ("prune", Masked, 10), ("flip", Signed, 0), ("prune_and_flip", SignedMask, 0)
    for mode, layer_class, expected in modes:
        converted = connectivity_model(model, mode)
        assert type(converted.layers[0]) is layer_class
        assert float(to_numpy(converted(np.array([[1.0, 2.0]])))[0, 0]) == 20
        converted.layers[0].scores[0].assign([[0.1], [-0.1]])
        assert float(to_numpy(converted(np.array([[1.0, 2.0]])))[0, 0]) == expected
        assert float(to_numpy(strip(converted)(np.array([[1.0, 2.0]])))[0, 0]) == expected
    assert float(to_numpy(model(np.array([[1.0, 2.0]])))[0, 0]) == 20


@pytest.mark.parametrize("mode", ["prune", "flip", "prune_and_flip"])
def test_functional_model(mode):
    model = small_functional()
    perturb(model)
    before, inputs = snapshot(model), {"first": X, "second": X[::-1]}
    expected = model(inputs)
    converted = connectivity_model(model, mode, "minimal")
    outputs = converted(inputs)
    for key in expected:
        assert_same(outputs[key], expected[key])
    assert [layer.name for layer in converted.layers] == [layer.name for layer in model.layers]
    assert len(connectivity_layers(converted)) == 4
    assert converted.get_layer("inner").get_layer("shared") is converted.get_layer("shared")
    move_scores(converted)
    outputs, plain = converted(inputs), strip(converted)
    stripped = plain(inputs)
    for key in expected:
        assert_same(outputs[key], stripped[key])
    assert not np.array_equal(outputs["a"], expected["a"])
    assert [type(layer) for layer in plain._flatten_layers()] == [type(layer) for layer in model._flatten_layers()]
    # The given model is as it was.
    assert all(np.array_equal(old, new) for old, new in zip(before, snapshot(model), strict=True))
    assert not any(isinstance(layer, FixedKernels) for layer in model._flatten_layers())


@pytest.mark.parametrize("with_input", [True, False])
def test_sequential_model(with_input):
    layers = [keras.layers.Dense(4, activation="relu"), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((6,)), *layers] if with_input else layers)
    model(X)
    perturb(model)
    converted = connectivity_model(model)
    assert_same(converted(X), model(X))
    move_scores(converted)
    assert_same(strip(converted)(X), converted(X))


def test_subclassed_model():
    model = Network(6, name="network")
    model(X, {"b": X})
    perturb(model)
    converted = connectivity_model(model, "flip", seed=0)
    assert type(converted) is Network
    assert isinstance(converted.head, Signed)
    assert isinstance(converted.block.many[1]["a"], Signed)
    assert isinstance(converted.stack.layers[0], Signed)
    assert converted.block.again is converted.block.single
    assert set(changed_fractions(converted)) == {*("single", "listed", "in_dict", "in_tuple", "stacked", "head", "all")}
    assert_same(converted(X, {"b": X}), model(X, {"b": X}))
    move_scores(converted)
    plain = strip(converted)
    assert_same(plain(X, {"b": X}), converted(X, {"b": X}))
    assert type(plain.head) is keras.layers.Dense
    assert len(plain.weights) == len(model.weights)


def test_weights_of_a_subclassed_model_are_saved_and_loaded_into_one_converted_anew(tmp_path):
    model = keras.Sequential([keras.Input((6,)), Block(6)])
    converted = connectivity_model(model)
    move_scores(converted)
    converted.save_weights(tmp_path / "block.weights.h5")
    anew = connectivity_model(model)
    anew.load_weights(tmp_path / "block.weights.h5")
    assert_same(anew(X), converted(X))


def test_model_inside_a_keras_wrapper():
    model = keras.Sequential([keras.Input((4, 6)), keras.layers.TimeDistributed(keras.layers.Dense(2, name="dense"))])
    converted = connectivity_model(model)
    sequences = random.normal(size=(2, 4, 6)).astype("float32")
    assert isinstance(converted.layers[0].layer, Masked)
    assert_same(converted(sequences), model(sequences))


def every_convolution():
    """A network with every class of layers that has kernels of its own."""
    layers, inputs = keras.layers, keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, strides=2, padding="same", groups=2, activation="relu")(inputs)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", use_bias=False)(x)
    x = layers.SeparableConv2D(4, 3, padding="same")(x)
    x = layers.Conv2DTranspose(4, 3, padding="same")(x)
    x = layers.EinsumDense("abcd,de->abce", output_shape=(None, None, 3), bias_axes="e")(x)
    x = layers.Reshape((16, 3))(x)
    x = layers.Conv1D(4, 3, dilation_rate=2, padding="causal")(x)
    x = layers.DepthwiseConv1D(3)(x)
    x = layers.SeparableConv1D(4, 3)(x)
    x = layers.Conv1DTranspose(4, 3)(x)
    x = layers.Reshape((2, 2, 4, 4))(layers.ZeroPadding1D((0, 16 - x.shape[1]))(x))
    x = layers.Conv3DTranspose(2, 2)(layers.Conv3D(4, 2, padding="same")(x))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))


@pytest.mark.parametrize("mode", ["prune", "flip", functools.partial(EdgePopup, sparsity=0.5)])
def test_every_class_of_layers(mode):
    model = every_convolution()
    perturb(model, -1, 1)
    converted = connectivity_model(model, mode)
    images = random.normal(size=(2, 8, 8, 4)).astype("float32")
    assert len(connectivity_layers(converted)) == 12
    if not callable(mode):
        assert_same(converted(images), model(images))
        move_scores(converted)
    plain = strip(converted)
    assert_same(plain(images), converted(images))
    assert [layer.get_config() for layer in plain.layers] == [layer.get_config() for layer in model.layers]


def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = two_layers()
    converted = connectivity_model(model)
    assert_same(converted(X), model(X))
    move_scores(converted)
    assert_same(strip(converted)(X), converted(X))
    assert strip(converted).layers[0].compute_dtype == "float16"


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [functools.partial(keras.applications.MobileNetV2, alpha=0.35), keras.applications.ResNet50],
    ids=["MobileNetV2", "ResNet50"],
)
def test_networks_of_keras_applications(make):
    model = make(weights=None, input_shape=(32, 32, 3))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    images = random.normal(size=(2, 32, 32, 3)).astype("float32")
    converted = connectivity_model(model)
    assert_same(converted(images), model(images))
    move_scores(converted)
    outputs, plain = to_numpy(converted(images)), strip(converted)
    assert_same(plain(images), outputs)
    assert np.abs(outputs - to_numpy(model(images))).max() > 1e-4
    assert plain.get_config() == model.get_config()


def test_training_changes_scores_and_batch_normalization_alone():
    model = models.conv2((8, 8, 3), width=1 / 16)
    images, labels = random.normal(size=(16, 8, 8, 3)).astype("float32"), random.integers(10, size=16)
    converted = connectivity_model(model, "prune", "minimal")
    assert not converted.compiled
    before = {variable.path: variable.numpy() for variable in converted.weights}
    converted.compile(optimizer=keras.optimizers.Adam(0.1), loss="sparse_categorical_crossentropy")
    converted.fit(images, labels, batch_size=8, epochs=1, verbose=0)
    changed = {v.path for v in converted.weights if not np.array_equal(v.numpy(), before[v.path])}
    trained = {v.path for v in converted.weights if "scores" in v.path or "batch_norm" in v.path}
    assert changed == trained
    assert len(trained) == 5 + 4 * 4
    assert 0 < changed_fractions(converted)["all"] < 1
    plain = strip(converted)
    assert not plain.compiled
    assert_same(plain(images), converted(images))
    for layer in connectivity_layers(converted):
        fixed, kernel = model.get_layer(layer.name).kernel.numpy(), plain.get_layer(layer.name).kernel.numpy()
        assert layer.kernels[0].numpy().tobytes() == fixed.tobytes()
        assert_same(kernel, np.where(kernel == 0, 0, fixed))


def test_bias_is_trained_if_asked_for():
    paths = [v.path for v in connectivity_model(two_layers(), train_bias=True).trainable_variables]
    assert paths == ["two/hidden/scores", "two/hidden/hidden/bias", "two/output/scores", "two/output/output/bias"]
    assert len(connectivity_model(two_layers()).trainable_variables) == 2


def test_objective():
    # 24 scores in the hidden layer and 8 in the output: 3/4 and 1/4 of the network, or a half of each.
    for mode, counts in (("prune", "kept"), ("flip", "changed"), ("prune_and_flip", "changed")):
        for average, weights in (("network", [0.75, 0.25]), ("layer", [0.5, 0.5])):
            converted = connectivity_model(two_layers(), mode, "minimal", average=average)
            regularizers = [layer.scores[0].regularizer for layer in converted.layers]
            assert [regularizer.weight for regularizer in regularizers] == weights
            assert all(type(each) is MinimalChange and each.counts == counts for each in regularizers)
    free = connectivity_model(two_layers())
    assert [layer.scores[0].regularizer for layer in free.layers] == [None, None]


def test_rescale():
    model = two_layers()
    converted = connectivity_model(model, rescale=True)
    assert all(layer.rescale for layer in converted.layers)
    assert_same(converted(X), model(X))
    move_scores(converted)
    assert_same(strip(converted)(X), converted(X))


def test_seed_decides_all_scores_and_no_two_are_alike():
    def draw(seed):
        model = keras.Sequential(
            [keras.Input((4, 4, 4)), keras.layers.SeparableConv2D(4, 1), keras.layers.Conv2D(4, 1)]
        )
        return [
            scores.numpy()
            for layer in connectivity_layers(connectivity_model(model, seed=seed))
            for scores in layer.scores
        ]

    first, again, other = draw(3), draw(3), draw(4)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert all((scores > 0).all() and (scores <= 0.1).all() for scores in first)
    values = np.concatenate([scores.ravel() for scores in first + other])
    assert len(np.unique(values)) > 0.95 * len(values)


def test_frozen_layers_stay_frozen_in_all_three():
    model = two_layers()
    model.layers[0].trainable = False
    converted = connectivity_model(model)
    assert [v.path for v in converted.trainable_variables] == ["two/output/scores"]
    assert [v.path for v in strip(converted).trainable_variables] == ["two/output/kernel", "two/output/bias"]


def test_converted_model_is_saved_and_loaded(tmp_path):
    converted = connectivity_model(every_convolution(), "prune", "minimal")
    move_scores(converted)
    converted.save(tmp_path / "converted.keras")
    loaded = keras.models.load_model(tmp_path / "converted.keras")
    images = random.normal(size=(2, 8, 8, 4)).astype("float32")
    assert_same(loaded(images), converted(images))
    assert [layer.scores[0].regularizer.weight for layer in connectivity_layers(loaded)] == [
        layer.scores[0].regularizer.weight for layer in connectivity_layers(converted)
    ]


def recurrent():
    inputs = keras.Input((4,))
    x = keras.layers.Embedding(10, 6, name="words")(inputs)
    x = keras.layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(3), name="both_ways")(x)
    return keras.Model(inputs, keras.layers.Dense(2, name="output")(x), name="recurrent")


def test_layers_that_cannot_be_wrapped_are_an_error_and_can_be_kept():
    model = recurrent()
    message = (
        r"can be wrapped, or be kept.*'recurrent', of which words, attention, both_ways hold.*keep=\('words', 'att"
    )
    with pytest.raises(ValueError, match=message):
        connectivity_model(model)
    converted = connectivity_model(model, keep=("words", "attention", "both_ways"))
    assert len(connectivity_layers(converted)) == 1
    tokens = random.integers(10, size=(3, 4))
    assert_same(converted(tokens), model(tokens))


def test_kept_layers_stay_plain_with_all_inside_them():
    model = small_functional()
    converted = connectivity_model(model, keep=("inner", "a"))
    assert [layer.name for layer in connectivity_layers(converted)] == ["b"]  # "shared" is inside "inner" too
    inputs = {"first": X, "second": X}
    assert_same(converted(inputs)["a"], model(inputs)["a"])
    assert connectivity_model(model, keep=["b"]).get_layer("b").kernel.trainable


class Late(keras.layers.Layer):
    def build(self, input_shape):
        self.inside = keras.layers.Dense(2, name="made_in_build")
        self.inside.build(input_shape)

    def call(self, inputs):
        return self.inside(inputs)


def test_layer_made_in_build_is_named():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), Late()])
    with pytest.raises(ValueError, match="of which made_in_build hold"):
        connectivity_model(model)
    assert_same(connectivity_model(model, keep=("made_in_build",))(X), model(X))


def test_lora_is_an_error():
    model = two_layers()
    model.layers[0].enable_lora(2)
    with pytest.raises(ValueError, match=r"of which hidden hold kernels.*LoRA"):
        connectivity_model(model)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "mask"}, r'`mode` must be "prune", "flip".*Received: mode=\'mask\''),
        ({"mode": "flip", "rescale": True}, r'`rescale` is for "prune".*rescale=True'),
        ({"mode": "prune_and_flip", "rescale": True}, r"mode=\'prune_and_flip\', rescale=True"),
        ({"mode": EdgePopup, "objective": "minimal"}, "for it to set.*and a value for objective"),
        ({"mode": Masked, "train_bias": True, "rescale": True}, "a value for train_bias and rescale"),
        ({"mode": lambda layer: layer}, "must wrap a layer in a `FixedKernels`.*gave <Dense name=hidden"),
        ({"objective": "small"}, r"`objective` must be.*Received: objective='small'"),
        ({"average": "all"}, r"`average` must be.*Received: average='all'"),
        ({"keep": ("hiden",)}, r"`keep` must be.*Received: keep=\('hiden',\)\. The names are: images, hidden, output"),
        ({"keep": "output"}, "`keep` must be a tuple.*Received: keep='output'"),
        ({"keep": ("hidden", "output")}, "must have a layer to convert"),
        ({"seed": -1}, "`seed` must be an integer.*Received: seed=-1"),
        ({"seed": 0.5}, "`seed` must be an integer.*Received: seed=0.5"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        connectivity_model(two_layers(), **arguments)


def test_errors_of_models():
    with pytest.raises(ValueError, match=r"must be built.*Received: model='new'"):
        connectivity_model(keras.Sequential([keras.layers.Dense(1)], name="new"))
    with pytest.raises(ValueError, match=r"must be a plain model.*of which hidden, output have fixed kernels already"):
        connectivity_model(connectivity_model(two_layers()))
