import gc

import keras
import numpy as np
import pytest
from backends import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from train_by_reconnect import Layout, describe_layer, describe_variables
from train_by_reconnect.backend.rows import from_rows, to_rows

KERNEL = Layout("kernel", (-1,))
BIAS = Layout("bias", ())
SCALE = Layout("normalization", ())
UNTOUCHED = Layout("other", None)


def kernel(*axes):
    return Layout("kernel", axes)


def built(layer, *shape):
    """The layer after a first call on zeros of the shape."""
    layer(np.zeros(shape, "float32"))
    return layer


def described(thing, **arguments):
    """Pairs of the last word of a variable's path and its layout."""
    variables = thing.trainable_variables
    layouts = describe_variables(variables, **arguments)
    return [(variable.name, layout) for variable, layout in zip(variables, layouts, strict=True)]


def test_solved_by_hand():
    # A convolution of 2 x 1 pixels, 2 channels and 3 filters, its weights numbered 0..11 in their own order: filter f
    # owns the weights f, f + 3, f + 6 and f + 9. The depthwise one of the same shape has 2 x 3 neurons, and channel c,
    # copy m owns 3 c + m of either pixel: c = 0 gives (0, 6), (1, 7), (2, 8), and c = 1 gives (3, 9), (4, 10), (5, 11).
    value = np.arange(12.0).reshape(2, 1, 2, 3)
    assert to_rows(value, (-1,), np).tolist() == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    assert to_rows(value, (-2, -1), np).tolist() == [[0, 6], [1, 7], [2, 8], [3, 9], [4, 10], [5, 11]]
    assert to_rows(value, (-2,), np).tolist() == [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11]]
    assert to_rows(value, (), np).tolist() == [list(range(12))]


# Each row of the table in the module, on a layer that Keras has built.
TABLE = {
    "Dense": (lambda: built(layers.Dense(3), 1, 4), [("kernel", KERNEL), ("bias", BIAS)]),
    "Dense without bias": (lambda: built(layers.Dense(3, use_bias=False), 1, 5, 4), [("kernel", KERNEL)]),
    "Conv1D": (lambda: built(layers.Conv1D(3, 2), 1, 5, 4), [("kernel", KERNEL), ("bias", BIAS)]),
    "Conv2D": (lambda: built(layers.Conv2D(3, 2), 1, 5, 5, 4), [("kernel", KERNEL), ("bias", BIAS)]),
    "Conv3D": (lambda: built(layers.Conv3D(3, 2), 1, 5, 5, 5, 4), [("kernel", KERNEL), ("bias", BIAS)]),
    "Conv2D in groups": (
        lambda: built(layers.Conv2D(6, 2, groups=2), 1, 5, 5, 4),
        [("kernel", KERNEL), ("bias", BIAS)],
    ),
    "Conv1DTranspose": (lambda: built(layers.Conv1DTranspose(3, 2), 1, 5, 4), [("kernel", kernel(-2)), ("bias", BIAS)]),
    "Conv2DTranspose": (
        lambda: built(layers.Conv2DTranspose(3, 2), 1, 5, 5, 4),
        [("kernel", kernel(-2)), ("bias", BIAS)],
    ),
    "Conv3DTranspose": (
        lambda: built(layers.Conv3DTranspose(3, 2), 1, 3, 3, 3, 4),
        [("kernel", kernel(-2)), ("bias", BIAS)],
    ),
    "DepthwiseConv1D": (
        lambda: built(layers.DepthwiseConv1D(2, depth_multiplier=3), 1, 5, 4),
        [("kernel", kernel(-2, -1)), ("bias", BIAS)],
    ),
    "DepthwiseConv2D": (
        lambda: built(layers.DepthwiseConv2D(2), 1, 5, 5, 4),
        [("kernel", kernel(-2, -1)), ("bias", BIAS)],
    ),
    "SeparableConv1D": (
        lambda: built(layers.SeparableConv1D(3, 2), 1, 5, 4),
        [("depthwise_kernel", kernel(-2, -1)), ("pointwise_kernel", KERNEL), ("bias", BIAS)],
    ),
    "SeparableConv2D": (
        lambda: built(layers.SeparableConv2D(3, 2), 1, 5, 5, 4),
        [("depthwise_kernel", kernel(-2, -1)), ("pointwise_kernel", KERNEL), ("bias", BIAS)],
    ),
    "Embedding": (lambda: built(layers.Embedding(7, 3), 1, 2), [("embeddings", kernel(0))]),
    "ReversibleEmbedding, tied": (lambda: built(layers.ReversibleEmbedding(7, 3), 1, 2), [("embeddings", kernel(0))]),
    "ReversibleEmbedding": (
        lambda: built(layers.ReversibleEmbedding(7, 3, tie_weights=False), 1, 2),
        [("embeddings", kernel(0)), ("reverse_embeddings", KERNEL)],
    ),
    "BatchNormalization": (lambda: built(layers.BatchNormalization(), 1, 4), [("gamma", SCALE), ("beta", SCALE)]),
    "BatchNormalization without gamma": (
        lambda: built(layers.BatchNormalization(scale=False), 1, 4),
        [("beta", SCALE)],
    ),
    "LayerNormalization over two axes": (
        lambda: built(layers.LayerNormalization(axis=(1, 2)), 1, 4, 3),
        [("gamma", SCALE), ("beta", SCALE)],
    ),
    "GroupNormalization": (lambda: built(layers.GroupNormalization(2), 1, 4), [("gamma", SCALE), ("beta", SCALE)]),
    "RMSNormalization": (lambda: built(layers.RMSNormalization(), 1, 4), [("scale", SCALE)]),
    "PReLU": (lambda: built(layers.PReLU(), 1, 3, 3, 2), [("alpha", UNTOUCHED)]),
    "Attention, which is not in the table": (lambda: attention(), [("scale", BIAS)]),
    "TimeDistributed": (
        lambda: built(layers.TimeDistributed(layers.DepthwiseConv2D(2)), 1, 2, 5, 5, 4),
        [("kernel", kernel(-2, -1)), ("bias", BIAS)],
    ),
    "SpectralNormalization": (
        lambda: built(layers.SpectralNormalization(layers.Conv2DTranspose(3, 2)), 1, 5, 5, 4),
        [("kernel", kernel(-2)), ("bias", BIAS)],
    ),
}


