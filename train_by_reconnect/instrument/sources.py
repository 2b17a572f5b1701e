"""Where weights come from: a model, or a file of any format that is known, each by a module of its own."""

import pathlib
import zipfile
from typing import Any

from train_by_reconnect.backend.chosen import backend_of_keras
from train_by_reconnect.instrument.embedding_files import embedding_source
from train_by_reconnect.instrument.file_bytes import unreadable
from train_by_reconnect.instrument.onnx_files import onnx_source
from train_by_reconnect.instrument.safetensors_files import safetensors_source
from train_by_reconnect.instrument.saved_models import saved_model_source
from train_by_reconnect.instrument.tensors import Source
from train_by_reconnect.instrument.torch_files import is_torch_pickle, torch_source

FORMATS = (
    ".keras, .weights.h5, .h5, a SavedModel folder, .safetensors and its index, PyTorch's .pt, .pth and .bin, .onnx, "
    "or word vectors of GloVe and word2vec"
)
_ENDINGS_OF_HDF5 = (".h5", ".hdf5")
_HDF5 = b"\x89HDF\r\n\x1a\n"


def open_source(model_or_file: Any, *, layout: Any = None) -> Source:
    """List the tensors of a model or a file, none of which is read yet.

    Args:
        model_or_file: a built Keras model or layer, or the path of a file: `.keras`, `.weights.h5`, `.h5`, a
            SavedModel folder, `.safetensors` or its `.index.json`, `.pt`, `.pth`, `.bin`, `.onnx`, or word vectors.
        layout: what a file does not say about its axes: `"keras"` (neurons are the last axis) or `"torch"` (the first)
            for the tensors of an unknown layout, or a dict from a regular expression, searched in the name, to the axes
            that number the neurons (a tuple of ints) or to None (no weights). Defaults to None: such tensors are listed
            with that reason.

    Returns:
        `Source`, with every tensor: profiled or with the reason why not.

    Raises:
        ValueError: a file that does not exist, is no model, is not whole, or would execute code; a `layout` that does
            not fit; a model that is not built.
        TypeError: neither a model nor a path.
        ImportError: a package that the format needs is missing.

    Example:

    >>> import keras
    >>> dense = keras.layers.Dense(2, name="dense")
    >>> dense.build((None, 3))
    >>> [(tensor.name, tensor.units, bool(tensor.skipped)) for tensor in open_source(dense).tensors]
    [('dense/kernel', 2, False), ('dense/bias', 0, True)]
    """
    if not isinstance(model_or_file, (str, pathlib.Path)):
        return _of_model(model_or_file, layout)
    path = pathlib.Path(model_or_file)
    if not path.exists():
        raise ValueError(f"There is no such file. Received: {str(path)!r}. Check the path.")
    return _of_folder(path, layout) if path.is_dir() else _of_file(path, layout)


def _of_model(model: Any, layout: Any) -> Source:
    backend_of_keras()  # it says what is missing
    import keras

    from train_by_reconnect.instrument.models import model_source

    if not isinstance(model, keras.layers.Layer):
        raise TypeError(
            "`model_or_file` must be a Keras model or layer, or the path of a file. Received: "
            f"model_or_file={model!r}. Of a model of another framework save the weights as .safetensors."
        )
    if layout is not None:
        raise ValueError(
            f"`layout` must be None for a model, whose layers say it. Received: layout={layout!r}. Describe a "
            "layer of your own with `describe_layer.register`."
        )
    return model_source(model)


def _of_folder(path: pathlib.Path, layout: Any) -> Source:
    if (path / "saved_model.pb").exists() or (path / "variables" / "variables.index").exists():
        return saved_model_source(path, layout)
    found = f"a folder of {len(list(path.iterdir()))} files"
    raise unreadable(path, "a SavedModel folder, with a saved_model.pb", found, "Pass one of its files.")


def _of_file(path: pathlib.Path, layout: Any) -> Source:
    """By its contents where these show what it is, else by its ending."""
    with path.open("rb") as file:
        first = file.read(16)
    if not first:
        raise unreadable(path, f"a file with weights: {FORMATS}", "an empty file", "Save or download it again.")
    ending = path.suffix.lower()
    if ending in (".safetensors", ".json"):
        return safetensors_source(path, layout)
    if ending == ".onnx":
        return onnx_source(path, layout)
    if is_whole_model(path):
        return _of_keras(path, layout)
    if ending in _ENDINGS_OF_HDF5 or first.startswith(_HDF5):
        from train_by_reconnect.instrument.hdf5_files import hdf5_source

        return hdf5_source(path, layout)
    if zipfile.is_zipfile(path) or is_torch_pickle(path) or ending in (".pt", ".pth", ".ckpt"):
        return torch_source(path, layout)
    if first[8:9] == b"{":
        return safetensors_source(path, layout)
    try:
        return embedding_source(path, layout)
    except ValueError as error:
        if ending in (".txt", ".vec", ".bin"):
            raise
        found = f"a file of {path.stat().st_size:,} bytes of no such format"
        raise unreadable(path, f"one of {FORMATS}", found, "Save the weights in one of these.") from error


def is_whole_model(path: pathlib.Path) -> bool:
    """Whether a file holds a model, which Keras makes with its backend; all others are read without."""
    if path.suffix.lower() == ".keras" or _is_keras(path):
        return True
    with path.open("rb") as file:
        is_hdf5 = path.suffix.lower() in _ENDINGS_OF_HDF5 or file.read(len(_HDF5)) == _HDF5
    return is_hdf5 and not _weights_only(path)


def _of_keras(path: pathlib.Path, layout: Any) -> Source:
    backend_of_keras()  # it says what is missing
    from train_by_reconnect.instrument.keras_files import keras_source

    return keras_source(path, layout)


def _is_keras(path: pathlib.Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "config.json" in archive.namelist()


def _weights_only(path: pathlib.Path) -> bool:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "model_config" not in file.attrs
    except OSError:
        return True  # its reader says what is wrong with the file
