import keras
import numpy as np
import pytest
from backends import assert_same, to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from train_by_reconnect import Masked, Signed, SignedConstant, SignedMask
from train_by_reconnect.conversion.connectivity_model import connectivity_model
from train_by_reconnect.conversion.strip import strip
from train_by_reconnect.conversion.weight_removal import remove_weights
from train_by_reconnect.layers.connectivity_layers import connectivity_layers

layers = keras.layers
WRAPPERS = {"masked": Masked, "signed": Signed, "both": SignedMask}


def dense_network(dense=layers.Dense, final="softmax"):
    """784-300-100-10 of the paper, a tenth as wide."""
    options = {"kernel_initializer": SignedConstant(), "use_bias": False}
    hidden = [dense(units, activation="relu", **options) for units in (30, 10)]
    return keras.Sequential([keras.Input((7, 7, 1)), layers.Flatten(), *hidden, dense(10, activation=final, **options)])


def conv_network(conv=layers.Conv2D, dense=layers.Dense):
    """One of every kind of layer that lets a factor pass, functional."""
    options = {"kernel_initializer": SignedConstant(), "use_bias": False}
    inputs = keras.Input((8, 8, 3))
    x = layers.ZeroPadding2D()(inputs)
    x = layers.MaxPooling2D(2)(layers.ReLU()(conv(8, 3, **options)(x)))
    x = conv(8, 3, padding="same", strides=2, activation="leaky_relu", **options)(x)
    x = layers.Dropout(0.5)(layers.LeakyReLU()(layers.AveragePooling2D(1)(x)))
    x = layers.Activation("relu")(layers.Reshape((-1,))(x))
    return keras.Model(inputs, layers.Softmax()(dense(4, **options)(x)))


def inputs_of(model, count=64):
    return np.random.default_rng(0).normal(size=(count, *model.input_shape[1:])).astype("float32")


def move_scores(model):
    generator = np.random.default_rng(1)
    for layer in connectivity_layers(model):
        for scores in layer.scores:
            scores.assign(generator.uniform(-0.05, 0.1, scores.shape))


def assert_same_answers(outputs, expected):
    """The highest output is the expected one, or equal to it within the tolerance of the outputs themselves."""
    chosen = np.take_along_axis(expected, np.argmax(outputs, -1)[:, np.newaxis], axis=-1)[:, 0]
    np.testing.assert_allclose(chosen, np.max(expected, -1), rtol=1e-4)


def test_by_hand():
    # Input (1, 2), weights +-1/2: relu(0.5 + 1, -0.5 + 1) = (1.5, 0.5); weights (3, -3): 4.5 - 1.5 = 3.
    # The factor is 1/2 * 3 = 1.5. Input (1.5, 3), weights +-1: relu(4.5, 1.5), and 4.5 - 1.5 = 3 again.
    hidden = layers.Dense(2, activation="relu", use_bias=False)
    model = keras.Sequential([keras.Input((2,)), hidden, layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[0.5, -0.5], [0.5, 0.5]]), np.array([[3.0], [-3.0]])])
    unit_model, input_scale = remove_weights(model)
    assert input_scale == 1.5
    assert [kernel.tolist() for kernel in unit_model.get_weights()] == [[[1, -1], [1, 1]], [[1], [-1]]]
    x = np.array([[1.0, 2.0]])
    assert float(to_numpy(model(x))[0, 0]) == float(to_numpy(unit_model(1.5 * x))[0, 0]) == 3
    assert hidden.kernel.numpy().tolist() == [[0.5, -0.5], [0.5, 0.5]]


