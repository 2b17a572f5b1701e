"""Where weights come from: a model, or a file of any format that is known, each by a module of its own."""

import pathlib
from typing import Any

import keras

from train_by_reconnect.instrument.models import model_source
from train_by_reconnect.instrument.tensors import Source


def open_source(model_or_file: Any, *, layout: Any = None) -> Source:
    """List the tensors of a model or a file; see `train_by_reconnect.instrument.tensors`.

    Args:
        model_or_file: a built Keras model or layer, or the path of a file.
        layout: what the file does not say about its axes.

    Returns:
        `Source`.

    Raises:
        ValueError: a file that cannot be read, a model that is not built.
        TypeError: neither a model nor a path.
    """
    if isinstance(model_or_file, keras.layers.Layer):
        return model_source(model_or_file)
    if not isinstance(model_or_file, (str, pathlib.Path)):
        raise TypeError(
            "`model_or_file` must be a Keras model or layer, or the path of a file. Received: "
            f"model_or_file={model_or_file!r}. Of a model of another framework save the weights as .safetensors."
        )
    path = pathlib.Path(model_or_file)
    if not path.exists():
        raise ValueError(f"There is no such file. Received: {str(path)!r}. Check the path.")
    model = keras.models.load_model(path, compile=False)
    source = model_source(model)
    return Source(path.name, "Keras file", source.tensors)
