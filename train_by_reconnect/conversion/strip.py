"""Make a plain Keras model of one whose connectivity was trained."""

import keras

from train_by_reconnect.conversion.replace_layers import copy_state, is_searched, replace_layers
from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.layouts import describe_layer


def strip(model: keras.Model) -> keras.Model:
    """Make a plain Keras model of a model whose connectivity was trained.

    Every layer with fixed kernels becomes the layer that it wraps, of the same name, whose kernels are the effective
    ones: masked connections are zeros, flipped signs are in the weights. The outputs are the same, and the layer trains
    as it was configured. Initializers of this package are replaced by Keras' defaults, so that a saved model can be
    loaded without this package. The given model is left untouched.

    Args:
        model: a built `keras.Model` with layers such as `Masked`.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        ValueError: the model is not built, or has no layers with fixed kernels.

    Example:

    >>> import keras
    >>> from train_by_reconnect import Masked
    >>> model = keras.Sequential([keras.Input((2,)), Masked(keras.layers.Dense(1, kernel_initializer="ones"))])
    >>> _ = model.layers[0].scores[0].assign([[0.1], [-0.1]])
    >>> strip(model).layers[0].kernel.numpy()
    array([[1.],
           [0.]], dtype=float32)
    """
    check_built(model)
    connectivity_layers(model)

    def replace(layer: keras.Layer) -> keras.Layer | None:
        if isinstance(layer, FixedKernels):
            return _plain(layer.layer)
        return _plain(layer) if not is_searched(layer) and _own_initializers(layer) else None

    plain_model, replaced = replace_layers(model, replace)
    for layer, plain in replaced:
        if not isinstance(layer, FixedKernels):
            copy_state(layer, plain)
        elif layer.built:
            copy_state(layer.layer, plain)
            kernels = [variable for variable, layout in describe_layer(plain) if layout.kind == "kernel"]
            for kernel, effective in zip(kernels, layer.effective_kernels(), strict=True):
                kernel.assign(effective)
    return plain_model


def _plain(layer: keras.Layer) -> keras.Layer:
    """A copy without its weights and without initializers of this package."""
    config = layer.get_config()
    return type(layer).from_config({key: config[key] for key in config if key not in _own_initializers(layer)})


def _own_initializers(layer: keras.Layer) -> set[str]:
    package = __name__.partition(".")[0]
    values = {key: getattr(layer, key, None) for key in layer.get_config() if key.endswith("initializer")}
    return {key for key, value in values.items() if type(value).__module__.partition(".")[0] == package}
