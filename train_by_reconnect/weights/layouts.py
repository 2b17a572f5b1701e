"""What a weight vector is, for every layer: which axes of a variable number its neurons.

A *weight vector* holds the incoming weights of one neuron (Qiu & Suda 2020, section 2). The *unit axes* of a variable are the axes that
number the neurons; all its other axes together are the weight vector.

| layer | variable | unit axes | one weight vector holds |
|---|---|---|---|
| `Dense` | `kernel` (in, units) | -1 | the inputs of a unit |
| `Conv1D/2D/3D`, grouped too | `kernel` (..., in / groups, filters) | -1 | the window of a filter |
| `Conv1D/2D/3DTranspose` | `kernel` (..., filters, in) | -2 | the window of a filter |
| `DepthwiseConv1D/2D` | `kernel` (..., in, multiplier) | -2, -1 | the window over one channel |
| `SeparableConv1D/2D` | `depthwise_kernel` (..., in, multiplier) | -2, -1 | the window over one channel |
| `SeparableConv1D/2D` | `pointwise_kernel` (..., in, filters) | -1 | the channels of a filter |
| `EinsumDense`, so `MultiHeadAttention` and `GroupedQueryAttention` | `kernel` | its labels that occur in the output | the labels summed over |
| `Embedding` | `embeddings` (tokens, size) | 0 | the row of a token |
| `ReversibleEmbedding` | `reverse_embeddings` (size, tokens) | -1 | the column of a token |
| `SimpleRNN`, `LSTM`, `GRU`, `ConvLSTM1D/2D/3D` and their cells | `kernel`, `recurrent_kernel` (..., gates x units) | -1 | the inputs of one gate of one unit |
| any of these | `bias` of any shape | none | the whole bias |
| `BatchNormalization`, `LayerNormalization`, `GroupNormalization`, `RMSNormalization` | `gamma`, `beta`, `scale` | none | the whole vector |
| any of these | LoRA factors, and what a quantized layer computes with (codes, scales) | - | never permuted |
| `SpectralNormalization` | `vector_u` | - | never permuted |
| `Normalization` | `mean`, `variance`, `count` | - | never permuted |
| `Masked`, `Signed`, `SignedMask`, `EdgePopup`, `BernoulliMask` | `scores` | - | never permuted |
| `PReLU` | `alpha` | - | never permuted |
| a layer not in this table | variables of rank 2 or more | -1 | all but the last axis |
| a layer not in this table | variables of rank 0 or 1 | none | the whole variable, taken for a bias |

Describe a layer of your own with `describe_layer.register`.
"""  # noqa: E501

import dataclasses
import functools

