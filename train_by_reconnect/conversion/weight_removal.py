"""Weight removal: a network of one magnitude per layer equals one of weights +-1 with a factor on its input."""

import math
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend import keras_copies
from train_by_reconnect.conversion.replace_layers import is_of_keras, replace_layers
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.layers.wrapped import LAYER_CLASSES
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.layouts import describe_layer
from train_by_reconnect.weights.ranges import limits_of

# Each of these answers `a * x` with `a` times its answer to `x`, for every `a > 0`.
HOMOGENEOUS_ACTIVATIONS = (keras.activations.linear, keras.activations.relu, keras.activations.leaky_relu)
HOMOGENEOUS_LAYERS = (
    *(keras.layers.MaxPooling1D, keras.layers.MaxPooling2D, keras.layers.MaxPooling3D),
    *(keras.layers.AveragePooling1D, keras.layers.AveragePooling2D, keras.layers.AveragePooling3D),
    *(keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D, keras.layers.GlobalMaxPooling3D),
    *(keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D, keras.layers.GlobalAveragePooling3D),
    *(keras.layers.ZeroPadding1D, keras.layers.ZeroPadding2D, keras.layers.ZeroPadding3D),
    *(keras.layers.Dropout, keras.layers.SpatialDropout1D, keras.layers.SpatialDropout2D),
    *(keras.layers.Flatten, keras.layers.Reshape, keras.layers.LeakyReLU),
)
FINAL_ACTIVATIONS = (keras.activations.softmax, keras.activations.sigmoid)


def remove_weights(model: keras.Model) -> tuple[keras.Model, float]:
    """Give the same network with weights of magnitude 1, and the factor by which to multiply its input instead.

    Where all weights of a layer have one magnitude, `w = |w| s` with signs `s`, and the activation is ReLU,
    `max(0, a x) = a max(0, x)` moves the magnitude through the network (`m` is the mask or sign of the score `t`):

    `h_j = relu(sum_i h_i w_ij m(t_ij)) = |w| relu(sum_i h_i s_ij m(t_ij))`,

    so `unit_model(input_scale * x)` equals `model(x)` up to rounding, with `input_scale` the product of the magnitudes
    of all layers. Without the factor the outputs before a final softmax are divided by it, and the highest stays the
    highest.

    Training is the same too: as functions of the scores the two losses are equal, and so are their gradients of every
    score, up to rounding. This holds while biases are zero and without regularizers of kernels or activities. A factor
    in whose range images of 8 bits leave that of the layers' dtype, as float16 soon does, is refused.

    Args:
        model: a built functional or Sequential `keras.Model` that is one chain of layers: Dense, EinsumDense and
            convolutional layers, plain or in `Masked`, `Signed` and the like, each kernel of one magnitude (a plain one
            may have zeros); max and average pooling, zero padding, dropout, flatten and reshape; the activations ReLU,
            leaky ReLU and linear, and softmax or sigmoid at the end. A layer that is used several times counts each
            time. A subclassed model must not have a `call` of its own.

    Returns:
        Pair of a new `keras.Model`, not compiled, with signs, zeros and scores of the given one, and a float, the
        factor for the input.

    Raises:
        ValueError: the model is not built or no chain; a layer has a bias that is not zero, a kernel of several
            magnitudes, LoRA factors, integer codes, or an activation that does not let a factor pass, as batch
            normalization does not; or the factor is out of the range of the layers' dtype.

    Example:

    >>> from train_by_reconnect import Masked, SignedConstant
    >>> dense = Masked.of(keras.layers.Dense)
    >>> layers = [dense(4, kernel_initializer=SignedConstant(), activation="relu"), dense(1, kernel_initializer="ones")]
    >>> unit_model, input_scale = remove_weights(keras.Sequential([keras.Input((8,)), *layers]))
    >>> input_scale, np.unique(np.abs(unit_model.layers[0].kernels[0]))  # sqrt(2 / 8) * 1
    (0.5, array([1.], dtype=float32))

    Reference:
        Ivan and Florian 2020, section 2.3, equations (5) and (6).
    """
    check_built(model)
    layers = _chain(model)
    for use, layer in enumerate(layers, start=1):
        _check_lets_factors_pass(layer, is_last=use == len(layers))
    input_scale = math.prod(_magnitude(layer, kernel) for layer in layers for kernel in _kernels(layer))
    for layer in layers:
        if _kernels(layer):
            _check_in_range(input_scale, _wrapped(layer).compute_dtype)
    unit_model, _ = replace_layers(model, lambda layer: None)
    for layer in _chain(unit_model):
        for kernel in _kernels(layer):
            kernel.assign(keras.ops.sign(kernel))
    return unit_model, input_scale