def attention():
    layer = layers.Attention(use_scale=True)
    layer([np.zeros((1, 2, 3), "float32")] * 2)
    return layer


@pytest.mark.parametrize("name", TABLE)
def test_table(name):
    build, expected = TABLE[name]
    assert described(build()) == expected


@pytest.mark.parametrize("layer_class", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_recurrent_layers(layer_class):
    expected = [("kernel", KERNEL), ("recurrent_kernel", KERNEL), ("bias", BIAS)]
    assert described(built(layer_class(3), 1, 5, 4)) == expected
    assert described(built(layers.Bidirectional(layer_class(3)), 1, 5, 4)) == 2 * expected


def test_bias_of_a_gru_is_one_vector_though_it_has_two_rows():
    gru = built(layers.GRU(3), 1, 5, 4)
    assert gru.cell.bias.shape == (2, 9)
    assert to_rows(gru.cell.bias.numpy(), BIAS.unit_axes, np).shape == (1, 18)


def test_recurrent_cells_in_a_stack():
    stack = layers.RNN(layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2), layers.SimpleRNNCell(2)]))
    expected = [("kernel", KERNEL), ("recurrent_kernel", KERNEL), ("bias", BIAS)]
    assert described(built(stack, 1, 5, 4)) == 3 * expected


@pytest.mark.parametrize(
    ("layer_class", "shape"),
    [(layers.ConvLSTM1D, (4,)), (layers.ConvLSTM2D, (4, 4)), (layers.ConvLSTM3D, (3, 3, 3))],
)
def test_convolutional_lstm(layer_class, shape):
    layer = built(layer_class(2, 2), 1, 2, *shape, 3)
    assert described(layer) == [("kernel", KERNEL), ("recurrent_kernel", KERNEL), ("bias", BIAS)]


def test_multi_head_attention():
    layer = layers.MultiHeadAttention(2, 3)
    layer(*[np.zeros((1, 5, 8), "float32")] * 2)
    layouts = describe_variables(layer.trainable_variables)
    # query, key and value: 8 inputs to 2 heads of 3; the output: 2 heads of 3 to 8
    kernels = [(tuple(v.shape), layout.unit_axes) for v, layout in zip(layer.weights, layouts, strict=True)][::2]
    assert kernels == [((8, 2, 3), (1, 2))] * 3 + [((2, 3, 8), (2,))]
    assert layouts[1::2] == [BIAS] * 4
    assert layer.weights[1].shape == (2, 3)  # a bias of rank 2 is still a bias


