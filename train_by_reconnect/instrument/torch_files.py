"""The tensors of PyTorch's files, without PyTorch: state dicts, checkpoints around them, and TorchScript archives.

Since version 1.6 such a file is a zip archive: a pickle of what was saved, and beside it, uncompressed, the numbers of
each storage, which are mapped. Before, it was a row of pickles and then the numbers. The pickles are read as data; see
`torch_pickles`.
"""

import math
import pathlib
import pickle
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from train_by_reconnect.instrument.conventions import describe_entries
from train_by_reconnect.instrument.entries import Entry
from train_by_reconnect.instrument.file_bytes import dtype_of, mapped, unreadable
from train_by_reconnect.instrument.tensors import Source
from train_by_reconnect.instrument.torch_pickles import (
    PickledTensor,
    RefusedPickleError,
    TensorUnpickler,
    tensors_in,
)

Order = Literal["<", ">"]
Places = Mapping[str, tuple[int, int]]  # of a storage's key: where it begins, and how many bytes it has
OLD_MAGIC = 0x1950A86A20F9469CFC6C
_WHOLE = "a whole PyTorch file"
_CURE = "Copy or download it again, or save the state dict anew: torch.save(model.state_dict(), FILE)."


def torch_source(path: pathlib.Path, layout: Any = None) -> Source:
    """List the tensors of a file that `torch.save` or `torch.jit.save` wrote.

    Args:
        path: the file.
        layout: see `train_by_reconnect.instrument.conventions.describe_entries`.

    Returns:
        `Source`.

    Raises:
        ValueError: a file that is not whole, holds no tensors, or whose pickle names anything but the parts of a state
            dict: it is refused, and nothing of it is executed.
    """
    in_zip = zipfile.is_zipfile(path)
    try:
        value, places, order = _from_zip(path) if in_zip else _from_row(path)
        found = list(tensors_in(value))
        entries = [_entry(path, name, tensor, places, order) for name, tensor in found]
    except RefusedPickleError as error:
        raise ValueError(
            f"{path} must be a state dict, which holds tensors only. Received: a pickle that calls {error}, so it was "
            "not executed. Save the tensors alone with torch.save(model.state_dict(), FILE), or as .safetensors."
        ) from error
    except Exception as error:  # a damaged pickle or archive raises whatever its opcodes run into
        raise unreadable(path, _WHOLE, repr(error), _CURE) from error
    if not entries:
        raise unreadable(path, "a PyTorch file that holds tensors", f"a pickle of {type(value).__name__}", _CURE)
    return Source(path.name, "PyTorch file", describe_entries(entries, layout))


def _from_zip(path: pathlib.Path) -> tuple[Any, Places, Order]:
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        parts = {part.filename: part for part in archive.infolist()}
        pickled = next(name for name in parts if name.endswith("data.pkl"))
        folder = pickled.removesuffix("data.pkl")
        packed = [name for name, part in parts.items() if part.compress_type != zipfile.ZIP_STORED]
        if any(name == pickled or name.startswith(f"{folder}data/") for name in packed):
            raise ValueError(f"an archive that compresses {packed[0]}, as torch.save never does")
        big = f"{folder}byteorder" in parts and archive.read(f"{folder}byteorder").strip() == b"big"
        places = {
            name.removeprefix(f"{folder}data/"): (_beginning(file, part), part.file_size)
            for name, part in parts.items()
            if name.startswith(f"{folder}data/")
        }
        if parts[pickled].file_size > path.stat().st_size:
            raise ValueError(f"{pickled} declares {parts[pickled].file_size:,} bytes")
        with archive.open(pickled) as inside:
            return TensorUnpickler(inside).load(), places, ">" if big else "<"  # type: ignore[arg-type]


def _beginning(file: Any, part: zipfile.ZipInfo) -> int:
    """Where the bytes of a part begin: after its own header, whose length the archive's list does not say."""
    file.seek(part.header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04":
        raise ValueError(f"{part.filename} is not where the archive says")
    name, extra = struct.unpack("<HH", header[26:30])
    return part.header_offset + 30 + name + extra


def _from_row(path: pathlib.Path) -> tuple[Any, Places, Order]:
    """Of a file before version 1.6: magic number, protocol, machine, what was saved, keys; then the numbers."""
    with path.open("rb") as file:
        if TensorUnpickler(file).load() != OLD_MAGIC:
            raise ValueError("a pickle that torch.save did not write")
        TensorUnpickler(file).load()
        machine = TensorUnpickler(file).load()
        value = TensorUnpickler(file).load()
        keys = TensorUnpickler(file).load()
        sizes = {tensor.storage.key: dtype_of(tensor.storage.dtype).itemsize for _, tensor in tensors_in(value)}
        order: Order = "<" if machine.get("little_endian", True) else ">"
        places, at = {}, file.tell()
        for key in keys:
            file.seek(at)
            [count] = struct.unpack(f"{order}q", file.read(8))
            places[str(key)] = (at + 8, count * sizes[str(key)])
            at += 8 + count * sizes[str(key)]
        return value, places, order


def _entry(path: pathlib.Path, name: str, tensor: PickledTensor, places: Places, order: Order) -> Entry:
    begin, size = places[tensor.storage.key]
    stored = dtype_of(tensor.storage.dtype).itemsize * tensor.storage.count
    dtype = dtype_of(tensor.dtype)
    last = sum((length - 1) * stride for length, stride in zip(tensor.shape, tensor.strides, strict=True))
    needed = (tensor.offset + last + 1) * dtype.itemsize if math.prod(tensor.shape) else 0
    if begin + size > path.stat().st_size or stored > size or needed > stored:
        raise ValueError(
            f"{name} of shape {tensor.shape} needs {needed:,} bytes of a storage of {stored:,}, of which {size:,} are "
            f"declared in a file of {path.stat().st_size:,}"
        )

    def load() -> np.ndarray:
        count = (needed - tensor.offset * dtype.itemsize) // dtype.itemsize
        run = mapped(path, dtype.newbyteorder(order), (count,), begin + tensor.offset * dtype.itemsize)
        strides = [stride * run.dtype.itemsize for stride in tensor.strides]
        # The constructor checks that all of the view lies within the run.
        return np.ndarray(tensor.shape, run.dtype, run, 0, strides) if count > 0 else np.empty(tensor.shape, dtype)

    return Entry(name, tensor.shape, dtype.name, load)


def is_torch_pickle(path: pathlib.Path) -> bool:
    """Whether a file begins as a pickle of protocol 2 or later does."""
    with path.open("rb") as file:
        first = file.read(2)
    return first[:1] == pickle.PROTO and first[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")