def _chain(model: Any) -> list[Any]:
    """The layers from input to output, one for each use; those of models inside too."""
    operations = keras_copies.chain_of_operations(model)
    if operations is None or not is_of_keras(type(model).call):
        raise ValueError(
            "`model` must be one chain of layers, functional or Sequential, with one input and one output. Received: "
            f"model={model.name!r}, which has branches or is subclassed. Only in a chain does a factor have one way."
        )
    layers = [each for each in operations if not isinstance(each, keras.layers.InputLayer)]
    models = (keras.Sequential, keras.Function)
    return [inner for layer in layers for inner in (_chain(layer) if isinstance(layer, models) else [layer])]


def _wrapped(layer: keras.Layer) -> Any:
    return layer.layer if isinstance(layer, FixedKernels) else layer


def _kernels(layer: keras.Layer) -> list[keras.Variable]:
    return [variable for variable, layout in describe_layer(_wrapped(layer)) if layout.kind == "kernel"]


def _check_lets_factors_pass(layer: keras.Layer, is_last: bool) -> None:
    inner = _wrapped(layer)
    allowed = HOMOGENEOUS_ACTIVATIONS + (FINAL_ACTIVATIONS if is_last else ())
    if type(inner) in LAYER_CLASSES:
        if getattr(inner, "lora_enabled", False) or getattr(inner, "quantization_mode", None):
            raise ValueError(
                f"Every layer must compute with its kernel alone. Received: {layer.name!r}, with lora_rank="
                f"{getattr(inner, 'lora_rank', None)} and quantization_mode={inner.quantization_mode!r}. Remove the "
                "weights of the network as it was before."
            )
        if inner.bias is not None and np.any(keras.ops.convert_to_numpy(inner.bias)):
            raise ValueError(
                f"Every bias must be zero, as a factor on the input does not reach it. Received: {layer.name!r}, whose "
                "bias is not. Use layers without a bias."
            )
        passes = inner.activation in allowed
    elif isinstance(inner, keras.layers.Activation):
        passes = inner.activation in allowed
    elif isinstance(inner, keras.layers.ReLU):
        passes = inner.max_value is None and inner.threshold == 0
    else:
        passes = type(inner) in HOMOGENEOUS_LAYERS or (is_last and isinstance(inner, keras.layers.Softmax))
    if not passes:
        activation = getattr(inner, "activation", None)
        named = f" with the activation {getattr(activation, '__name__', activation)}" if activation else ""
        raise ValueError(
            "Every layer must answer an input of twice the size with twice its output, but for a softmax or sigmoid at "
            f"the very end. Received: {layer.name!r} of class {type(inner).__name__}{named}. Use ReLU, leaky ReLU or "
            "linear activations, pooling, padding, dropout, flatten and reshape, and no normalization."
        )


def _check_in_range(input_scale: float, dtype: str) -> None:
    """Refuse a factor by which the inputs underflow or overflow: down to 1 / 255, as of images of 8 bits."""
    smallest, largest = limits_of(dtype)
    if not 255 * smallest <= input_scale <= largest:
        raise ValueError(
            f"The factor on the input must be from {255 * smallest:.2g} to {largest:.2g}, so that {dtype} can hold the "
            f"input times it. Received: input_scale={input_scale:.3g}, the product of the magnitudes of all layers. "
            "Use magnitudes nearer to 1, fewer layers, or layers of a wider dtype."
        )


def _magnitude(layer: keras.Layer, kernel: keras.Variable) -> float:
    values = np.abs(keras.ops.convert_to_numpy(kernel).astype("float64"))
    magnitudes = np.unique(values[values != 0])
    if len(magnitudes) != 1:
        raise ValueError(
            f"Every kernel must hold weights of one magnitude, +-c or 0. Received: {layer.name!r}, with "
            f"{len(magnitudes)} magnitudes. Initialize it with `SignedConstant`, or with `Constant` for all positive."
        )
    return float(magnitudes[0])
