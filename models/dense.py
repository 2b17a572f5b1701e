"""F1, F2, the perceptron of section 3, LeNet-300-100 and ReLU-Nets: dense layers on the pixels."""

from collections.abc import Sequence

import keras

from models.layers import Dropout, Initializer, LayerFactory, MakeLayer, dropout_rates


def f1(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
) -> keras.Model:
    """F1, the linear network of the weight agnostic experiments on MNIST: 784-10 without bias, 7,840 weights.

    In the paper 40 % of the weights are zero and all others 0.08 (section 5.5), which is for the caller to set; there
    is no regularization (A.5.5).

    Args:
        input_shape: Tuple of integers, the shape of an image, which is flattened. Default `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the layer.
        kernel_initializer: Whatever `keras.initializers.get` takes. Default `"he_uniform"`.

    Returns:
        An uncompiled `keras.Model` named `"f1"`: images (batch, *input_shape) to probabilities (batch, classes).

    Example:

    >>> f1().count_params()
    7840

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", section 5.5.
    """
    layers = LayerFactory(dense=dense, kernel_initializer=kernel_initializer, use_bias=False)
    return _perceptron("f1", (), layers, input_shape, classes)


def f2(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    l2: float = 1e-4,
) -> keras.Model:
    """F2, the weight agnostic network with hidden layers on MNIST: 784-128-64-10 without bias, 109,184 weights.

    ReLU, and L2 regularization of rate 1e-4 on the hidden layers (A.5.5). In the paper 90 % of the weights, or 93 %,
    86 % and 67 % layer by layer (A.5.0), are zero and all others 0.03, which is for the caller to set.

    Args:
        input_shape: Tuple of integers, the shape of an image, which is flattened. Default `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the layers.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"he_uniform"`.
        l2: Float in [0, inf), rate of the L2 regularization. Default 1e-4.

    Returns:
        An uncompiled `keras.Model` named `"f2"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `l2` is out of range.

    Example:

    >>> f2().count_params()
    109184

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", section 5.5, A.5.0.
    """
    layers = LayerFactory(dense=dense, kernel_initializer=kernel_initializer, use_bias=False, l2=l2)
    return _perceptron("f2", (128, 64), layers, input_shape, classes)


def mlp(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    bias_initializer: Initializer = "zeros",
    l2: float = 0.0,
    dropout: Dropout = 0.0,
    units: Sequence[int] = (100, 100),
) -> keras.Model:
    """The perceptron of section 3 for MNIST: 784-100-100-10 with ReLU, 89,610 parameters.

    The paper trains it without regularization, with dropout `(0.4, 0.3)`, or with L2 regularization of rate 2e-4 on the
    two hidden layers (A.3). It draws uniform random weights as He et al. do, and does not mention biases: here they are
    zero, Keras' default.

    Args:
        input_shape: Tuple of integers, the shape of an image, which is flattened. Default `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the layers.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"he_uniform"`.
        bias_initializer: The same for the biases. Default `"zeros"`.
        l2: Float in [0, inf), rate of the L2 regularization of both hidden kernels. Default 0.
        dropout: Float in [0, 1), or the two rates after the first and second hidden layer; 0 for none. Default 0.
        units: Sequence of positive integers, the sizes of the hidden layers. Default `(100, 100)`.

    Returns:
        An uncompiled `keras.Model` named `"mlp"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `l2` or `dropout` is out of range.

    Example:

    >>> mlp(dropout=(0.4, 0.3)).count_params()
    89610

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", section 3 and A.3.
    """
    layers = LayerFactory(dense=dense, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, l2=l2)
    return _perceptron("mlp", units, layers, input_shape, classes, dropout)


def lenet_300_100(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "he_uniform",
    width: float = 1.0,
) -> keras.Model:
    """LeNet-300-100 for MNIST: 784-300-100-10 with ReLU and without biases, 266,200 weights.

    Args:
        input_shape: Tuple of integers, the shape of an image, which is flattened. Default `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the layers.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"he_uniform"`.
        width: Float in (0, inf), factor on the hidden units, of which each layer keeps at least 1. Default 1.

    Returns:
        An uncompiled `keras.Model` named `"lenet_300_100"`: images (batch, *input_shape) to probabilities
        (batch, classes).

    Raises:
        ValueError: If `width` is out of range.

    Example:

    >>> lenet_300_100().count_params()
    266200

    Reference:
        LeCun, Bottou, Bengio and Haffner, 1998; without biases in Ivan and Florian, 2020, "Training highly effective
        connectivities", section 2.2 and table A.2.
    """
    layers = LayerFactory(dense=dense, kernel_initializer=kernel_initializer, use_bias=False, width=width)
    return _perceptron("lenet_300_100", (300, 100), layers, input_shape, classes)


def relu_net(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "glorot_normal",
    bias_initializer: Initializer = "zeros",
    units: int = 100,
    depth: int = 1,
) -> keras.Model:
    """A ReLU-Net of the rich regime paper: `depth` hidden layers with ReLU, each of `units`.

    It has `depth + 1` layers. The paper draws Gaussian weights as Glorot and Bengio do and does not mention biases:
    here they are zero at first, Keras' default.

    Args:
        input_shape: Tuple of integers, the shape of an image, which is flattened. Default `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the layers.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"glorot_normal"`; Keras' has twice the variance that section 3 prints.
        bias_initializer: The same for the biases. Default `"zeros"`.
        units: Positive integer, the paper's width w. Default 100.
        depth: Positive integer, the paper's depth d. Default 1.

    Returns:
        An uncompiled `keras.Model` named `"relu_net"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `depth` is below 1.

    Example:

    >>> relu_net(units=10, depth=4).count_params()
    8290

    Reference:
        Li and Banerjee, 2021, "Experiments with Rich Regime Training for Deep Learning", section 3.
    """
    if depth < 1:
        raise ValueError(f"`depth` must be at least 1 hidden layer. Received: depth={depth}.")
    layers = LayerFactory(dense=dense, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer)
    return _perceptron("relu_net", depth * (units,), layers, input_shape, classes)


def _perceptron(
    name: str,
    units: Sequence[int],
    layers: LayerFactory,
    input_shape: tuple[int, ...],
    classes: int,
    dropout: Dropout = 0.0,
) -> keras.Model:
    """Build the network with hidden layers of `units`, each followed by dropout of its rate."""
    inputs = keras.Input(input_shape, name="images")
    x = keras.layers.Flatten(name="flatten")(inputs)
    for count, rate in zip(units, dropout_rates(dropout, len(units)), strict=True):
        x = layers.dropout(layers.dense(x, count), rate)
    return keras.Model(inputs, layers.output(x, classes), name=name)
