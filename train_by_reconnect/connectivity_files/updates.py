"""Updates: what changes between two networks from the same initial weights, and the second one from the first."""

import dataclasses
import hashlib
import os
from collections.abc import Iterator

import numpy as np

from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.blocks import cut
from train_by_reconnect.connectivity_files.changes import decode_change, encode_change
from train_by_reconnect.connectivity_files.container import UPDATE, damaged, write_container
from train_by_reconnect.connectivity_files.description import ARRAY, Description, Entry
from train_by_reconnect.connectivity_files.difference import open_alike
from train_by_reconnect.connectivity_files.json_sections import pack_json
from train_by_reconnect.connectivity_files.reading import decoded, open_file
from train_by_reconnect.connectivity_files.saving import encode_kernel, writer
from train_by_reconnect.connectivity_files.update_description import (
    Change,
    UpdateDescription,
    fingerprint,
    open_update,
)
from train_by_reconnect.connectivity_files.words import bits_of, buffer_of


def save_connectivity_update(
    before: str | os.PathLike[str],
    after: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    reference: str | os.PathLike[str] | None = None,
    codec: str | None = None,
    max_bytes: int | None = None,
) -> None:
    """Write what changes from one connectivity file to another, for those who have the first.

    Of each kernel the update holds which places change and, for a permutation, in which order the weights that left
    them come back; of masks and signs only which connections switch. Other variables are in it whole if they change at
    all. `connectivity_diff` says beforehand what that takes.

    Args:
        before: str or path of the connectivity file that is updated.
        after: str or path of the one it becomes, e.g. of the same training later on.
        path: str or path of the update.
        reference: str or path of the file with the initial weights, as of `load_connectivity`.
        codec: str, as of `save_connectivity`; `"packed"` for updates that are applied without the extra `coding`.
        max_bytes: int, as of `load_connectivity`.

    Raises:
        ValueError: the two are not of the same architecture and initial weights, and as from `load_connectivity`.

    Example:

    >>> import keras, tempfile
    >>> from train_by_reconnect import draw_initial_weights, load_connectivity, save_connectivity
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="net")
    >>> rule = draw_initial_weights(model)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_connectivity(model, f"{folder}/before.tbr")
    ...     _ = model.layers[0].kernel.assign(keras.ops.flip(model.layers[0].kernel, axis=0))
    ...     save_connectivity(model, f"{folder}/after.tbr")
    ...     save_connectivity_update(f"{folder}/before.tbr", f"{folder}/after.tbr", f"{folder}/update.tbu")
    ...     apply_connectivity_update(f"{folder}/before.tbr", f"{folder}/update.tbu", f"{folder}/updated.tbr")
    ...     updated = load_connectivity(f"{folder}/updated.tbr")
    >>> bool(keras.ops.all(updated.layers[0].kernel == model.layers[0].kernel))
    True
    """
    one, other = open_alike(before, after, max_bytes)
    codec = codec or default_codec()
    changes: list[Change] = []
    sections: dict[str, list[bytes]] = {"CONN": [], "ARRS": []}
    pairs = zip(one.description.entries, decoded(one, reference), decoded(other, reference), strict=True)
    for number, (was, (_, initial, old), (entry, _, new)) in enumerate(pairs):
        if buffer_of(old) == buffer_of(new):
            continue
        way, blocks = ARRAY, list[bytes]()
        if initial is None:
            sections["ARRS"].append(new.tobytes())
        else:
            way, blocks = encode_change(was, entry, initial, bits_of(old), bits_of(new), codec)
            sections["CONN"] += blocks
        changes.append(Change(number, way, dataclasses.replace(entry, blocks=tuple(map(len, blocks)))))
    before_sha256, after_sha256 = (fingerprint(each.description, each.architecture) for each in (one, other))
    description = UpdateDescription(codec, writer(), before_sha256, after_sha256, tuple(changes))
    sections["HEAD"] = [pack_json(description.to_json())]
    sections["ARCH"] = [] if one.architecture == other.architecture else [pack_json(other.architecture)]
    write_container(path, sections, UPDATE)


