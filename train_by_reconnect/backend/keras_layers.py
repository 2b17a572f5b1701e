"""What is inside layers and models, by names of Keras that are not public."""

from collections.abc import Iterator
from typing import Any

import keras


def all_layers(layer: keras.Layer, include_self: bool = True) -> list[keras.Layer]:
    """A layer or model and all layers inside it, each once; those inside one layer in any order."""
    return layer._flatten_layers(include_self=include_self)


def layers_inside(layer: keras.Layer) -> list[keras.Layer]:
    """The layers that a layer holds itself, without those that they hold."""
    return list(layer._layers)


def layers_in_order(layer: keras.Layer) -> Iterator[keras.Layer]:
    """A layer and all inside it, as Keras orders their variables; one that is held twice comes twice."""
    yield layer
    for inside in layers_inside(layer):
        yield from layers_in_order(inside)


def own_trainable_variables(layer: keras.Layer) -> list[keras.Variable]:
    """The variables that a layer made as trainable ones, without those of the layers inside; also frozen ones."""
    return list(layer._trainable_variables)


def own_variables(layer: keras.Layer) -> list[keras.Variable]:
    """The variables that a layer tracks itself, without those of the layers inside; none of one that is half made."""
    return [*getattr(layer, "_trainable_variables", ()), *getattr(layer, "_non_trainable_variables", ())]


def variable_attribute(layer: keras.Layer, name: str) -> str:
    """The name of the attribute that is the variable: with LoRA the public one is a sum, computed at each look."""
    return f"_{name}" if getattr(layer, "lora_enabled", False) else name


def public_names(layer: keras.Layer, variable: keras.Variable) -> list[str]:
    """The attributes of a layer that are this variable, by their public names: Dense keeps its kernel in `_kernel`."""
    return [name.lstrip("_") for name, value in vars(layer).items() if value is variable]


def set_trainable(layer: keras.Layer, value: bool) -> None:
    """Do what Keras does at `layer.trainable = value`, for a subclass that does more."""
    keras.Layer.trainable.fset(layer, value)  # type: ignore[attr-defined]  # a property has it


def forget_losses(layer: keras.Layer) -> None:
    """Drop the losses that a layer added in its last call."""
    layer._clear_losses()


def call_within(layer: keras.Layer, inputs: Any) -> Any:
    """Call a built layer from the `call` of one around it that has seen to the inputs, as to shape, dtype and mask.

    What `Layer.__call__` does a second time, on PyTorch at each step, is left out: hooks of PyTorch's modules are not.
    It is done for layers that cast, add a loss of their outputs, or may have their layout changed.
    """
    is_seen_to = (
        layer.built
        and layer.activity_regularizer is None
        and keras.distribution.distribution() is None
        and keras.backend.standardize_dtype(inputs.dtype) == layer.compute_dtype == layer.variable_dtype
    )
    return super(keras.Layer, layer).__call__(inputs) if is_seen_to else layer(inputs)
