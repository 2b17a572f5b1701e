"""The tensors of files that hold a whole model of Keras, which makes it."""

import pathlib
import zipfile
from typing import Any

import keras

from train_by_reconnect.instrument.file_bytes import unreadable
from train_by_reconnect.instrument.hdf5_files import hdf5_source
from train_by_reconnect.instrument.models import model_source
from train_by_reconnect.instrument.tensors import Source


def keras_source(path: pathlib.Path, layout: Any = None) -> Source:
    """List the variables of a model in a file: its layers say the layouts, or else, of an `.h5` file, the names.

    Args:
        path: the file.
        layout: see `train_by_reconnect.instrument.conventions.describe_entries`; of an `.h5` file only.

    Returns:
        `Source`.

    Raises:
        ValueError: a file that is not whole, or of which Keras cannot make a model.
    """
    if layout is not None and path.suffix == ".keras":
        raise ValueError(f"`layout` must be None for {path}, which holds its layers. Received: layout={layout!r}.")
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # the formats raise whatever their readers do
        if path.suffix != ".keras" and not zipfile.is_zipfile(path):
            source = hdf5_source(path, layout)
            return Source(source.title, f"{source.kind}; Keras cannot make its model", source.tensors)
        text = str(error).split("List of objects")[0]
        if path.suffix == ".keras" and not zipfile.is_zipfile(path):  # of which Keras says that it is not there
            text = f"a file of {path.stat().st_size:,} bytes that is no whole zip archive"
        cure = "Copy it again; of layers of your own import their module first, which registers them."
        raise unreadable(path, "a whole model of Keras", text, cure) from error
    source = model_source(model)
    return Source(path.name, "Keras file" if path.suffix == ".keras" else "HDF5 file, a whole model", source.tensors)