def apply_connectivity_update(
    before: str | os.PathLike[str],
    update: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    reference: str | os.PathLike[str] | None = None,
    max_bytes: int | None = None,
) -> None:
    """Write the connectivity file that an update makes of another.

    The weights of the network are the same to the bit as those that the update was made for, or nothing is written.

    Args:
        before: str or path of the connectivity file that is updated; it need not be the very file that
            `save_connectivity_update` was given, but must be of the same network.
        update: str or path of the update.
        path: str or path of the new file, which may be that of `before`.
        reference: str or path of the file with the initial weights, as of `load_connectivity`.
        max_bytes: int, as of `load_connectivity`.

    Raises:
        ValueError: the update is of another network, cut or changed, and as from `load_connectivity`.

    Example:

    >>> import keras, tempfile
    >>> from train_by_reconnect import connectivity_diff, save_connectivity
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")], name="net")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     device, later, update = (f"{folder}/{name}" for name in ("device.tbr", "later.tbr", "update.tbu"))
    ...     save_connectivity(model, device, "stored")
    ...     _ = model.layers[0].bias.assign([1.0, 2.0, 3.0])
    ...     save_connectivity(model, later, "stored")
    ...     save_connectivity_update(device, later, update)
    ...     apply_connectivity_update(device, update, device)
    ...     [each.changed for each in connectivity_diff(device, later)]
    [0, 0]
    """
    base, opened = open_file(before, max_bytes), open_update(update)
    said = opened.description
    if fingerprint(base.description, base.architecture) != said.before_sha256:
        raise ValueError(
            f"{update} must be applied to the network that it was made of. Received: {before}, which holds another. "
            "Apply all updates in their order, each once, or get the whole file."
        )
    codec = "packed" if base.description.codec == "packed" else "range"  # of the sorted vectors too, which stay
    changes = {change.number: change for change in said.changes}
    entries = [change.entry for change in said.changes]
    blocks = cut(opened.sections["CONN"], [size for entry in entries for size in entry.blocks])
    arrays = cut(opened.sections["ARRS"], [entry.bytes for entry in entries if entry.how == ARRAY])
    hashed = hashlib.sha256()
    sections: dict[str, list[bytes]] = {"CONN": [], "ARRS": []}
    done: list[Entry] = []
    for number, (entry, initial, old) in enumerate(decoded(base, reference)):
        try:
            change = changes.pop(number, None)
            new = _changed(change, entry, initial, old, blocks, arrays, said.codec) if change else old
            if initial is None:
                sections["ARRS"].append(new.tobytes())
            else:
                entry, coded = encode_kernel(entry, initial, bits_of(new), codec, "the updated network")
                sections["CONN"] += coded
        except (ValueError, StopIteration) as error:
            raise damaged(update, error) from error
        hashed.update(buffer_of(new))
        done.append(entry)
    architecture = opened.architecture or base.architecture
    description = Description(
        codec, writer(), base.description.initial, hashed.hexdigest(), tuple(done), base.description.values
    )
    if changes or fingerprint(description, architecture) != said.after_sha256:
        raise damaged(update, "changes that give another network than was saved")
    packed = {"HEAD": [pack_json(description.to_json())], "ARCH": [pack_json(architecture)]}
    write_container(path, {**packed, **sections, "VALS": [bytes(base.sections["VALS"])]})


def _changed(
    change: Change,
    entry: Entry,
    initial: np.ndarray | None,
    old: np.ndarray,
    blocks: Iterator[bytes],
    arrays: Iterator[bytes],
    codec: str,
) -> np.ndarray:
    """The new value of a variable."""
    if change.entry.variable != entry.variable:
        raise ValueError(f"a change of another variable than {entry.path}")
    if initial is None:
        return np.frombuffer(next(arrays), old.dtype).reshape(old.shape)
    kernel = decode_change(change.way, entry, change.entry, initial, bits_of(old), blocks, codec)
    return np.ascontiguousarray(kernel).view(old.dtype)
