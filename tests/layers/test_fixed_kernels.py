"""Layers around every class of layer that has a kernel, against the plain layer with the kernel multiplied by hand."""

import keras
import numpy as np
import pytest
from backends import gradients_of, only_on, to_numpy
from keras import layers

from train_by_reconnect import Masked, Signed, SignedMask, backend, set_objective
from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.layers.wrapped import LAYER_CLASSES

# A function that makes the layer, with the arguments that matter, and the shape of one input.
CASES = {
    "Dense": (lambda: layers.Dense(3, activation="relu"), (5,)),
    "Dense of sequences": (lambda: layers.Dense(3, use_bias=False), (4, 5)),
    "EinsumDense": (lambda: layers.EinsumDense("abc,cde->abde", (4, 2, 3), bias_axes="e"), (4, 5)),
    "Conv1D causal": (lambda: layers.Conv1D(4, 3, dilation_rate=2, padding="causal", groups=2), (7, 4)),
    "Conv2D strided": (lambda: layers.Conv2D(4, (3, 2), strides=2, padding="same", groups=2), (5, 6, 2)),
    "Conv2D dilated": (lambda: layers.Conv2D(3, 2, dilation_rate=2, activation="tanh"), (5, 6, 2)),
    "Conv3D": (lambda: layers.Conv3D(2, 2, strides=(1, 2, 1), padding="same"), (3, 4, 3, 2)),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(3, 3, strides=2, padding="same"), (4, 2)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=1), (3, 4, 2)),
    "Conv3DTranspose": (lambda: layers.Conv3DTranspose(2, 2, strides=2), (2, 3, 2, 2)),
    "DepthwiseConv1D": (lambda: layers.DepthwiseConv1D(3, depth_multiplier=2, dilation_rate=2), (7, 2)),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2, padding="same"), (5, 6, 2)),
    "SeparableConv1D": (lambda: layers.SeparableConv1D(3, 3, depth_multiplier=2, padding="same"), (6, 2)),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(3, 3, strides=2, depth_multiplier=2), (6, 5, 2)),
}
BELOW = {Masked: 0.0, Signed: -1.0}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(params=BELOW, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def scored(layer, input_shape):
    """Build it, with scores below, above and exactly at zero, and biases that are not zero."""
    layer.build((None, *input_shape))
    for seed, scores in enumerate(layer.scores):
        values = random(scores.shape, seed)
        scores.assign(np.where(np.abs(values) < 0.3, 0, values))
    if getattr(layer.layer, "bias", None) is not None:
        layer.layer.bias.assign(random(layer.layer.bias.shape, 9))
    return layer


def plain_twin(layer, input_shape):
    """The plain layer with the kernels that the other one is to compute with, multiplied in NumPy."""
    twin = type(layer.layer).from_config(layer.layer.get_config())
    twin.build((None, *input_shape))
    factors = [np.where(scores.numpy() > 0, 1, BELOW[type(layer)]) for scores in layer.scores]
    assert all((factor == 1).any() and (factor != 1).any() for factor in factors)
    values = {id(k): k.numpy() * factor for k, factor in zip(layer.kernels, factors, strict=True)}
    for ours, theirs in zip(layer.layer.weights, twin.weights, strict=True):
        theirs.assign(values.get(id(ours), ours.numpy()))
    return twin


def gradients(layer, inputs, variables):
    """The outputs, and the gradients of a weighted sum of them by the inputs and the variables."""
    inputs = keras.Variable(inputs)
    outputs = to_numpy(layer(inputs.value))
    weights = keras.ops.array(random(outputs.shape, 5))
    found, _ = gradients_of(lambda: keras.ops.sum(layer(inputs.value) * weights), [inputs, *variables])
    return outputs, *map(to_numpy, found)


def test_by_hand():
    # Kernel (2, 3), scores (1, -1), input (10, 100), loss 7 y, so the gradient of the effective kernel is 7 (10, 100).
    #   mask: effective (2, 0), y = 20;     gradient of the scores 7 (10 x 2, 100 x 3) = (140, 2100), so for signs;
    #   sign: effective (2, -3), y = -280;  gradient of the input 7 (2, 0) = (14, 0), or 7 (2, -3) = (14, -21).
    # A score of -1 is far enough below 0 for masks and signs together to flip.
    for kind, output, of_input in ((Masked, 20, [14, 0]), (Signed, -280, [14, -21]), (SignedMask, -280, [14, -21])):
        layer = kind(layers.Dense(1, use_bias=False))
        layer.build((None, 2))
        layer.kernels[0].assign([[2], [3]])
        layer.scores[0].assign([[1], [-1]])
        inputs = keras.Variable([[10.0, 100.0]])
        loss = lambda layer=layer, inputs=inputs: 7 * layer(inputs.value)[0, 0]  # noqa: E731
        (of_scores, of_inputs), value = gradients_of(loss, [layer.scores[0], inputs])
        assert float(to_numpy(value)) == 7 * output
        assert to_numpy(of_scores).tolist() == [[140], [2100]]
        assert to_numpy(of_inputs).tolist() == [of_input]


def test_every_class_has_a_case():
    assert {type(make()) for make, _ in CASES.values()} == set(LAYER_CLASSES)


def test_equals_the_plain_layer(case, kind):
    make, shape = case
    layer = scored(kind(make()), shape)
    twin = plain_twin(layer, shape)
    kernels = [variable for variable in twin.weights if "bias" not in variable.name]
    inputs = random((2, *shape), 3)
    ours, theirs = gradients(layer, inputs, layer.scores), gradients(twin, inputs, kernels)
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], theirs[1])
    for of_scores, of_effective, fixed in zip(ours[2:], theirs[2:], layer.kernels, strict=True):
        np.testing.assert_array_equal(of_scores, of_effective * fixed.numpy())
    assert tuple(layer.compute_output_shape((2, *shape))) == ours[0].shape


