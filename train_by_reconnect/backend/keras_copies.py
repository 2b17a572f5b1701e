"""Copies of layers and models, by names of Keras that are not public."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import keras


def attributes_of(layer: keras.Layer) -> dict[str, Any]:
    """What was set on a layer, without the lists in which Keras and TensorFlow repeat it."""
    return {name: value for name, value in vars(layer).items() if name != "_layers" and not name.startswith("_self_")}


@contextlib.contextmanager
def replacing_layers(layer: keras.Layer, replaced: Iterable[keras.Layer]) -> Iterator[None]:
    """Let attributes of a layer be set anew, built or not, and count those it held before as inside it no longer.

    A layer that is replaced as an attribute would stay in Keras' list. Take all out, so that the order is kept.
    """
    tracker = layer._tracker
    was_locked = tracker.locked
    tracker.unlock()
    for each in replaced:
        tracker.untrack(each)
    try:
        yield
    finally:
        if was_locked:
            tracker.lock()


def share_path(layer: keras.Layer, new: keras.Layer) -> None:
    """Let the variables that `new` will make have the paths of those of `layer`, whoever builds it."""
    new._parent_path = layer._parent_path


@contextlib.contextmanager
def as_if_not_compiled(model: keras.Model) -> Iterator[None]:
    """Keep Keras from compiling the clone of a compiled model, with all that costs."""
    compiled, model.compiled = model.compiled, False
    try:
        yield
    finally:
        model.compiled = compiled


def operation_of(tensor: Any) -> keras.Operation:
    """The layer or operation of a functional model that a symbolic tensor comes from."""
    return tensor._keras_history.operation


def chain_of_operations(model: keras.Layer) -> list[keras.Operation] | None:
    """The operations of a functional or Sequential model, from its one input to its one output, one for each use.

    None of any other model, and of one with branches.
    """
    depths = getattr(getattr(model, "_functional", model), "_nodes_by_depth", {})
    nodes = [node for depth in sorted(depths, reverse=True) for node in depths[depth]]
    if not nodes or len(nodes) > len(depths) or len(model.outputs) > 1 or any(len(n.parent_nodes) > 1 for n in nodes):
        return None
    return [node.operation for node in nodes]
