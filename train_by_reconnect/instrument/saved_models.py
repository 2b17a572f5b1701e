"""The tensors of a SavedModel folder, the format of TensorFlow that Keras 3 writes with `Model.export`."""

import pathlib
from typing import Any

from train_by_reconnect.backend.saved_model import saved_variables
from train_by_reconnect.instrument.conventions import describe_entries
from train_by_reconnect.instrument.entries import Entry
from train_by_reconnect.instrument.file_bytes import unreadable
from train_by_reconnect.instrument.tensors import Source


def saved_model_source(path: pathlib.Path, layout: Any = None) -> Source:
    """List the variables of a SavedModel; its layers are not in it, so their names and biases say what they are.

    Args:
        path: the folder.
        layout: see `train_by_reconnect.instrument.conventions.describe_entries`.

    Returns:
        `Source`.

    Raises:
        ValueError: a SavedModel that is not whole or has no variables, or there is no TensorFlow to read it.
    """
    try:
        variables = saved_variables(path)
    except ImportError as error:
        raise ValueError(
            f"A SavedModel is read by TensorFlow, which is not installed. Received: {path}. Run `pip install "
            "tensorflow`, or save the model as a .keras file."
        ) from error
    except Exception as error:  # TensorFlow's readers raise whatever they do
        raise unreadable(path, "a whole SavedModel with variables", error, "Copy it again.") from error
    entries = [Entry(*variable) for variable in variables if variable[2] != "string"]
    if not entries:
        raise unreadable(path, "a SavedModel with variables", "one with none", "Save the model as a .keras file.")
    return Source(path.resolve().name, "SavedModel", describe_entries(entries, layout))