@settings(deadline=None, max_examples=15)
@given(
    units=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    magnitude=st.floats(0.01, 100),
    wrapper=st.sampled_from([Masked, Signed, SignedMask]),
    seed=st.integers(0, 100),
)
def test_factor_of_any_chain_is_the_product_of_its_magnitudes(units, magnitude, wrapper, seed):
    dense = wrapper.of(layers.Dense, score_initializer=keras.initializers.RandomUniform(-1, 1, seed=seed))
    constants = [magnitude / (number + 1) for number in range(len(units))]
    chain = [
        dense(count, activation="relu", kernel_initializer=SignedConstant(constant, seed=seed))
        for count, constant in zip(units, constants, strict=True)
    ]
    model = keras.Sequential([keras.Input((4,)), *chain])
    unit_model, input_scale = remove_weights(model)
    np.testing.assert_allclose(input_scale, np.prod(constants), rtol=1e-6)
    x = inputs_of(model, 8)
    expected, outputs = to_numpy(model(x)), to_numpy(unit_model(input_scale * x))
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5 * np.max(expected) + 1e-12)


@pytest.mark.parametrize("network", [dense_network, conv_network])
@pytest.mark.parametrize("kind", ["masked", "signed", "plain", "stripped"])
def test_network_without_weights_is_the_same_network(network, kind):
    model = network()
    if kind != "plain":
        model = connectivity_model(model, "flip" if kind == "signed" else "prune")
        move_scores(model)
    if kind == "stripped":
        model = strip(model)
    unit_model, input_scale = remove_weights(model)
    before = [variable.numpy() for variable in model.weights]
    x = inputs_of(model)
    outputs, scaled = to_numpy(model(x)), to_numpy(unit_model(np.float32(input_scale) * x))
    np.testing.assert_allclose(scaled, outputs, rtol=1e-4, atol=1e-6)
    assert_same_answers(scaled, outputs)
    # Softmax of large numbers is 0 and 1; where it is not several times 1, the highest is where it was.
    assert_same_answers(to_numpy(unit_model(x)), outputs)
    for old, new in zip(before, unit_model.weights, strict=True):
        if "kernel" in new.path:
            assert_same(new, np.sign(old))
        elif "scores" in new.path:
            assert_same(new, old)
    assert all(np.array_equal(old, variable) for old, variable in zip(before, model.weights, strict=True))
    assert not unit_model.compiled


def test_factor_of_the_paper():
    # Equation (6): each layer counts sqrt(2 / fan_in), of 49, 30 and 10 inputs.
    assert remove_weights(dense_network())[1] == pytest.approx(np.sqrt(2 / 49 * 2 / 30 * 2 / 10), rel=1e-6)
    # Convolutions of 3 x 3 x 3 and 3 x 3 x 8, then 2 x 2 x 8 inputs.
    assert remove_weights(conv_network())[1] == pytest.approx(np.sqrt(2 / 27 * 2 / 72 * 2 / 32), rel=1e-6)


def test_separable_convolution_counts_both_kernels_and_a_shared_layer_each_use():
    twos, threes = keras.initializers.Constant(2), keras.initializers.Constant(3)
    shared = layers.Dense(3, kernel_initializer=threes, use_bias=False, activation="relu")
    separable = layers.SeparableConv2D(
        3, 2, depthwise_initializer=twos, pointwise_initializer=threes, use_bias=False, padding="same"
    )
    inputs = keras.Input((4, 4, 3))
    inner = keras.Sequential([keras.Input((4, 4, 3)), separable, shared])
    model = keras.Model(inputs, shared(inner(inputs)))
    unit_model, input_scale = remove_weights(model)
    assert input_scale == 2 * 3 * 3 * 3
    x = inputs_of(model, 2)
    np.testing.assert_allclose(to_numpy(unit_model(input_scale * x)), to_numpy(model(x)), rtol=1e-5)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_training_is_the_same(wrapper):
    model = dense_network(WRAPPERS[wrapper].of(layers.Dense))
    unit_model, input_scale = remove_weights(model)
    x, labels = inputs_of(model, 100), np.random.default_rng(2).integers(10, size=100)
    for each, scale in ((model, 1), (unit_model, input_scale)):
        each.compile(optimizer=keras.optimizers.Adam(0.02), loss="sparse_categorical_crossentropy")
        each.fit(np.float32(scale) * x, labels, batch_size=25, epochs=5, shuffle=False, verbose=0)  # 20 steps
    scores, without = (
        np.concatenate([layer.scores[0].numpy().ravel() for layer in connectivity_layers(each)])
        for each in (model, unit_model)
    )
    # About 40 % are changed by then. The scores were seen to differ by 5e-7 at most, and no mask of 1,870 did.
    assert 0.2 < np.mean(scores <= 0) < 0.8
    np.testing.assert_allclose(without, scores, atol=1e-5)
    clear = np.abs(scores) > 1e-5
    assert_same((without > 0)[clear], (scores > 0)[clear])


