"""Conv-Nets of the rich regime paper: convolutions on the pixels, then one dense layer."""

import keras

from models.layers import Initializer, LayerFactory, MakeLayer


def conv_net(
    input_shape: tuple[int, ...] = (28, 28, 1),
    classes: int = 10,
    *,
    conv: MakeLayer = keras.layers.Conv2D,
    dense: MakeLayer = keras.layers.Dense,
    kernel_initializer: Initializer = "glorot_normal",
    bias_initializer: Initializer = "zeros",
    filters: int = 10,
    depth: int = 2,
) -> keras.Model:
    """A Conv-Net of the rich regime paper: `depth` 3x3 convolutions with ReLU, each of `filters`, then a dense output.

    It has `depth + 1` layers. The paper says no more than the size of the kernels, the width and the depth: there is no
    pooling and no padding, the stride is 1, and nothing between the flattened last convolution and the output. Each
    convolution thus takes 2 pixels off the height and the width, and most parameters are in the output. Gaussian
    weights and zero biases are as in `relu_net`.

    Args:
        input_shape: Tuple of 3 integers (height, width, channels), more than 2 `depth` pixels high and wide. Default
            `(28, 28, 1)`.
        classes: Positive integer, number of softmax outputs. Default 10.
        conv: Callable with the arguments of `keras.layers.Conv2D`, which makes the convolutional layers.
        dense: Callable with the arguments of `keras.layers.Dense`, which makes the output layer.
        kernel_initializer: Whatever `keras.initializers.get` takes. From an instance with an integer seed, each layer
            gets a seed of its own. Default `"glorot_normal"`; Keras' has twice the variance that section 3 prints.
        bias_initializer: The same for the biases. Default `"zeros"`.
        filters: Positive integer, the paper's width w. Default 10.
        depth: Positive integer, the paper's depth d. Default 2.

    Returns:
        An uncompiled `keras.Model` named `"conv_net"`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `depth` is below 1, or so large that no pixel is left.

    Example:

    >>> conv_net(depth=4).count_params()
    42840

    Reference:
        Li and Banerjee, 2021, "Experiments with Rich Regime Training for Deep Learning", section 3, Fig. 6.
    """
    if not 1 <= depth < min(input_shape[:2]) / 2:
        raise ValueError(
            "`depth` must be at least 1, and leave a pixel of the image, of which each convolution takes 2 off. "
            f"Received: depth={depth}, input_shape={tuple(input_shape)}. Pass less depth or larger images."
        )
    layers = LayerFactory(
        conv=conv, dense=dense, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer
    )
    x = inputs = keras.Input(input_shape, name="images")
    for _ in range(depth):
        x = layers.conv(x, filters, padding="valid")
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.output(x, classes), name="conv_net")