import keras
from keras import layers

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.backend.types import Axes


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a variable divides into weight vectors.

    Args:
        kind: `"kernel"`, `"bias"`, `"normalization"` (scale or offset of a normalization layer), `"scores"` (those
            trained for the weights of a fixed kernel) or `"other"`.
        unit_axes: tuple of ints, the axes that number the neurons; `()` makes the whole variable one weight
            vector, `None` says that the variable has no weight vectors.
        path: str, the path of the variable, where the layout is that of one. Not compared.

    Example:

    >>> Layout("kernel", (-1,)).unit_axes
    (-1,)
    """

    kind: str
    unit_axes: Axes | None
    path: str = dataclasses.field(default="", compare=False)


LAST = Layout("kernel", (-1,))
LAST_TWO = Layout("kernel", (-2, -1))
BIAS = Layout("bias", ())
NORMALIZATION = Layout("normalization", ())
UNTOUCHED = Layout("other", None)


@functools.singledispatch
def describe_layer(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    """The layout of each variable that a layer owns, by the layer's class.

    A subclass inherits the description of its parent. Describe a layer of your own by registering a function for its
    class; variables that are not described follow the last two rows of the table above.

    Args:
        layer: a `keras.layers.Layer` instance.

    Returns:
        List of `(variable, Layout)` pairs.

    Example:

    >>> class Outer(keras.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.table = self.add_weight(shape=(7, input_shape[-1]))
    >>> @describe_layer.register
    ... def _(layer: Outer):
    ...     return [(layer.table, Layout("kernel", (0,)))]  # a neuron for each row
    """
    return []


def _owned(layer: keras.Layer, **layouts: Layout) -> list[tuple[keras.Variable, Layout]]:
    """Pairs for those attributes that the layer has; an optional or unbuilt variable is left out."""
    named = ((getattr(layer, name, None), layout) for name, layout in layouts.items())
    return [(variable, layout) for variable, layout in named if isinstance(variable, keras.Variable)]


def _with_kernel(layer: keras.Layer, layout: Layout) -> list[tuple[keras.Variable, Layout]]:
    main = {keras_layers.variable_attribute(layer, "kernel"): layout}
    owned = _owned(layer, **main, bias=BIAS, lora_kernel_a=UNTOUCHED, lora_kernel_b=UNTOUCHED)
    return _with_codes(layer, owned)


def _with_codes(layer: keras.Layer, owned: list[tuple[keras.Variable, Layout]]) -> list[tuple[keras.Variable, Layout]]:
    """These pairs, and for a quantized layer all its other variables: integer codes are no weights to permute."""
    if not getattr(layer, "quantization_mode", None):
        return owned
    owned = [(variable, layout) for variable, layout in owned if "int" not in variable.dtype]
    known = {id(variable) for variable, _ in owned}
    return owned + [(variable, UNTOUCHED) for variable in layer.weights if id(variable) not in known]


@describe_layer.register(layers.Dense)
@describe_layer.register(layers.Conv1D)
@describe_layer.register(layers.Conv2D)
@describe_layer.register(layers.Conv3D)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _with_kernel(layer, LAST)


@describe_layer.register(layers.Conv1DTranspose)
@describe_layer.register(layers.Conv2DTranspose)
@describe_layer.register(layers.Conv3DTranspose)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _with_kernel(layer, Layout("kernel", (-2,)))


@describe_layer.register(layers.DepthwiseConv1D)
@describe_layer.register(layers.DepthwiseConv2D)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _with_kernel(layer, LAST_TWO)


@describe_layer.register(layers.SeparableConv1D)
@describe_layer.register(layers.SeparableConv2D)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _owned(layer, depthwise_kernel=LAST_TWO, pointwise_kernel=LAST, bias=BIAS)


@describe_layer.register(layers.EinsumDense)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    inputs, output = layer.equation.split("->")
    labels = inputs.split(",")[1]
    axes = tuple(axis for axis, label in enumerate(labels) if label in output)
    return _with_kernel(layer, Layout("kernel", axes))


@describe_layer.register(layers.Embedding)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    main = {keras_layers.variable_attribute(layer, "embeddings"): Layout("kernel", (0,))}
    lora = {"lora_embeddings_a": UNTOUCHED, "lora_embeddings_b": UNTOUCHED}
    return _with_codes(layer, _owned(layer, **main, reverse_embeddings=LAST, **lora))


def _describe_cell(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _owned(layer, kernel=LAST, recurrent_kernel=LAST, bias=BIAS)


# Keras does not export the cell of its ConvLSTM layers; the layer holds it as `cell`.
@describe_layer.register(layers.ConvLSTM1D)
@describe_layer.register(layers.ConvLSTM2D)
@describe_layer.register(layers.ConvLSTM3D)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _describe_cell(layer.cell)


for _cell in (layers.SimpleRNNCell, layers.LSTMCell, layers.GRUCell):
    describe_layer.register(_cell, _describe_cell)


@describe_layer.register(layers.BatchNormalization)
@describe_layer.register(layers.LayerNormalization)
@describe_layer.register(layers.GroupNormalization)
@describe_layer.register(layers.RMSNormalization)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _owned(layer, gamma=NORMALIZATION, beta=NORMALIZATION, scale=NORMALIZATION)


@describe_layer.register(layers.SpectralNormalization)
@describe_layer.register(layers.Normalization)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    names = ("vector_u", "adapt_mean", "adapt_variance", "count")
    return _owned(layer, **dict.fromkeys(names, UNTOUCHED))


@describe_layer.register(layers.PReLU)
def _(layer: keras.Layer) -> list[tuple[keras.Variable, Layout]]:
    return _owned(layer, alpha=UNTOUCHED)
