"""What a connectivity file holds: bits a weight beside the bound, float32 and a zip, and where the bits are."""

import os
import pathlib
import tempfile
import zlib
from typing import Any, NamedTuple

import keras

from train_by_reconnect.command.pictures import needing_matplotlib, picture_file
from train_by_reconnect.command.table import table
from train_by_reconnect.connectivity_files.container import UPDATE, VERSION, kind_of
from train_by_reconnect.connectivity_files.loading import load_connectivity
from train_by_reconnect.connectivity_files.sizes import FileSizes, file_sizes
from train_by_reconnect.connectivity_files.update_description import open_update

_WHAT = {
    "CONN": "connectivity",
    "VALS": "sorted weight vectors",
    "ARRS": "what is no kernel",
    "ARCH": "architecture",
    "HEAD": "description",
}


class ConnectivityBits(NamedTuple):
    """The connections of a network, the bits for where they go and their bound, and the bytes of all else."""

    weights: int
    taken: int
    bound: float
    values: int
    rest: int


def connectivity_bits(path: str | os.PathLike[str]) -> ConnectivityBits:
    """What the connectivity in a file takes, and what else does: the sorted weight vectors, and the rest."""
    return bits_of_sizes(file_sizes(path))


def bits_of_sizes(sizes: FileSizes) -> ConnectivityBits:
    """The sum over all kernels."""
    kernels = [part for part in sizes.parts if part.entry.how != "array"]
    weights, taken = sum(part.entry.size for part in kernels), sum(part.bytes for part in kernels)
    values = sizes.sections["VALS"]
    bound = sum(part.bound for part in kernels)
    return ConnectivityBits(weights, 8 * taken, bound, values, sizes.total - taken - values)


def connectivity_inspection(path: str, picture: str | None = None, reference: str | None = None) -> list[str]:
    """The facts about a connectivity file, or about an update of one, as lines of text.

    Args:
        path: str.
        picture: optional str, the file for a picture of where the bits are, which needs matplotlib.
        reference: optional str, the file with the initial weights, where this one names another that is elsewhere.

    Returns:
        List of str.

    Raises:
        ValueError: it is damaged, its initial weights are not found, or a picture of an update is asked for.
        ImportError: a picture is asked for, and there is no matplotlib.
    """
    if kind_of(path) == UPDATE:
        return _update_inspection(path, picture)
    out = picture_file(picture) if picture else None
    sizes = file_sizes(path, reference)
    model = load_connectivity(path, reference=reference)
    description = sizes.description
    weights = sum(part.entry.size for part in sizes.parts)
    floats = sum(part.entry.bytes for part in sizes.parts)
    lines = [
        f"{pathlib.Path(path).name}: {type(model).__name__} {model.name!r}, {weights:,} weights in {sizes.total:,} "
        f"bytes, {8 * sizes.total / max(weights, 1):.2f} bits a weight",
        f"version {description.version} of the format, codec {description.codec}, written by {description.writer}",
        f"initial weights: {_initial(description.initial)}",
        "",
        *table(["variable", "stored as", "shape", "bytes", "bits a weight", "bound"], _rows(sizes)),
        "",
        _against_bound(sizes),
        f"sections: {', '.join(f'{_WHAT[tag]} {sizes.sections[tag]:,}' for tag in _WHAT if sizes.sections[tag])} bytes",
        f"the weights as they are in memory: {floats:,} bytes, {floats / sizes.total:.2f} times the file",
        _zipped(model, sizes.total),
        "The file is for keeping and sending: the network that is loaded is as large and as fast as any.",
    ]
    if out is not None:
        with needing_matplotlib(str(out)):
            from train_by_reconnect.command.draw_sizes import draw_sizes
        draw_sizes(sizes, pathlib.Path(path).name).savefig(out, dpi=150)
        lines.append(str(out))
    return lines


def _update_inspection(path: str, picture: str | None) -> list[str]:
    if picture:
        raise ValueError(
            f"Pictures are of connectivity files, not of updates. Received: {path}, picture={picture!r}. Apply it by "
            "`apply_connectivity_update`, and pass what that wrote."
        )
    opened = open_update(path)
    said = opened.description
    rows = [
        [
            change.entry.path,
            change.way,
            "x".join(map(str, change.entry.shape)) or "()",
            f"{size:,}",
            f"{8 * size / max(change.entry.size, 1):.3f}",
        ]
        for change in said.changes
        for size in [change.entry.bytes if change.way == "array" else sum(change.entry.blocks)]
    ]
    return [
        f"{pathlib.Path(path).name}: an update of a connectivity file, {opened.size:,} bytes, which changes "
        f"{len(rows)} variables",
        f"version {VERSION} of the format, codec {said.codec}, written by {said.writer}",
        f"from the network {said.before_sha256[:16]}... to {said.after_sha256[:16]}...",
        "",
        *table(["variable", "stored as", "shape", "bytes", "bits a weight"], rows),
        "",
        "`apply_connectivity_update` makes the new file of the old one, and refuses another.",
    ]


def _rows(sizes: FileSizes) -> list[list[str]]:
    return [
        [
            part.entry.path,
            part.entry.how,
            "x".join(map(str, part.entry.shape)) or "()",
            f"{part.bytes:,}",
            f"{8 * part.bytes / max(part.entry.size, 1):.3f}",
            f"{part.bound / max(part.entry.size, 1):.3f}",
        ]
        for part in sizes.parts
    ]


def _initial(said: dict[str, Any]) -> str:
    if said["kind"] == "rule":
        changed = [f"{name}={said[name]}" for name in ("sparsity", "magnitude", "positive") if name in said]
        return f"the rule {said['rule']} with seed {said['seed']} ({', '.join(changed)})"
    if said["kind"] == "stored":
        return "their sorted weight vectors are in the file"
    return f"in the file {said['file']}, SHA-256 {said['sha256'][:16]}..."


def _against_bound(sizes: FileSizes) -> str:
    weights, taken, bound, _, _ = bits_of_sizes(sizes)
    over = f", {100 * (taken / bound - 1):.2f} % above it" if bound else ""
    return f"connectivity: {taken / max(weights, 1):.3f} bits a weight, bound {bound / max(weights, 1):.3f}{over}"


def _zipped(model: keras.Model, total: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "model.keras"
        model.save(file)
        packer, size = zlib.compressobj(6), 0
        with file.open("rb") as content:
            while part := content.read(2**20):
                size += len(packer.compress(part))
        size += len(packer.flush())
    return f"the .keras file, zipped: {size:,} bytes, {size / total:.2f} times the file"