def test_effective_kernels(case, kind):
    make, shape = case
    layer = scored(kind(make()), shape)
    for effective, kernel, scores in zip(layer.effective_kernels(), layer.kernels, layer.scores, strict=True):
        expected = kernel.numpy() * np.where(scores.numpy() > 0, 1, BELOW[kind])
        np.testing.assert_array_equal(to_numpy(effective), expected)
        assert scores.name == kernel.name.replace("kernel", "scores")


class Halved(FixedKernels):
    """The least that a subclass has to say."""

    def factor(self, scores):
        return backend.straight_through(scores, keras.ops.full_like(scores, 0.5))

    def is_changed(self, scores):
        return scores < 0


def test_a_subclass_says_the_factor_only(case):
    make, shape = case
    layer, inputs = scored(Halved(make()), shape), random((2, *shape), 3)
    twin = type(layer.layer).from_config(layer.layer.get_config())
    twin.build((None, *shape))
    kernels = {id(kernel) for kernel in layer.kernels}
    for ours, theirs in zip(layer.layer.weights, twin.weights, strict=True):
        theirs.assign(ours.numpy() * (0.5 if id(ours) in kernels else 1))
    ours = gradients(layer, inputs, layer.scores)
    theirs = gradients(twin, inputs, [variable for variable in twin.weights if "bias" not in variable.name])
    np.testing.assert_array_equal(ours[0], theirs[0])
    for of_scores, of_effective, fixed in zip(ours[2:], theirs[2:], layer.kernels, strict=True):
        np.testing.assert_array_equal(of_scores, of_effective * fixed.numpy())


def network(kind, **arguments):
    stack = [
        kind(layers.Conv2D(3, 3, activation="relu", bias_initializer="ones"), **arguments),
        layers.BatchNormalization(),
        kind(layers.SeparableConv2D(2, 3), **arguments),
        layers.Flatten(),
        kind(layers.Dense(1), **arguments),
    ]
    return keras.Sequential([keras.Input((6, 6, 1)), *stack])


