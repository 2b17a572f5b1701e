"""The tensors of HDF5 files: `.weights.h5` of Keras 3, and the `.h5` of Keras 2, whole models and weights.

Neither says what its layers are where it holds the weights alone. A file of Keras 3 names the class of most layers, in
lower case, and numbers their variables; one of Keras 2 names the variables. What neither says is an unknown layout.
"""

import math
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from train_by_reconnect.instrument.conventions import describe_entries
from train_by_reconnect.instrument.entries import Decision, Entry
from train_by_reconnect.instrument.file_bytes import dtype_of, unreadable
from train_by_reconnect.instrument.tensors import Source

_CONV = r"(conv[123]d|dense)"
_CELL = r"(lstm|gru|simple_rnn|forward_layer|backward_layer|conv_lstm[123]d)(_\d+)?/cell"
# What the variables are of a layer of the class that the last parts of a path name.
_CLASSES: list[tuple[str, tuple[str, ...]]] = [
    (rf"{_CONV}(_\d+)?", ("kernel", "bias")),
    (r"depthwise_conv[12]d(_\d+)?", ("depthwise_kernel", "bias")),
    (r"separable_conv[12]d(_\d+)?", ("depthwise_kernel", "pointwise_kernel", "bias")),
    (r"conv[123]d_transpose(_\d+)?", ("transposed", "bias")),
    (r"embedding(_\d+)?", ("embeddings",)),
    (_CELL, ("kernel", "recurrent_kernel", "bias")),
    (r"(lstm|gru|simple_rnn)_cell(_\d+)?", ("kernel", "recurrent_kernel", "bias")),
    (r"(multi_head|group_query)_attention(_\d+)?/_?(query|key|value)_dense", ("heads", "bias")),
    (r"(multi_head|group_query)_attention(_\d+)?/_?output_dense", ("output", "bias")),
]
_AXES = {
    **{"kernel": (-1,), "depthwise_kernel": (-2, -1), "pointwise_kernel": (-1,), "recurrent_kernel": (-1,)},
    **{"transposed": (-2,), "embeddings": (0,), "heads": (-2, -1), "output": (-1,)},
}
_FIXED = re.compile(r"(^|/)(masked|signed|edge_popup|bernoulli_mask)(_\d+)?/")
_MOST_PACKED = 1100  # deflate packs 1032 to 1 at most


def hdf5_source(path: pathlib.Path, layout: Any = None) -> Source:
    """List the tensors of an HDF5 file of Keras.

    Args:
        path: the file.
        layout: see `train_by_reconnect.instrument.conventions.describe_entries`.

    Returns:
        `Source`. Its tensors open the file when they are read.

    Raises:
        ValueError: a file that is not whole or holds no arrays.
    """
    try:
        with h5py.File(path, "r") as file:
            entries = list(_entries(path, file))
            of_keras_3 = any(re.search(r"(^|/)vars(/|$)", entry.name) for entry in entries)
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        raise unreadable(path, "a whole HDF5 file", error) from error
    if not entries:
        raise unreadable(path, "a file with weights", "an HDF5 file without arrays", "Save the weights again.")
    kind = "weights of Keras 3" if of_keras_3 else "weights of Keras 2"
    known = {entry.name: decision for entry in entries if (decision := _of_class(entry)) is not None}
    return Source(path.name, f"HDF5 file, {kind}", describe_entries(entries, layout, known))


def _entries(path: pathlib.Path, file: h5py.File) -> Iterator[Entry]:
    found: list[tuple[str, h5py.Dataset]] = []
    file.visititems(lambda name, each: found.append((name, each)) if isinstance(each, h5py.Dataset) else None)
    size = path.stat().st_size
    for name, dataset in found:
        dtype = "bfloat16" if dataset.attrs.get("dtype") == "bfloat16" else dataset.dtype.name
        declared = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
        held = dataset.id.get_storage_size()
        if dataset.dtype.kind in "fiu" and declared > held * (_MOST_PACKED if dataset.chunks else 1):
            found_is = f"{name} of shape {dataset.shape}, of which it holds {held:,} bytes; the file has {size:,}"
            raise OSError(found_is)
        yield Entry(name, tuple(dataset.shape or ()), dtype, _load(path, name, dtype), *_place(file, name))


def _load(path: pathlib.Path, name: str, dtype: str) -> Any:
    def load() -> np.ndarray:
        with h5py.File(path, "r") as file:
            array = file[name][()]
        return array.view(dtype_of(dtype)) if dtype == "bfloat16" and array.dtype.itemsize == 2 else array

    return load


def _place(file: h5py.File, name: str) -> tuple[str, str]:
    """What an array is in its layer, and the layer: as the class says that the path names, or else the shapes."""
    owner, _, last = name.rpartition("/")
    if not owner.endswith("vars") or not last.isdigit():
        return "", ""
    words = _words(owner) or (("kernel", "bias") if _is_kernel_and_bias(file[owner]) else ())
    layer = owner.removesuffix("vars").rstrip("/") or str(file[owner].attrs.get("name", "model"))
    return words[int(last)] if int(last) < len(words) else f"variable {last}", layer


def _is_kernel_and_bias(variables: h5py.Group) -> bool:
    """Whether a layer of an unknown class has two variables, the second of the shape of the first's last axes."""
    if set(variables) != {"0", "1"}:
        return False
    kernel, bias = variables["0"].shape, variables["1"].shape
    return 0 < len(bias) < len(kernel) and kernel[-len(bias) :] == bias


def _words(owner: str) -> tuple[str, ...]:
    layer = owner.removesuffix("/vars")
    return next((words for pattern, words in _CLASSES if re.search(rf"(^|/){pattern}$", layer)), ())


def _of_class(entry: Entry) -> Decision | None:
    """What the class of a layer in the path says, of the files of Keras 3."""
    owner = entry.name.rpartition("/")[0]
    if not owner.endswith("vars"):
        return None
    if _FIXED.search(entry.name):
        return Decision(
            None,
            "Of a layer whose connectivity is trained: what it computes with is known to its model only. Load the "
            "weights into the model and profile that.",
        )
    words = _words(owner)
    return Decision(_AXES[entry.word]) if words and entry.word in _AXES else None
