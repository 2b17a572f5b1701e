"""The tensors of `.safetensors` files, one file or many with an index, without any framework.

A file is 8 bytes with the length of a header, the header (JSON: for each tensor its type, shape and place), and the
numbers. They are mapped, not read: the package `safetensors` gives NumPy copies only, and no bfloat16.

Reference:
    https://huggingface.co/docs/safetensors, "Format".
"""

import itertools
import json
import math
import pathlib
from typing import Any

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.instrument.conventions import describe_entries
from train_by_reconnect.instrument.entries import Entry
from train_by_reconnect.instrument.file_bytes import dtype_of, mapped, unreadable
from train_by_reconnect.instrument.tensors import Source

_TYPES = {
    **{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"},
    **{"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu"},
    **{"F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz", "BOOL": "bool", "C64": "complex64"},
    **{
        f"{letter}{bits}": f"{kind}{bits}" for letter, kind in (("I", "int"), ("U", "uint")) for bits in (8, 16, 32, 64)
    },
}
_LONGEST_HEADER = 100_000_000  # as the reference implementation has it


def safetensors_source(path: pathlib.Path, layout: Any = None) -> Source:
    """List the tensors of a safetensors file.

    Args:
        path: the file, or the index (`.safetensors.index.json`) of several that lie beside it.
        layout: see `train_by_reconnect.instrument.conventions.describe_entries`.

    Returns:
        `Source`.

    Raises:
        ValueError: a file that is not whole, or whose header is not one of its size.
    """
    if path.suffix == ".json":
        return Source(path.name, "sharded safetensors", describe_entries(_shards(path), layout))
    return Source(path.name, "safetensors file", describe_entries(_entries(path), layout))


def _shards(path: pathlib.Path) -> list[Entry]:
    try:
        weight_map = json.loads(path.read_text())["weight_map"]
        pairs = {(str(name), str(file)) for name, file in weight_map.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, "an index with a weight_map from names to files", repr(error)) from error
    outside = sorted(file for _, file in pairs if pathlib.PurePath(file).name != file)
    if outside:
        raise unreadable(path, "an index of files beside it", outside[0], "Put all of them into one folder.")
    missing = sorted({file for _, file in pairs if not (path.parent / file).is_file()})
    if missing:
        raise unreadable(path, "an index whose files lie beside it", f"no {', '.join(missing[:5])}", "Download all.")
    entries = [(entry, file) for file in sorted({file for _, file in pairs}) for entry in _entries(path.parent / file)]
    absent = sorted(pairs - {(entry.name, file) for entry, file in entries})
    if absent:
        raise unreadable(path, "an index of tensors that its files hold", f"{absent[0][0]} is not in it")
    return [entry for entry, _ in entries]


def _entries(path: pathlib.Path) -> list[Entry]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 10 or length > min(size - 8, _LONGEST_HEADER):
            found = f"a file of {size:,} bytes that declares a header of {length:,}"
            raise unreadable(path, "a whole safetensors file", found)
        text = file.read(length)
    try:
        header = json.loads(text)
        header.pop("__metadata__", None)
        described = [_described(name, **said) for name, said in header.items()]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unreadable(path, "a safetensors file with a header in JSON", repr(error)) from error
    return [_entry(path, 8 + length, size, *each) for each in described]


def _described(name: str, dtype: str, shape: list[int], data_offsets: list[int]) -> tuple[str, str, Axes, int, int]:
    begin, end = data_offsets
    if not all(isinstance(number, int) and number >= 0 for number in itertools.chain(shape, (begin, end))):
        raise ValueError(f"{name} has the shape {shape} and the place {data_offsets}")
    return name, dtype, tuple(shape), begin, end


def _entry(
    path: pathlib.Path, start: int, size: int, name: str, dtype: str, shape: Axes, begin: int, end: int
) -> Entry:
    if dtype not in _TYPES:  # 4-bit types and those to come: listed, as a type that is no weights
        return Entry(name, shape, dtype, lambda: mapped(path, dtype_of("uint8"), (end - begin,), start + begin))
    kind = dtype_of(_TYPES[dtype])
    if end - begin != math.prod(shape) * kind.itemsize or start + end > size:
        found = f"{name} of type {dtype} and shape {shape} at bytes {begin:,} to {end:,} of {size - start:,}"
        raise unreadable(path, "a whole safetensors file, whose tensors lie within it", found)
    return Entry(name, shape, kind.name, lambda: mapped(path, kind, shape, start + begin))