def fitted(model):
    # Weight decay would shrink every variable that the optimizer is given.
    model.compile(optimizer=keras.optimizers.AdamW(0.05, weight_decay=0.1), loss="mse", run_eagerly=True)
    model.fit(random((8, 6, 6, 1)), random((8, 1), 1), batch_size=4, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("train_bias", [False, True])
def test_training_moves_nothing_but_scores(kind, train_bias):
    model = network(kind, train_bias=train_bias)
    # To leave and come back, and all at once, is what fine-tuning does.
    model.trainable = False
    assert model.trainable_weights == []
    model.trainable = True
    for layer in connectivity_layers(model):
        layer.trainable = False
        assert {id(v) for v in model.trainable_weights}.isdisjoint(id(v) for v in layer.weights)
        layer.trainable = True
    fixed = [kernel for layer in connectivity_layers(model) for kernel in layer.kernels]
    biases = [layer.layer.bias for layer in connectivity_layers(model)]
    scores = [each for layer in connectivity_layers(model) for each in layer.scores]
    before = [[each.numpy() for each in group] for group in (fixed, biases, scores)]
    assert len(model.trainable_weights) == len(scores) + 2 + train_bias * len(biases)
    fitted(model)
    for kernel, initial in zip(fixed, before[0], strict=True):
        assert kernel.numpy().tobytes() == initial.tobytes()
    for bias, initial in zip(biases, before[1], strict=True):
        assert (bias.numpy().tobytes() == initial.tobytes()) is not train_bias
    for score, initial in zip(scores, before[2], strict=True):
        assert not np.array_equal(score.numpy(), initial)


def test_frozen_before_it_is_built(kind):
    layer = kind(layers.Dense(3), trainable=False, train_bias=True)
    layer.build((None, 2))
    assert layer.trainable_weights == []
    layer.trainable = True
    assert [each.name for each in layer.trainable_weights] == ["scores", "bias"]
    twin = kind.from_config({**layer.get_config(), "trainable": False})
    twin.build((None, 2))
    assert twin.trainable_weights == []


def test_around_a_layer_that_has_weights(kind):
    dense = layers.Dense(3)
    dense.build((None, 4))
    kernel = dense.kernel.numpy()
    layer = kind(dense)
    outputs = to_numpy(layer(random((2, 4))))
    np.testing.assert_array_equal(layer.kernels[0], kernel)
    # Scores start above zero: nothing is changed. TensorFlow and NumPy may add the four products in two orders, which
    # differ by at most 4 units in the last place of the sum of magnitudes.
    bound = 4 * 2.0**-24 * (np.abs(random((2, 4))) @ np.abs(kernel))
    assert (np.abs(outputs - random((2, 4)) @ kernel) <= bound).all()
    assert dense.trainable_weights == []


def test_kernel_regularizer_by_hand():
    # Kernel of ones, one of its two weights masked: 0.5 (1^2 + 0^2) = 0.5. With the sign flipped 0.5 (1 + 1) = 1.
    for kind, penalty, below in ((Masked, 0.5, 0), (Signed, 1.0, -1), (SignedMask, 1.0, -1)):
        layer = kind(layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5)))
        layer.build((None, 2))
        layer.scores[0].assign([[1], [-1]])

        def regularization(layer=layer):
            layer(np.ones((1, 2)))
            (loss,) = layer.losses
            return loss

        (gradient,), loss = gradients_of(regularization, layer.scores)
        assert float(to_numpy(loss)) == penalty
        # The gradient of the effective kernel is 2 x 0.5 x (1, 0 or -1), and the fixed kernel is 1.
        assert to_numpy(gradient).tolist() == [[1], [below]]
        layer.trainable = False  # as in a plain layer
        layer(np.ones((1, 2)))
        assert layer.losses == []


def test_losses_are_those_of_the_plain_layer(kind):
    def make():
        regularized = dict.fromkeys(("depthwise_regularizer", "pointwise_regularizer", "bias_regularizer"), "l2")
        return layers.SeparableConv1D(3, 2, bias_initializer="ones", activity_regularizer="l1", **regularized)

    layer, inputs = scored(kind(make(), train_bias=True), (5, 2)), random((4, 5, 2), 3)
    twin = plain_twin(layer, (5, 2))
    layer(inputs), twin(inputs)
    assert sorted(map(float, map(to_numpy, layer.losses))) == pytest.approx(
        sorted(map(float, map(to_numpy, twin.losses)))
    )
    assert len(layer.losses) == 4
    state = [[v.value for v in group] for group in (layer.trainable_variables, layer.non_trainable_variables)]
    assert len(layer.stateless_call(*state, inputs, return_losses=True)[2]) == 4


def test_losses_reach_the_model(kind):
    dense = layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2", activity_regularizer="l2")
    model = keras.Sequential([keras.Input((2,)), kind(dense)])
    model.compile(optimizer="sgd", loss="mse")
    # All weights and inputs are 1: output 2; mse of 2 and 2 is 0; kernel 0.01 x 2; activity 0.01 x 2^2 for each sample.
    assert model.evaluate(np.ones((3, 2)), np.full((3, 1), 2), verbose=0) == pytest.approx(0.02 + 0.04)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(3, kernel_constraint="non_neg"),
        layers.SeparableConv2D(3, 3, depthwise_constraint="non_neg"),
        layers.SeparableConv2D(3, 3, pointwise_constraint="non_neg"),
        layers.DepthwiseConv2D(3, depthwise_constraint="non_neg"),
    ],
)
def test_constraints_are_refused(kind, layer):
    with pytest.raises(ValueError, match=r"must have no constraint.*Received: \w+_constraint=.*Leave it out"):
        kind(layer)


@only_on("torch", reason="they are of its modules")
def test_hooks_of_torch_are_called():
    layer = Masked(keras.layers.Dense(2, use_bias=False, kernel_initializer="ones"))
    layer.build((None, 3))
    seen = []
    layer.layer.register_forward_hook(lambda module, inputs, outputs: seen.append(tuple(outputs.shape)))
    layer(np.ones((4, 3), "float32"))
    assert seen == [(4, 2)]


def test_a_subclass_of_a_known_layer_hears_whether_it_is_trained():
    class Doubling(keras.layers.Dense):
        def call(self, inputs, training=None):
            return super().call(inputs) * (2 if training else 1)

    layer = Masked(Doubling(1, use_bias=False, kernel_initializer="ones"))
    model = keras.Sequential([keras.Input((3,)), layer])
    # three connections of weight 1 and inputs of 1 are 3, in training twice that
    ones = np.ones((1, 3), "float32")
    assert to_numpy(model(ones, training=True)).item() == 6
    assert to_numpy(model(ones, training=False)).item() == 3


