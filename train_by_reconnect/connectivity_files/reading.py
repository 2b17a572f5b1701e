"""Read a connectivity file: first what it says, then its weights, of which none is kept that does not fit its hash."""

import hashlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.connectivity_files.blocks import block_slices, cut, decode_block
from train_by_reconnect.connectivity_files.container import damaged, is_connectivity_file, read_container
from train_by_reconnect.connectivity_files.description import (
    ARRAY,
    INITIAL,
    RESCALED,
    Description,
    Entry,
    description_from,
)
from train_by_reconnect.connectivity_files.json_sections import unpack_json
from train_by_reconnect.connectivity_files.rescaling import rescaled
from train_by_reconnect.connectivity_files.sorted_vectors import decode_sorted
from train_by_reconnect.connectivity_files.sources import (
    OtherWeightsError,
    Source,
    kernels_of_keras_file,
    of_kernels,
    of_rule,
    of_sorted,
    rule_from_json,
    sha256_of,
)
from train_by_reconnect.connectivity_files.words import bits_of, buffer_of, digest_of, numpy_dtype

# The weights of a network may take this much memory, and so many times the size of its file.
ALWAYS_ALLOWED, ALLOWED_TIMES = 64 * 2**20, 4096
_MAX_REFERENCES = 4


class Opened(NamedTuple):
    """A file that was read, of which nothing is decoded yet."""

    path: pathlib.Path
    size: int
    description: Description
    architecture: Any
    sections: dict[str, memoryview]
    max_bytes: int


def open_file(path: str | os.PathLike[str], max_bytes: int | None = None) -> Opened:
    """Read a file and check all that it declares.

    Raises:
        ValueError: it is damaged, or declares weights that take more memory than is allowed.
    """
    path = pathlib.Path(path)
    sections = read_container(path)
    size = path.stat().st_size
    try:
        description, architecture = description_from(unpack_json(sections["HEAD"])), unpack_json(sections["ARCH"])
    except ValueError as error:
        raise damaged(path, error) from error
    allowed = ALWAYS_ALLOWED + ALLOWED_TIMES * size if max_bytes is None else max_bytes
    if description.bytes > allowed:
        raise ValueError(
            f"{path} must hold a network of at most {allowed:,} bytes, which a file of {size:,} bytes justifies. "
            f"Received: one of {description.bytes:,} bytes. If you trust the file, pass max_bytes={description.bytes}."
        )
    return Opened(path, size, description, architecture, sections, allowed)


def decoded(
    opened: Opened, reference: str | os.PathLike[str] | None = None, depth: int = 0
) -> Iterator[tuple[Entry, np.ndarray | None, np.ndarray]]:
    """Each variable of a file: its entry, its initial value (None of what is no kernel) and its value.

    The checksums of the weights are compared at the end: whoever uses what comes must take all of it.
    """
    description, path = opened.description, opened.path
    source = _source(opened, reference, depth)
    hashed = hashlib.sha256()
    try:
        arrays = cut(opened.sections["ARRS"], [each.bytes for each in description.entries if each.how == ARRAY])
        sizes = [size for entry in description.entries for size in entry.blocks]
        blocks = cut(opened.sections["CONN"], sizes)
        number = 0
        for entry in description.entries:
            before = None
            if entry.how == ARRAY:
                value = np.frombuffer(next(arrays), numpy_dtype(entry.dtype)).reshape(entry.shape)
            else:
                before = np.ascontiguousarray(source(number, entry))
                if digest_of(before) != entry.initial:
                    raise OtherWeightsError(
                        f"{path} must find the initial weights that it was saved with. Received: others of "
                        f"{entry.path}, from the {description.initial['kind']}. Report it, with the versions of Python "
                        "and NumPy: a rule and a seed are to give the same weights everywhere."
                    )
                kernel = np.ascontiguousarray(decode_kernel(entry, before, blocks, description.codec))
                value = kernel.view(numpy_dtype(entry.dtype))
            number += entry.axes is not None
            hashed.update(buffer_of(value))
            yield entry, before, value
        next(arrays, None), next(blocks, None)
    except OtherWeightsError:
        raise
    except (ValueError, StopIteration) as error:
        raise damaged(path, error) from error
    if hashed.hexdigest() != description.weights_sha256:
        raise damaged(path, "other weights than those that were saved")


def decode_kernel(entry: Entry, before: np.ndarray, blocks: Iterator[bytes], codec: str) -> np.ndarray:
    """A kernel from its initial one, both as bits; a ValueError says what is wrong with the blocks."""
    axes, dtype = entry.axes or (), numpy_dtype(entry.dtype)
    if entry.how == RESCALED:
        before = bits_of(rescaled(before.view(dtype), entry.factor, entry.divides))
    if entry.how == INITIAL:
        if entry.blocks:
            raise ValueError(f"blocks for {entry.path}, which has none")
        return before
    rows = np.ascontiguousarray(to_rows(before, axes, np))
    places = list(block_slices(rows.shape))
    if len(places) != len(entry.blocks):
        raise ValueError(f"{len(entry.blocks)} blocks for {entry.path}, which has {len(places)}")
    new = np.empty_like(rows)
    for place in places:
        new[place] = decode_block(entry.how, rows[place], next(blocks), codec)
    return from_rows(new, entry.shape, axes, np)


def _source(opened: Opened, reference: str | os.PathLike[str] | None, depth: int) -> Source:
    """Where a file says that its initial weights come from."""
    description, said = opened.description, opened.description.initial
    kind = said.get("kind")
    try:
        if kind == "rule":
            return of_rule(rule_from_json(said))
        kernels = description.kernels
        parts = list(cut(opened.sections["VALS"], description.values))
        if kind == "stored" and len(parts) == len(kernels):
            return of_sorted(lambda number, entry: _sorted_rows(parts[number], entry, description.codec))
        if kind != "reference" or not all(isinstance(said.get(name), str) for name in ("file", "sha256")):
            raise ValueError(f"initial weights of the kind {kind!r}")
        if pathlib.PurePath(said["file"]).name != said["file"] or "\\" in said["file"] or said["file"] in ("", ".."):
            raise ValueError("initial weights in another folder")
    except ValueError as error:
        raise damaged(opened.path, error) from error
    file = opened.path.with_name(said["file"]) if reference is None else pathlib.Path(reference)
    if not file.is_file() or sha256_of(file) != said["sha256"]:
        received = "another file, by its checksum," if file.is_file() else "no file"
        raise ValueError(
            f"{opened.path} needs the initial weights in {said['file']}, beside it or passed as `reference`. Received: "
            f"{received} at {file}. Pass the file that was given as `initial` when this one was saved."
        )
    if depth >= _MAX_REFERENCES:
        raise damaged(
            opened.path, f"more than {_MAX_REFERENCES} files, each with the initial weights of the one before"
        )
    return of_kernels(kernels_of_file(file, depth + 1, opened.max_bytes), file)


def _sorted_rows(data: bytes, entry: Entry, codec: str) -> np.ndarray:
    shape = to_rows(np.broadcast_to(np.zeros((), bool), entry.shape), entry.axes or (), np).shape
    return decode_sorted(data, shape, bits_of(np.zeros(0, numpy_dtype(entry.dtype))).dtype, codec)


def kernels_of_file(path: pathlib.Path, depth: int = 0, max_bytes: int | None = None) -> list[np.ndarray]:
    """The kernels of a connectivity or `.keras` file."""
    if not is_connectivity_file(path):
        return kernels_of_keras_file(path)
    return [value for entry, _, value in decoded(open_file(path, max_bytes), None, depth) if entry.axes is not None]
