"""Conv2, Conv4 and Conv6: stages of 3x3 convolutions, each ended by pooling, then dense layers."""

from collections.abc import Sequence
from typing import Any

import keras

from models.layers import Dropout, Initializer, LayerFactory, MakeLayer
from models.staged import PAPER_DROPOUT, staged


def conv2(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    bias_initializer: Initializer = "he_uniform",
    l2: float = 1e-4,
    dropout: Dropout = PAPER_DROPOUT,
    batch_norm: bool = True,
    width: float = 1.0,
    plain: bool = False,
) -> keras.Model:
    """Conv2 for CIFAR-10: 2x64, pool, dense 256, 256, 10; 4.3 million parameters.

    4,301,642 parameters, and 2,560 more of batch normalization. Layers, filters and pooling are those of Table 1, where
    38K is its 38,592 convolutional weights without biases. The paper says that there are L2 regularization of rate
    1e-4, dropout and batch normalization (A.5.3), but not where. The rest is read off the authors' notebook: batch
    normalization after the ReLU of every hidden layer; dropout of rate 0.3 after the first convolution, and of rate 0.5
    after each hidden dense layer, before batch normalization in the first and after it in the second; L2 on every
    kernel but the output's; biases everywhere; kernels and biases He uniform.

    Args:
        input_shape: Tuple of 3 integers (height, width, channels). Default `(32, 32, 3)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        conv: Callable with the arguments of `keras.layers.Conv2D`, which makes the convolutional layers.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the dense layers.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"he_uniform"`.
        bias_initializer: The same for the biases. Default `"he_uniform"`.
        l2: Float in [0, inf), rate of the L2 regularization. Default 1e-4.
        dropout: Float in [0, 1), or the three rates of the first convolutional stage, of the later stages and of the
            dense layers; 0 for none. Default `(0.3, 0.4, 0.5)`.
        batch_norm: Boolean, whether to normalize. Default `True`.
        width: Float in (0, inf), factor on filters and units, of which each layer keeps at least 1. Default 1.
        plain: Boolean, whether to build the network of connectivity training (Ivan and Florian, table A.2), without
            biases, batch normalization, dropout and regularization, whatever the other arguments say; it has 4,300,992
            weights. Their table prints Conv6's convolutions for Conv2 too; the text says that the networks are those of
            Frankle and Carbin, and so are these. Default `False`.

    Returns:
        An uncompiled `keras.Model` named `"conv2"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `l2`, `dropout` or `width` is out of range.

    Example:

    >>> model = conv2(width=1 / 16)
    >>> model.output_shape
    (None, 10)

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", Table 1 and A.5.3;
        the network is that of Frankle and Carbin, 2019, "The Lottery Ticket Hypothesis".
        Ivan and Florian, 2020, "Training highly effective connectivities", table A.2 (`plain`).
    """
    return _maybe_plain(
        "conv2",
        [2 * [64]],
        input_shape,
        classes,
        plain=plain,
        dropout=dropout,
        batch_norm=batch_norm,
        l2=l2,
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        width=width,
    )


def conv4(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    bias_initializer: Initializer = "he_uniform",
    l2: float = 1e-4,
    dropout: Dropout = PAPER_DROPOUT,
    batch_norm: bool = True,
    width: float = 1.0,
    plain: bool = False,
) -> keras.Model:
    """Conv4 for CIFAR-10: 2x64, pool, 2x128, pool, dense 256, 256, 10; 2.4 million parameters.

    2,425,930 parameters, and 3,584 more of batch normalization. Layers, filters and pooling are those of Table 1, where
    260K is its 259,776 convolutional weights. The rest is read off the authors' notebook and as in `conv2`, with
    dropout of rate 0.4 between the convolutions of the second stage.

    All arguments, defaults and errors are those of `conv2`. The plain network has 2,425,024 weights.

    Returns:
        An uncompiled `keras.Model` named `"conv4"`: images (batch, *input_shape) to probabilities (batch, classes).

    Example:

    >>> conv4(width=1 / 16).get_layer("conv3").filters
    8

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", Table 1 and A.5.3.
    """
    return _maybe_plain(
        "conv4",
        [2 * [64], 2 * [128]],
        input_shape,
        classes,
        plain=plain,
        dropout=dropout,
        batch_norm=batch_norm,
        l2=l2,
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        width=width,
    )


def conv6(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    bias_initializer: Initializer = "he_uniform",
    l2: float = 1e-4,
    dropout: Dropout = PAPER_DROPOUT,
    batch_norm: bool = True,
    width: float = 1.0,
    plain: bool = True,
) -> keras.Model:
    """Conv6 for CIFAR-10: 2x64, pool, 2x128, pool, 2x256, pool, dense 256, 256, 10; 2.3 million weights.

    It occurs in connectivity training only, so it is plain by default and then has 2,261,184 weights. All other
    arguments, defaults and errors are those of `conv2`, for a network built as LaPerm's `conv4` is.

    Returns:
        An uncompiled `keras.Model` named `"conv6"`: images (batch, *input_shape) to probabilities (batch, classes).

    Example:

    >>> conv6().count_params()
    2261184

    Reference:
        Ivan and Florian, 2020, "Training highly effective connectivities", table A.2;
        the network is that of Frankle and Carbin, 2019, "The Lottery Ticket Hypothesis".
    """
    return _maybe_plain(
        "conv6",
        [2 * [64], 2 * [128], 2 * [256]],
        input_shape,
        classes,
        plain=plain,
        dropout=dropout,
        batch_norm=batch_norm,
        l2=l2,
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        width=width,
    )


def _maybe_plain(
    name: str,
    stages: Sequence[Sequence[int]],
    input_shape: tuple[int, ...],
    classes: int,
    *,
    plain: bool,
    dropout: Dropout,
    batch_norm: bool,
    l2: float,
    **arguments: Any,
) -> keras.Model:
    """Build LaPerm's network with the filters `stages`, or the plain one of connectivity training."""
    if plain:
        dropout, batch_norm, l2 = None, False, 0.0
    layers = LayerFactory(use_bias=not plain, l2=l2, **arguments)
    return staged(name, stages, [256, 256], layers, input_shape, classes, dropout=dropout, batch_norm=batch_norm)
