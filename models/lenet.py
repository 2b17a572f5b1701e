"""Conv7: a LeNet-5 made deeper, with strided convolutions in place of pooling."""

import keras

from models.layers import Dropout, Initializer, LayerFactory, MakeLayer, dropout_rates


def conv7(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    bias_initializer: Initializer = "he_uniform",
    l2: float = 0.0,
    dropout: Dropout = 0.4,
    width: float = 1.0,
) -> keras.Model:
    """Conv7 for MNIST: 2x32, 32 (5x5, stride 2), 2x64, 64 (5x5, stride 2), 128 (4x4), 10; 325,578 parameters.

    Layers and filters are those of Table 1; ReLU, no batch normalization, and no regularization but dropout (A.5.2).
    The rest is read off the authors' notebook and agrees with the weights they published: padding "same" in the strided
    convolutions and "valid" in all others; dropout of rate 0.4 after each strided convolution and before the output;
    kernels and biases He uniform.

    Table 1 gives "325k / 326k" for all and for convolutional weights. 325,578 is all of them, biases included; the
    convolutions have 324,288, and 323,872 without biases.

    Args:
        input_shape: Tuple of 3 integers (height, width, channels), at least 25 x 25. Default `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        conv: Callable with the arguments of `keras.layers.Conv2D`, which makes the convolutional layers.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the dense layers.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"he_uniform"`.
        bias_initializer: The same for the biases. Default `"he_uniform"`.
        l2: Float in [0, inf), rate of the L2 regularization of all kernels but the output's. Default 0.
        dropout: Float in [0, 1), or the three rates after the first and second strided convolution and before the
            output; 0 for none. Default 0.4.
        width: Float in (0, inf), factor on the filters, of which each layer keeps at least 1. Default 1.

    Returns:
        An uncompiled `keras.Model` named `"conv7"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `l2`, `dropout` or `width` is out of range.

    Example:

    >>> conv7().count_params()
    325578

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", Table 1 and A.5.2.
    """
    layers = LayerFactory(
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        l2=l2,
        width=width,
    )
    rates = dropout_rates(dropout, 3)
    x = inputs = keras.Input(input_shape, name="images")
    for filters, rate in zip((32, 64), rates[:2], strict=True):
        x = layers.conv(x, filters, 3, padding="valid")
        x = layers.conv(x, filters, 3, padding="valid")
        x = layers.conv(x, filters, 5, strides=2)
        x = layers.dropout(x, rate)
    x = layers.conv(x, 128, 4, padding="valid")
    x = keras.layers.Flatten(name="flatten")(x)
    x = layers.dropout(x, rates[2])
    return keras.Model(inputs, layers.output(x, classes), name="conv7")