@pytest.mark.parametrize("layer", [layers.LSTM(3), layers.BatchNormalization(), layers.Embedding(3, 2), "dense"])
def test_other_layers_are_refused(kind, layer):
    with pytest.raises(ValueError, match=r"must be one of Dense, .*Received: layer=.* of class \w+"):
        kind(layer)


def test_not_around_itself(kind):
    with pytest.raises(ValueError, match=f"of class {kind.__name__}"):
        kind(kind(layers.Dense(2)))


def test_of(kind):
    make = kind.of(layers.Conv2D, train_bias=True)
    layer = make(4, 3, padding="same", name="first")
    assert isinstance(layer, kind)
    assert (layer.name, layer.layer.filters, layer.layer.padding) == ("first", 4, "same")
    assert not layer.layer.use_bias
    assert layer.train_bias
    assert make(4, 3, use_bias=True).layer.use_bias


def messages(layer, inputs):
    for each in inputs:
        try:
            layer(np.ones(each))
        except ValueError as error:
            yield str(error)


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (lambda: layers.Dense(3, name="l"), [(2,), (2, 4), (2, 5)]),
        (lambda: layers.Conv2D(4, 3, groups=2, name="l"), [(2, 4), (2, 6, 6, 2), (2, 6, 6, 4)]),
        (lambda: layers.SeparableConv1D(4, 3, name="l"), [(2, 4), (2, 6, 3), (2, 6, 4)]),
    ],
)
def test_errors_of_shape_are_those_of_the_plain_layer(make, inputs):
    expected = list(messages(make(), inputs))
    assert len(expected) == len(inputs) - 1
    assert list(messages(Masked(make()), inputs)) == expected


# Keras 3.16 says so of its LSTM, which takes the mask and uses it up.
@pytest.mark.filterwarnings("ignore:Layer 'lstm(_1)?' .of type LSTM. was passed an input with a mask:UserWarning")
def test_masks_of_sequences_pass_through(kind):
    def model(wrap):
        stack = [layers.Embedding(4, 3, mask_zero=True), wrap(layers.Dense(2)), layers.LSTM(2)]
        keras.utils.set_random_seed(3)
        return keras.Sequential([keras.Input((5,)), *stack])

    ours = model(kind)
    plain = model(lambda layer: layer)
    weights = {"scores": [], "other": []}
    for variable in ours.weights:
        weights["scores" if variable.name == "scores" else "other"].append(variable.numpy())
    plain.set_weights(weights["other"])
    tokens = np.array([[1, 2, 0, 0, 0], [3, 1, 2, 3, 0]])
    np.testing.assert_array_equal(to_numpy(ours(tokens)), to_numpy(plain(tokens)))
    other = plain.layers[2](plain.layers[1](random((2, 5, 3))))
    assert not np.array_equal(to_numpy(plain(tokens)), to_numpy(other))


def test_inside_time_distributed(kind):
    inside = kind(layers.Dense(2, use_bias=False))
    outputs = layers.TimeDistributed(inside)(random((3, 4, 5)))
    np.testing.assert_allclose(to_numpy(outputs), random((3, 4, 5)) @ inside.kernels[0].numpy(), rtol=1e-5)


def test_score_regularizers_for_each_kernel():
    first, second = keras.regularizers.L1(1.0), keras.regularizers.L2(1.0)
    layer = Masked(layers.SeparableConv1D(3, 2), score_initializer="ones", score_regularizer=[first, second])
    layer.build((None, 5, 2))
    assert [scores.regularizer for scores in layer.scores] == [first, second]
    assert [float(to_numpy(loss)) for loss in layer.losses] == [4, 6]  # (2, 2, 1) and (1, 2, 3) ones
    again = Masked.from_config(layer.get_config())
    assert [type(each) for each in again.score_regularizer] == [keras.regularizers.L1, keras.regularizers.L2]
    with pytest.raises(ValueError, match="zip"):
        Masked(layers.Dense(3), score_regularizer=[first, second]).build((None, 5))


def test_connectivity_layers():
    inside = keras.Sequential([keras.Input((3,)), Signed(layers.Dense(4, name="inside"))])
    model = keras.Sequential([keras.Input((3,)), inside, layers.ReLU(), Masked(layers.Dense(2, name="output"))])
    assert [layer.name for layer in connectivity_layers(model)] == ["inside", "output"]
    with pytest.raises(ValueError, match="which has none"):
        set_objective(keras.Sequential([keras.Input((3,)), layers.Dense(1)]), "free")
