"""VGG-5 and VGG-11 of the rich regime paper, and Conv13 of LaPerm's: stages ended by pooling, then dense layers."""

import keras

from models.layers import Dropout, Initializer, LayerFactory, MakeLayer
from models.staged import PAPER_DROPOUT, staged


def vgg5(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "glorot_normal",
    bias_initializer: Initializer = "zeros",
    batch_norm: bool = False,
    width: float = 1.0,
    inner_kernel_size: int = 1,
) -> keras.Model:
    """VGG-5 for MNIST: 64-64, 128-128, 3x256, 3x256, each with pool, dense 512, 10; 1,380,298 parameters.

    The first convolution of each stage is 3x3, the others 1x1, as Fig. 13 prints them; no batch normalization and no
    dropout, as section 3 says. The paper counts 3,646,154 parameters (Fig. 1), which such a network does not have: that
    is the number with 3x3 kernels everywhere, and a scale and an offset of batch normalization after each convolution
    and the hidden dense layer. `vgg5(batch_norm=True, inner_kernel_size=3)` has so many trainable ones.

    Args:
        input_shape: Tuple of 3 integers (height, width, channels), at least 16 x 16. Default `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        conv: Callable with the arguments of `keras.layers.Conv2D`, which makes the convolutional layers.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the dense layers.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"glorot_normal"`; Keras' has twice the variance that section 3 prints.
        bias_initializer: The same for the biases. Default `"zeros"`.
        batch_norm: Boolean, whether to normalize after the ReLU of every hidden layer. Default `False`.
        width: Float in (0, inf), factor on filters and units, of which each layer keeps at least 1. Default 1.
        inner_kernel_size: Positive odd integer, the kernels' size but for the first of each stage. Default 1.

    Returns:
        An uncompiled `keras.Model` named `"vgg5"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `width` is out of range.

    Example:

    >>> vgg5().count_params()
    1380298

    Reference:
        Li and Banerjee, 2021, "Experiments with Rich Regime Training for Deep Learning", section 3 and Fig. 13 (a).
    """
    layers = LayerFactory(
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        width=width,
    )
    stages = [2 * [64], 2 * [128], 3 * [256], 3 * [256]]
    return staged(
        "vgg5",
        stages,
        [512],
        layers,
        input_shape,
        classes,
        batch_norm=batch_norm,
        inner_kernel_size=inner_kernel_size,
    )


def vgg11(
    input_shape: tuple[int, ...] = (32, 32, 3),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "glorot_normal",
    bias_initializer: Initializer = "zeros",
    batch_norm: bool = False,
    width: float = 1.0,
) -> keras.Model:
    """VGG-11 for CIFAR-10: 64, 128, 2x256, 2x512, 2x512, each with pool, dense 512, 512, 10; 9,750,922 parameters.

    All convolutions are 3x3; no batch normalization and no dropout, as section 3 says. The convolutions have the shapes
    of ImageNet's VGG-11, so its weights fit them. Images must be at least 32 x 32. All arguments, defaults and errors
    are those of `vgg5`.

    Returns:
        An uncompiled `keras.Model` named `"vgg11"`: images (batch, *input_shape) to probabilities (batch, classes).

    Example:

    >>> vgg11(width=1 / 64).get_layer("conv8").filters
    8

    Reference:
        Li and Banerjee, 2021, "Experiments with Rich Regime Training for Deep Learning", section 3 and Fig. 13 (b);
        Simonyan and Zisserman, 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition".
    """
    layers = LayerFactory(
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        width=width,
    )
    stages = [[64], [128], 2 * [256], 2 * [512], 2 * [512]]
    return staged("vgg11", stages, [512, 512], layers, input_shape, classes, batch_norm=batch_norm)


def conv13(
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
) -> keras.Model:
    """Conv13 for CIFAR-10, a VGG: 2x64, 2x128, 3x256, 3x512, 3x512, each with pool, dense 512, 10.

    14,982,474 parameters, and 18,944 more of batch normalization. Layers, filters and pooling are those of Table 1,
    where 14.7M is its 14,710,464 convolutional weights. The rest is read off the authors' notebook and as in `conv2`:
    dropout of rate 0.3 in the first stage and 0.4 in the later ones, after every convolution but the stage's last, and
    of rate 0.5 after the last pooling and after the hidden dense layer.

    All arguments but `plain`, defaults and errors are those of `conv2`. Five poolings need images of at least 32 x 32.

    Returns:
        An uncompiled `keras.Model` named `"conv13"`: images (batch, *input_shape) to probabilities (batch, classes).

    Example:

    >>> conv13(width=1 / 64).get_layer("conv13").filters
    8

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", Table 1 and A.5.3;
        Simonyan and Zisserman, 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition".
    """
    layers = LayerFactory(
        conv=conv,
        dense=dense,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        l2=l2,
        width=width,
    )
    stages = [2 * [64], 2 * [128], 3 * [256], 3 * [512], 3 * [512]]
    return staged(
        "conv13",
        stages,
        [512],
        layers,
        input_shape,
        classes,
        dropout=dropout,
        batch_norm=batch_norm,
        dropout_after_pooling=True,
    )