def test_group_query_attention():
    layer = layers.GroupQueryAttention(3, 4, 2)
    layer(*[np.zeros((1, 5, 8), "float32")] * 2)
    layouts = describe_variables(layer.trainable_variables)
    kernels = [(tuple(v.shape), layout.unit_axes) for v, layout in zip(layer.weights, layouts, strict=True)][::2]
    assert kernels == [((8, 4, 3), (1, 2)), ((8, 2, 3), (1, 2)), ((8, 2, 3), (1, 2)), ((4, 3, 8), (2,))]
    assert layouts[1::2] == [BIAS] * 4


EINSUM = {
    # equation: (input shape, output shape without the batch, unit axes of the kernel, axes of the output they number)
    "ab,bc->ac": ((2, 4), 3, (1,), (1,)),
    "abc,cd->abd": ((2, 5, 4), (None, 3), (1,), (2,)),
    "...x,xy->...y": ((2, 5, 4), 3, (1,), (-1,)),
    "...x,yx->...y": ((2, 5, 4), 3, (0,), (-1,)),
    "abc,cde->abde": ((2, 5, 4), (None, 2, 3), (1, 2), (2, 3)),
    "abcd,cde->abe": ((2, 5, 4, 2), (None, 3), (2,), (2,)),
    # a label of the input, the kernel and the output: every b has neurons of its own
    "abc,bcd->abd": ((2, 5, 4), (5, 3), (0, 2), (1, 2)),
    "abc,cbd->adb": ((2, 5, 4), (3, 5), (1, 2), (2, 1)),
    # nothing summed over: each neuron has one weight
    "ab,b->ab": ((2, 5), 5, (0,), (1,)),
}


@pytest.mark.parametrize("equation", EINSUM)
def test_einsum_dense(equation):
    shape, output_shape, axes, numbered = EINSUM[equation]
    layer = built(layers.EinsumDense(equation, output_shape), *shape)
    assert described(layer) == [("kernel", kernel(*axes))]
    assert_units_are_neurons(layer, layer.kernel, axes, random(*shape), numbered)


def random(*shape):
    return np.random.default_rng(0).uniform(0.5, 1.0, shape).astype("float32")


def assert_units_are_neurons(layer, variable, axes, x, numbered=(-1,), neuron=lambda unit: unit):
    """Moving one weight vector moves one neuron of the output and no other; `numbered` are the output's axes."""

    def output():
        value = to_numpy(layer(x))
        return to_rows(value, numbered, np)

    value = random(*variable.shape)  # without zeros, which could hide a neuron
    variable.assign(value)
    at_rest = output()
    for unit, row in enumerate(to_rows(value, axes, np)):
        rows = to_rows(value, axes, np).copy()
        rows[unit] = row + 1
        variable.assign(from_rows(rows, value.shape, axes, np))
        moved = np.flatnonzero((output() != at_rest).any(axis=1))
        assert moved.tolist() == [neuron(unit)]


NEURONS = {
    "Dense": (lambda: layers.Dense(3), (2, 4)),
    "Conv1D": (lambda: layers.Conv1D(3, 2), (2, 5, 4)),
    "Conv2D": (lambda: layers.Conv2D(3, 2, strides=2), (2, 5, 5, 4)),
    "Conv3D": (lambda: layers.Conv3D(3, 2), (1, 3, 3, 3, 2)),
    "Conv1D in groups": (lambda: layers.Conv1D(6, 2, groups=2), (2, 5, 4)),
    "Conv2D in groups": (lambda: layers.Conv2D(4, 2, groups=4), (2, 5, 5, 4)),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(3, 2), (2, 5, 4)),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 2, strides=2), (2, 4, 4, 2)),
    "Conv3DTranspose": (lambda: layers.Conv3DTranspose(3, 2), (1, 3, 3, 3, 2)),
    "DepthwiseConv1D": (lambda: layers.DepthwiseConv1D(2, depth_multiplier=3), (2, 5, 4)),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), (2, 5, 5, 3)),
}


