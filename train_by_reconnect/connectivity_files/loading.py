"""Make the model of a connectivity file."""

import os

import keras
import numpy as np

from train_by_reconnect.backend import keras_layers, keras_variables
from train_by_reconnect.connectivity_files.architecture import Shaped, model_without_values
from train_by_reconnect.connectivity_files.container import damaged
from train_by_reconnect.connectivity_files.reading import decoded, open_file
from train_by_reconnect.connectivity_files.rules import remember_rule
from train_by_reconnect.connectivity_files.sources import rule_from_json


def load_connectivity(
    path: str | os.PathLike[str],
    *,
    reference: str | os.PathLike[str] | None = None,
    max_bytes: int | None = None,
) -> keras.Model:
    """Load a network that `save_connectivity` wrote: the weights are the same to the bit, on any backend.

    Nothing in a file is executed, and nothing is allocated that its size does not justify. Layers of your own must be
    registered by `keras.saving.register_keras_serializable` before.

    Args:
        path: str or path of the file.
        reference: str or path of the file with the initial weights, where the file names one. Defaults to None, a file
            of that name in the same folder.
        max_bytes: int, the memory that the weights may take. Defaults to 64 MiB and 4096 times the size of the file.

    Returns:
        A `keras.Model`, not compiled. Of a model whose masks or signs were trained it is the plain one, as
        from `strip`.

    Raises:
        ValueError: the file is cut, changed, of another kind or version, holds an architecture that is refused or
            weights that take more memory than allowed, or its initial weights are not found.

    Example:

    >>> import tempfile
    >>> from train_by_reconnect import save_connectivity
    >>> model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_connectivity(model, f"{folder}/small.tbr", initial="stored")
    ...     loaded = load_connectivity(f"{folder}/small.tbr")
    >>> bool(keras.ops.all(loaded.layers[0].kernel == model.layers[0].kernel))
    True

    Reference:
        docs/connectivity_files.md.
    """
    opened = open_file(path, max_bytes)
    description = opened.description
    try:
        model, waiting = model_without_values(
            opened.architecture, [Shaped(entry.shape, entry.dtype) for entry in description.entries], opened.max_bytes
        )
    except ValueError as error:
        raise damaged(path, error) from error
    values: dict[int, np.ndarray] = {}
    for variable, (_, _, value) in zip(model.weights, decoded(opened, reference), strict=True):
        values[id(variable)] = value
    for variable in waiting:
        keras_variables.give_value(variable, values.pop(id(variable), None))
    for variable in model.weights:
        if id(variable) in values:  # made with a value of its own
            variable.assign(values.pop(id(variable)))
    for layer in keras_layers.all_layers(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # what it computes with comes from its weights
    if description.initial.get("kind") == "rule":
        remember_rule(model, rule_from_json(description.initial))
    return model
