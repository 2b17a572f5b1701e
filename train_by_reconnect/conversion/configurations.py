"""Layers of one's own whose configuration does not say what was put into them: they cannot be saved whole."""

import collections
import contextlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NoReturn

import keras

from train_by_reconnect.backend import keras_layers


def refuse_incomplete_configurations(
    layers: Sequence[keras.Layer], put_inside: Sequence[keras.Layer], own_classes: Collection[type]
) -> None:
    """Let `get_config` raise where a layer made of it would lack some of those that were put inside.

    A whole model is saved as configuration and weights. Loaded, such a layer would hold the classes of layers that its
    `__init__` makes, and these would take scores for kernels.

    Args:
        layers: list of layers of classes that are not Keras' own.
        put_inside: list of layers that were put in the place of others.
        own_classes: the classes that Keras may have to know.
    """
    inside = {id(layer) for layer in put_inside}
    incomplete = []
    with keras.saving.custom_object_scope({each.__name__: each for each in own_classes}):
        for layer in layers:
            put = collections.Counter(type(e) for e in keras_layers.all_layers(layer) if id(e) in inside)
            if put and not put <= _classes_by_configuration(layer):
                incomplete.append(layer)
    for layer in incomplete:
        layer.__dict__["get_config"] = _refusal(layer, sorted({type(each).__name__ for each in put_inside}))


@contextlib.contextmanager
def configurations_given(layers: Sequence[keras.Layer]) -> Iterator[None]:
    """Let `get_config` give what there is meanwhile, for copies that are filled afterwards."""
    refusals = [(layer, layer.__dict__.pop("get_config")) for layer in layers if "get_config" in layer.__dict__]
    try:
        yield
    finally:
        for layer, refusal in refusals:
            layer.__dict__["get_config"] = refusal


def _classes_by_configuration(layer: keras.Layer) -> collections.Counter:
    try:
        made = type(layer).from_config(layer.get_config())
    except Exception:  # whatever it is, a file could not be loaded either
        return collections.Counter()
    return collections.Counter(type(each) for each in keras_layers.all_layers(made))


def _refusal(layer: keras.Layer, classes: list[str]) -> Any:
    def get_config() -> NoReturn:
        raise ValueError(
            "A model to be saved whole, or copied from its configuration, must be of layers whose configuration says "
            f"what is inside them. Received: {layer.name!r} of class {type(layer).__name__}, whose `get_config` does "
            f"not say that layers inside are {', '.join(classes)} now. Save the weights alone (`save_weights`) and "
            "convert the original model again before `load_weights`, or `strip` the model."
        )

    return get_config