@pytest.mark.parametrize("name", NEURONS)
def test_a_weight_vector_moves_one_neuron(name):
    make, shape = NEURONS[name]
    layer = built(make(), *shape)
    [layout, _] = describe_variables([layer.kernel, layer.bias])
    assert_units_are_neurons(layer, layer.kernel, layout.unit_axes, random(*shape))


@pytest.mark.parametrize(
    ("layer_class", "shape"), [(layers.SeparableConv1D, (2, 5, 3)), (layers.SeparableConv2D, (2, 5, 5, 3))]
)
def test_a_weight_vector_of_a_separable_convolution(layer_class, shape):
    layer = built(layer_class(6, 2, depth_multiplier=2), *shape)
    depthwise, pointwise = describe_variables([layer.depthwise_kernel, layer.pointwise_kernel])
    assert_units_are_neurons(layer, layer.pointwise_kernel, pointwise.unit_axes, random(*shape))
    layer.pointwise_kernel.assign(np.eye(6).reshape(layer.pointwise_kernel.shape))  # channels straight to the output
    assert_units_are_neurons(layer, layer.depthwise_kernel, depthwise.unit_axes, random(*shape))


@pytest.mark.parametrize("tied", [True, False])
def test_a_weight_vector_of_an_embedding_is_a_token(tied):
    layer = built(layers.ReversibleEmbedding(5, 3, tie_weights=tied), 1, 2)
    layouts = describe_variables(layer.trainable_variables)
    assert_units_are_neurons(layer, layer.embeddings, layouts[0].unit_axes, np.arange(5), numbered=(0,))
    back = layer.trainable_variables[-1]
    assert_units_are_neurons(lambda x: layer(x, reverse=True), back, layouts[-1].unit_axes, random(2, 3))


RECURRENT = {
    "SimpleRNN": (lambda: layers.SimpleRNN(3), (2, 1, 4), [(2, 3)]),
    "LSTM": (lambda: layers.LSTM(3), (2, 1, 4), [(2, 3)] * 2),
    "GRU": (lambda: layers.GRU(3), (2, 1, 4), [(2, 3)]),
    "ConvLSTM1D": (lambda: layers.ConvLSTM1D(3, 2, padding="same"), (2, 1, 4, 2), [(2, 4, 3)] * 2),
    "ConvLSTM2D": (lambda: layers.ConvLSTM2D(3, 2, padding="same"), (2, 1, 4, 4, 2), [(2, 4, 4, 3)] * 2),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_a_weight_vector_of_a_recurrent_layer_is_a_gate_of_a_unit(name):
    make, shape, states = RECURRENT[name]
    layer = built(make(), *shape)
    start = [keras.ops.convert_to_tensor(random(*state)) for state in states]
    variables = [layer.cell.kernel, layer.cell.recurrent_kernel]
    for variable in variables:
        variable.assign(keras.ops.ones(variable.shape) / 10)
    for variable, layout in zip(variables, describe_variables(variables), strict=True):
        # One step from a state that is not zero, so that every gate is felt, and no unit feels another one yet.
        assert_units_are_neurons(
            lambda x: layer(x / 10, initial_state=start),
            variable,
            layout.unit_axes,
            random(*shape),
            neuron=lambda unit: unit % 3,
        )


def lora(layer, *shape):
    built(layer, *shape).enable_lora(2)
    return layer


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (lambda: layers.Dense(3), (1, 4), (-1,)),
        (lambda: layers.Conv2D(3, 2), (1, 5, 5, 4), (-1,)),
        (lambda: layers.EinsumDense("...x,yx->...y", 3), (1, 4), (0,)),
        (lambda: layers.Embedding(7, 3), (1, 2), (0,)),
    ],
)
def test_lora(layer, shape, axes):
    layer = lora(layer(), *shape)
    factors = [pair for pair in described(layer) if pair[0].startswith("lora_")]
    assert len(factors) == 2
    assert all(layout == UNTOUCHED for _, layout in factors)
    [frozen] = layer.non_trainable_variables
    assert describe_variables([frozen]) == [kernel(*axes)]


