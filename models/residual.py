"""ResNet-50 and ResNet-18 for CIFAR-10: residual blocks of two 3x3 convolutions."""

from typing import Any

import keras

from models.layers import Initializer, LayerFactory, MakeLayer


def resnet50(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    bias_initializer: Initializer = "zeros",
    l2: float = 1e-4,
    batch_norm: bool = True,
    width: float = 1.0,
    blocks: int = 8,
) -> keras.Model:
    """ResNet-50 for CIFAR-10: 16, 16x16, 16x32, 16x64, average pooling, 10; 763,882 parameters.

    This is the CIFAR network with 6n + 2 layers, n = 8, and not the ImageNet network of the same name. After a
    convolution come three stages of n residual blocks, in which f is convolution, normalization, ReLU, convolution,
    normalization:

        y = relu(f(x) + x)

    The first block of the second and third stage halves the image with stride 2; there x passes through a 1x1
    convolution with stride 2, without batch normalization, to have the shape of f(x). Table 1 leaves this, and the
    following, open; it is read off the authors' notebook and agrees with the weights they published: biases in all
    layers, initially zero; L2 regularization of rate 1e-4 on the kernels of the convolutions and not of the output; no
    dropout. The 763,882 include the 7,232 parameters of batch normalization, half of which are moving means and
    variances; Table 1's 760K stands for 754,096 convolutional weights.

    Unlike the network of He et al., which pads x with zeros, the shortcuts that change the shape are convolutions.

    Args:
        input_shape: Tuple of 3 integers (height, width, channels). Default `(32, 32, 3)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        conv: Callable with the arguments of `keras.layers.Conv2D`, which makes the convolutional layers.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the output layer.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"he_uniform"`.
        bias_initializer: The same for the biases. Default `"zeros"`.
        l2: Float in [0, inf), rate of the L2 regularization. Default 1e-4.
        batch_norm: Boolean, whether to normalize. Default `True`.
        width: Float in (0, inf), factor on the filters, of which each layer keeps at least 1. Default 1.
        blocks: Positive integer, the n of the 6n + 2 layers. Default 8.

    Returns:
        An uncompiled `keras.Model` named `"resnet50"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `l2`, `width` or `blocks` is out of range.

    Example:

    >>> model = resnet50(width=1 / 4)
    >>> model.get_layer("average_pool").output.shape
    (None, 16)

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", Table 1 and A.5.6;
        He et al., 2016, "Deep Residual Learning for Image Recognition", section 4.2.
    """
    if not (isinstance(blocks, int) and blocks > 0):
        raise ValueError(
            f"`blocks` must be a positive integer. Received: blocks={blocks!r}. Pass blocks=3 for 20 layers."
        )
    layers = LayerFactory(
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        l2=l2,
        width=width,
    )

    def convolution(x: keras.KerasTensor, filters: int, strides: int = 1, relu: bool = True) -> keras.KerasTensor:
        x = layers.conv(x, filters, 3, strides=strides, activation=None)
        x = layers.batch_norm(x) if batch_norm else x
        return layers.relu(x) if relu else x

    inputs = keras.Input(input_shape, name="images")
    x = convolution(inputs, 16)
    for filters in (16, 32, 64):
        for block in range(blocks):
            changes_shape = filters > 16 and block == 0
            strides = 2 if changes_shape else 1
            y = convolution(x, filters, strides)
            y = convolution(y, filters, relu=False)
            if changes_shape:
                x = layers.conv(x, filters, 1, strides=strides, activation=None)
            x = layers.relu(layers.add(x, y))
    x = keras.layers.GlobalAveragePooling2D(name="average_pool")(x)
    return keras.Model(inputs, layers.output(x, classes), name="resnet50")


def resnet18(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "glorot_normal",
    bias_initializer: Initializer = "zeros",
    width: float = 1.0,
) -> keras.Model:
    """ResNet-18 for CIFAR-10: 64, 4x64, 4x128, 4x256, 4x512, average pooling, 10; 11,173,962 trainable parameters.

    The ImageNet network of this depth with a 3x3 convolution and no pooling in front, as is usual for CIFAR. Each
    convolution is without bias and followed by batch normalization; a shortcut that changes the shape is a 1x1
    convolution with both. The paper gives no more than the number of parameters, which this network has.

    Args:
        input_shape: Tuple of 3 integers (height, width, channels). Default `(32, 32, 3)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        conv: Callable with the arguments of `keras.layers.Conv2D`, which makes the convolutional layers.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the output layer.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"glorot_normal"`.
        bias_initializer: The same for the bias of the output. Default `"zeros"`.
        width: Float in (0, inf), factor on the filters, of which each layer keeps at least 1. Default 1.

    Returns:
        An uncompiled `keras.Model` named `"resnet18"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `width` is out of range.

    Example:

    >>> resnet18(width=1 / 16).get_layer("average_pool").output.shape
    (None, 32)

    Reference:
        Li and Banerjee, 2021, "Experiments with Rich Regime Training for Deep Learning", Fig. 1 (b);
        He et al., 2016, "Deep Residual Learning for Image Recognition", section 4.1.
    """
    arguments: dict[str, Any] = {
        "kernel_initializer": kernel_initializer,
        "bias_initializer": bias_initializer,
        "width": width,
    }
    layers = LayerFactory(conv=conv, use_bias=False, **arguments)

    def convolution(
        x: keras.KerasTensor, filters: int, kernel_size: int = 3, strides: int = 1, relu: bool = True
    ) -> keras.KerasTensor:
        x = layers.batch_norm(layers.conv(x, filters, kernel_size, strides=strides, activation=None))
        return layers.relu(x) if relu else x

    inputs = keras.Input(input_shape, name="images")
    x = convolution(inputs, 64)
    for filters in (64, 128, 256, 512):
        for strides in (1 if filters == 64 else 2, 1):
            y = convolution(convolution(x, filters, strides=strides), filters, relu=False)
            if strides == 2:
                x = convolution(x, filters, 1, strides, relu=False)
            x = layers.relu(layers.add(x, y))
    x = keras.layers.GlobalAveragePooling2D(name="average_pool")(x)
    return keras.Model(inputs, LayerFactory(dense=dense, **arguments).output(x, classes), name="resnet18")
