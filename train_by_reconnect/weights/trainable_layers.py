"""Which layers of a network a layer-wise training chooses from."""

import keras

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.variables import describe_variables


def trainable_layers(model: keras.Model) -> list[tuple[keras.Layer, list[keras.Variable]]]:
    """The layers of a network as a layer-wise training counts them: those that hold a trainable kernel, bottom first.

    A layer of Keras that holds trainable variables but no kernel (a normalization, `PReLU`) goes with the layer before
    it; at the very bottom, with the first. The order is that of `model.layers`, nested models in their place: for a
    functional model from the inputs to the outputs, for a subclassed one as its layers were made. A layer that is not
    trainable does not count; of a composite layer each part does (e.g. each projection of an attention).

    Args:
        model: a built `keras.Model`.

    Returns:
        List of pairs: the `keras.Layer` with the kernel, and the list of trainable variables that go with it.

    Raises:
        ValueError: the model is not built, or has no trainable kernel.

    Example:

    >>> parts = [keras.layers.Dense(3), keras.layers.BatchNormalization(), keras.layers.Dense(1, name="top")]
    >>> model = keras.Sequential([keras.Input((4,)), *parts])
    >>> [[variable.name for variable in variables] for _, variables in trainable_layers(model)]
    [['kernel', 'bias', 'gamma', 'beta'], ['kernel', 'bias']]

    Reference:
        Li and Banerjee 2021, section 3: layers near the input are the bottom ones, those near the output the top ones.
    """
    check_built(model)
    trainable = model.trainable_variables
    kinds = {
        id(v): layout.kind for v, layout in zip(trainable, describe_variables(trainable, model=model), strict=True)
    }
    found: list[tuple[keras.Layer, list[keras.Variable]]] = []
    before_first: list[keras.Variable] = []
    for layer in keras_layers.layers_in_order(model):
        own = [variable for variable in keras_layers.own_trainable_variables(layer) if id(variable) in kinds]
        own_kinds = [kinds.pop(id(variable)) for variable in own]  # a variable that two layers share counts once
        if "kernel" in own_kinds or "scores" in own_kinds:
            found.append((layer, [*before_first, *own]))
            before_first = []
        elif found:
            found[-1][1].extend(own)
        else:
            before_first.extend(own)
    if not found:
        raise ValueError(
            f"`model` must have a layer with a trainable kernel. Received: model={model.name!r} without one. Set "
            "`trainable = True` on its layers."
        )
    return found