class Mixing(layers.Layer):
    """A layer that nobody has described."""

    def build(self, input_shape):
        size = input_shape[-1]
        self.tensor = self.add_weight(shape=(2, size, 3), name="tensor")
        self.vector = self.add_weight(shape=(3,), name="vector")
        self.number = self.add_weight(shape=(), name="number")

    def call(self, x):
        return x


def test_a_layer_that_is_not_in_the_table():
    assert described(built(Mixing(), 1, 4)) == [("tensor", KERNEL), ("vector", BIAS), ("number", BIAS)]


class Scaled(layers.Dense):
    """A subclass with a variable of its own."""

    def build(self, input_shape):
        super().build(input_shape)
        self.extra = self.add_weight(shape=(2, 2), name="extra")


def test_a_subclass_is_described_like_its_parent():
    assert described(built(Scaled(3), 1, 4)) == [("kernel", KERNEL), ("bias", BIAS), ("extra", KERNEL)]


class Table(layers.Layer):
    """A layer described by the next function."""

    def build(self, input_shape):
        self.table = self.add_weight(shape=(7, input_shape[-1]), name="table")
        self.gate = self.add_weight(shape=(3, 3), name="gate")

    def call(self, x):
        return x


@describe_layer.register
def _(layer: Table):
    return [(layer.table, Layout("kernel", (0,))), (layer.gate, Layout("other", None))]


def test_a_registered_layer():
    assert described(built(Table(), 1, 4)) == [("table", kernel(0)), ("gate", UNTOUCHED)]


class Shrunk(layers.Layer):
    """A layer described with axes that its variable does not have."""

    def build(self, input_shape):
        self.vector = self.add_weight(shape=(3,), name="vector")

    def call(self, x):
        return x


@describe_layer.register
def _(layer: Shrunk):
    return [(layer.vector, Layout("kernel", (1,)))]


def test_a_registered_layer_with_wrong_axes():
    with pytest.raises(ValueError, match=r"unit axes of .*vector must be .* shape \(3,\). Received: unit_axes=\(1,\)"):
        describe_variables(built(Shrunk(), 1, 4).trainable_variables)


@pytest.mark.parametrize("name", ["bn1", "conv1_bn", "dense"])
def test_the_layer_decides_and_not_its_name(name):
    layer = built(layers.BatchNormalization(name=name), 1, 4)
    assert described(layer) == [("gamma", SCALE), ("beta", SCALE)]


def test_a_dense_layer_called_batch_normalization_is_a_dense_layer():
    layer = built(layers.Dense(3, name="batch_normalization_1"), 1, 4)
    assert described(layer) == [("kernel", KERNEL), ("bias", BIAS)]


def test_two_layers_of_one_name():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="same")])
    inner = keras.Sequential([keras.Input((5, 5, 4)), layers.DepthwiseConv2D(2, name="same")])
    assert describe_variables([model.weights[0], inner.weights[0]]) == [KERNEL, kernel(-2, -1)]


def test_nested_models():
    inner = keras.Sequential([keras.Input((6, 6, 2)), layers.DepthwiseConv2D(2), layers.BatchNormalization()])
    middle = keras.Sequential([inner, layers.Conv2DTranspose(3, 2)])
    x = keras.Input((6, 6, 2))
    model = keras.Model(x, layers.Dense(2)(middle(x)))
    expected = [kernel(-2, -1), BIAS, SCALE, SCALE, kernel(-2), BIAS, KERNEL, BIAS]
    assert describe_variables(model.trainable_variables) == expected


def test_a_variable_in_two_models():
    shared = layers.DepthwiseConv1D(2)
    models = [keras.Sequential([keras.Input((5, 3)), shared, layers.Dense(2)]) for _ in range(2)]
    assert models[0].weights[0] is models[1].weights[0]
    for model in models:
        assert describe_variables(model.trainable_variables) == [kernel(-2, -1), BIAS, KERNEL, BIAS]
    del model, models[0]
    assert describe_variables(models[0].trainable_variables)[0] == kernel(-2, -1)


@pytest.mark.filterwarnings("ignore:The layer that owns a variable")
def test_models_that_are_gone_leave_no_trace():
    # A new variable may well get the address of an old one, and must not get its layout.
    layer = built(layers.DepthwiseConv1D(2), 1, 5, 3)
    assert described(layer)[0][1] == kernel(-2, -1)
    del layer
    gc.collect(1)  # the young objects, this layer among them; a full collection would take seconds
    loose = [keras.Variable(np.zeros((2, 3, 1)), name="kernel") for _ in range(20)]
    assert describe_variables(loose) == [KERNEL] * 20


