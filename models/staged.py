"""What convolutional networks share: stages of convolutions, each ended by pooling, then dense layers."""

from collections.abc import Sequence

import keras

from models.layers import Dropout, LayerFactory, dropout_rates

PAPER_DROPOUT = (0.3, 0.4, 0.5)  # LaPerm's: first stage, later stages, dense layers


def staged(
    name: str,
    stages: Sequence[Sequence[int]],
    units: Sequence[int],
    layers: LayerFactory,
    input_shape: tuple[int, ...],
    classes: int,
    *,
    dropout: Dropout = None,
    batch_norm: bool = False,
    inner_kernel_size: int = 3,
    dropout_after_pooling: bool = False,
) -> keras.Model:
    """Build a network of 3x3 convolutions, each stage ended by pooling, and of dense layers.

    Args:
        name: Name of the model.
        stages: The filters of each convolution of each stage.
        units: The units of each hidden dense layer.
        layers: `LayerFactory` of the network.
        input_shape: Tuple of 3 integers (height, width, channels).
        classes: Positive integer, number of softmax outputs.
        dropout: Float in [0, 1), or the three rates of the first stage, of the later stages and of the dense layers.
            In a stage it comes between the convolutions; after the last hidden dense layer it comes behind batch
            normalization, after the others before it. Default `None`, no dropout.
        batch_norm: Boolean, whether to normalize after the ReLU of every hidden layer. Default `False`.
        inner_kernel_size: Positive odd integer, the kernels' size but for the first of each stage. Default 3.
        dropout_after_pooling: Boolean, whether the dense layers' dropout follows the last pooling too. Default `False`.

    Returns:
        An uncompiled `keras.Model`: images (batch, *input_shape) to probabilities (batch, classes).

    Raises:
        ValueError: If `dropout` is out of range.

    Example:

    >>> staged("small", [[4, 4], [8]], [16], LayerFactory(), (8, 8, 1), 10).get_layer("conv3").output.shape
    (None, 4, 4, 8)
    """
    first_rate, later_rate, dense_rate = dropout_rates(dropout, 3)
    x = inputs = keras.Input(input_shape, name="images")
    for stage, all_filters in enumerate(stages):
        for position, filters in enumerate(all_filters, start=1):
            x = layers.conv(x, filters, 3 if position == 1 else inner_kernel_size)
            x = layers.batch_norm(x) if batch_norm else x
            if position < len(all_filters):
                x = layers.dropout(x, later_rate if stage else first_rate)
        x = keras.layers.MaxPooling2D(name=f"pool{stage + 1}")(x)
    if dropout_after_pooling:
        x = layers.dropout(x, dense_rate)
    x = keras.layers.Flatten(name="flatten")(x)
    for position, count in enumerate(units, start=1):
        is_last = position == len(units)
        x = layers.dense(x, count)
        x = x if is_last else layers.dropout(x, dense_rate)
        x = layers.batch_norm(x) if batch_norm else x
        x = layers.dropout(x, dense_rate) if is_last else x
    return keras.Model(inputs, layers.output(x, classes), name=name)
