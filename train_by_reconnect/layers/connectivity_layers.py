"""The layers with fixed kernels of a model."""

import keras

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.layers.fixed_kernels import FixedKernels


def connectivity_layers(model: keras.Layer) -> list[FixedKernels]:
    """All layers with fixed kernels in a model, nested ones too, in its order; those inside one layer in any order.

    Example:

    >>> from train_by_reconnect import Masked
    >>> model = keras.Sequential([Masked(keras.layers.Dense(3)), keras.layers.ReLU()])
    >>> len(connectivity_layers(model))
    1
    """
    found = [layer for layer in keras_layers.all_layers(model) if isinstance(layer, FixedKernels)]
    if not found:
        raise ValueError(
            f"`model` must hold layers with fixed kernels. Received: model={model.name!r}, which has none. Make one "
            "with `connectivity_model`, or of layers such as `Masked(keras.layers.Dense(10))`."
        )
    return found