def test_mobilenet():
    model = keras.applications.MobileNetV2(weights=None, alpha=0.35, input_shape=(32, 32, 3))
    variables = model.trainable_variables
    layouts = describe_variables(variables)
    owner = {id(variable): layer for layer in model.layers for variable in layer.trainable_variables}
    seen = set()
    for variable, layout in zip(variables, layouts, strict=True):
        layer = owner[id(variable)]
        if isinstance(layer, layers.BatchNormalization):
            expected = SCALE
        elif isinstance(layer, layers.DepthwiseConv2D):
            expected = kernel(-2, -1)
        else:
            expected = KERNEL if variable.name == "kernel" else BIAS
        assert layout == expected, variable.path
        seen.add((type(layer), layout))
    assert len(seen) == 5  # Conv2D, DepthwiseConv2D and Dense kernels, one bias, BatchNormalization


@pytest.fixture
def two_layers():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2, name="second")])


def test_override(two_layers):
    layouts = [layout for _, layout in described(two_layers, unit_axes={"first/kernel": (0,), "second": None})]
    assert layouts == [kernel(0), BIAS, UNTOUCHED, UNTOUCHED]


def test_first_override_that_matches_decides(two_layers):
    layouts = [layout for _, layout in described(two_layers, unit_axes={"first/bias": (), "first": None, ".": [-1]})]
    assert layouts == [UNTOUCHED, kernel(), KERNEL, KERNEL]


@pytest.mark.parametrize("unit_axes", [None, {}])
def test_no_override(two_layers, unit_axes):
    assert [layout for _, layout in described(two_layers, unit_axes=unit_axes)] == [KERNEL, BIAS] * 2


def test_override_of_no_variable(two_layers):
    with pytest.raises(
        ValueError, match=r"no path matches. Received: 'third'. The paths are: sequential/first/kernel, "
    ):
        described(two_layers, unit_axes={"first": None, "third": None})


@pytest.mark.parametrize("axes", [(2,), (-3,), (0, 5), (0, 0), (0, -2), ("x",), (0.5,)])
def test_override_with_wrong_axes(two_layers, axes):
    with pytest.raises(ValueError, match=r"unit axes of .*first/kernel must be .*shape \(4, 3\). Received: unit_axes="):
        described(two_layers, unit_axes={"first/kernel": axes})


@pytest.mark.parametrize("axes", [-1, "x", 0.5])
def test_override_with_what_is_no_tuple(two_layers, axes):
    with pytest.raises(
        ValueError, match=rf"Received: unit_axes={{'kernel': {axes!r}}}. Write a single axis as a tuple"
    ):
        described(two_layers, unit_axes={"kernel": axes})


@st.composite
def arrays_and_axes(draw):
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=5)))
    axes = draw(st.lists(st.integers(0, max(len(shape) - 1, 0)), unique=True, max_size=len(shape)))
    signed = tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in axes)
    return np.arange(np.prod(shape, dtype=int), dtype="float32").reshape(shape), signed


@settings(max_examples=80, deadline=None)
@given(arrays_and_axes())
def test_rows_there_and_back(case):
    value, axes = case
    rows = to_rows(value, axes, np)
    assert rows.shape[0] == np.prod([value.shape[axis] for axis in axes], dtype=int)
    assert rows.size == value.size
    np.testing.assert_array_equal(from_rows(rows, value.shape, axes, np), value)

    tensor = to_rows(keras.ops.convert_to_tensor(value), axes)
    np.testing.assert_array_equal(tensor, rows)
    np.testing.assert_array_equal(from_rows(tensor, value.shape, axes), value)


@settings(max_examples=60, deadline=None)
@given(arrays_and_axes())
def test_a_row_is_what_one_index_of_the_unit_axes_selects(case):
    value, axes = case
    rows = to_rows(value, axes, np)
    for unit, index in enumerate(np.ndindex(*(value.shape[axis] for axis in axes))):
        selection = [slice(None)] * value.ndim
        for axis, position in zip(axes, index, strict=True):
            selection[axis] = position
        np.testing.assert_array_equal(rows[unit], value[tuple(selection)].ravel())