def test_scores_have_the_same_gradients():
    model = conv_network(Masked.of(layers.Conv2D), Masked.of(layers.Dense))
    move_scores(model)
    unit_model, input_scale = remove_weights(model)
    x, labels = inputs_of(model, 8), np.zeros(8)
    for layer in model.layers + unit_model.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0  # it would draw other zeros in each model
    steps = []
    for each, scale in ((model, 1), (unit_model, input_scale)):
        each.compile(optimizer=keras.optimizers.SGD(1.0), loss="sparse_categorical_crossentropy")
        before = [layer.scores[0].numpy() for layer in connectivity_layers(each)]
        each.train_on_batch(np.float32(scale) * x, labels)
        after = [layer.scores[0].numpy() for layer in connectivity_layers(each)]
        steps.append([new - old for old, new in zip(before, after, strict=True)])
    for gradient, without in zip(*steps, strict=True):
        assert np.abs(gradient).max() > 1e-3
        np.testing.assert_allclose(without, gradient, rtol=1e-3, atol=1e-6)


def chain(*middle, **options):
    return keras.Sequential([keras.Input((4,)), *middle, layers.Dense(2, kernel_initializer="ones", **options)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: chain(bias_initializer="ones"), r"bias must be zero.*Received: 'dense'"),
        (lambda: chain(layers.Dense(3, use_bias=False)), r"one magnitude.*Received: 'dense', with 12 magnitudes"),
        (lambda: chain(layers.Dense(3, kernel_initializer="zeros")), r"Received: 'dense', with 0 magnitudes"),
        (lambda: chain(layers.BatchNormalization()), r"twice the size.*'batch_normalization' of class Batch"),
        (lambda: chain(layers.ReLU(6)), r"twice the size.*'re_lu' of class ReLU\."),
        (lambda: chain(layers.Activation("tanh")), r"of class Activation with the activation tanh"),
        (lambda: chain(layers.Dense(1, "sigmoid", kernel_initializer="ones")), "with the activation sigmoid"),
        (lambda: chain(layers.Softmax()), "of class Softmax"),
        (lambda: chain(layers.Rescaling(1, 1)), "of class Rescaling"),
        (lambda: chain(activation="tanh"), "of class Dense with the activation tanh"),
    ],
)
def test_layers_that_let_no_factor_pass(make, message):
    with pytest.raises(ValueError, match=message):
        remove_weights(make())


def test_models_that_are_no_chain():
    inputs = keras.Input((4,))
    x = layers.Dense(4, use_bias=False, kernel_initializer="ones")(inputs)
    for outputs in (layers.Add()([inputs, x]), [x, layers.ReLU()(x)]):
        with pytest.raises(ValueError, match=r"one chain of layers.*Received: model='branched'"):
            remove_weights(keras.Model(inputs, outputs, name="branched"))

    class Subclassed(keras.Model):
        def build(self, input_shape):
            self.dense = layers.Dense(4)
            self.dense.build(input_shape)

    model = Subclassed(name="subclassed")
    model.build((None, 4))
    with pytest.raises(ValueError, match=r"model='subclassed', which has branches or is subclassed"):
        remove_weights(model)
    with pytest.raises(ValueError, match="must be built"):
        remove_weights(keras.Sequential([layers.Dense(2)]))
