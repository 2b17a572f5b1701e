"""Write a connectivity file: how each kernel comes from its initial one is found by comparing the two."""

import hashlib
import importlib.metadata
import os
import pathlib
import re
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.architecture import Shaped, architecture_of, model_without_values
from train_by_reconnect.connectivity_files.blocks import block_slices, encode_block, how_from
from train_by_reconnect.connectivity_files.container import write_container
from train_by_reconnect.connectivity_files.description import ARRAY, INITIAL, MASKED, RESCALED, Description, Entry
from train_by_reconnect.connectivity_files.json_sections import pack_json
from train_by_reconnect.connectivity_files.kernels import Kernel, kernels_in
from train_by_reconnect.connectivity_files.reading import kernels_of_file
from train_by_reconnect.connectivity_files.rescaling import find_rescaling, rescaled
from train_by_reconnect.connectivity_files.rules import InitialRule, rule_of
from train_by_reconnect.connectivity_files.sorted_vectors import encode_sorted
from train_by_reconnect.connectivity_files.sources import (
    Source,
    of_kernels,
    of_rule,
    of_sorted,
    rule_to_json,
    sha256_of,
)
from train_by_reconnect.connectivity_files.words import bits_of, buffer_of, digest_of, numpy_dtype, order_words
from train_by_reconnect.conversion.strip import strip
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.version import __version__


def save_connectivity(
    model: keras.Model,
    path: str | os.PathLike[str],
    initial: InitialRule | Literal["stored"] | str | os.PathLike[str] | None = None,
    *,
    arrays: Sequence[str] = (),
    codec: str | None = None,
) -> None:
    """Write a network as its architecture, a rule for its initial weights, and where they are now.

    Of each kernel the file holds a permutation of every weight vector (`LaPerm`), or a mask or the signs of all weights
    (connectivity training), whichever turns its initial weights into what they are; this is found by comparing them.
    Biases, normalization layers and whatever else is no kernel are stored as they are; the optimizer is not.

    Of a model with layers such as `Masked` the file holds the plain model that `strip` makes of it: masks and signs are
    in the weights, the scores are not stored. Of `BernoulliMask` that is one network whose mask was drawn now.

    Args:
        model: a built `keras.Model`.
        path: str or path of the file. It is written under another name and then renamed.
        initial: where the initial weights come from: an `InitialRule`; `"stored"`, to put the sorted weight vectors
            into the file, for networks whose rule is not known; or the path of a `.keras` or connectivity file with the
            initial weights, of which the file then holds the name and a checksum. Defaults to None, the rule by which
            `draw_initial_weights` or `load_connectivity` made this very model.
        arrays: list of regular expressions, searched in the paths of kernels that were trained in other ways and are
            stored as they are. Defaults to none.
        codec: `"range"`, which needs the extra `coding`, or `"packed"`. Defaults to None, the first if it is there.

    Raises:
        ValueError: the model is not built; its initial weights are not known; a kernel does not come from its initial
            one by a permutation, mask or signs; or the model cannot be made of its configuration.

    Example:

    >>> import tempfile
    >>> from train_by_reconnect import draw_initial_weights, load_connectivity
    >>> model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    >>> rule = draw_initial_weights(model, "he_uniform", seed=1)
    >>> kernel = model.layers[0].kernel
    >>> _ = kernel.assign(keras.ops.flip(kernel, axis=0))  # a permutation of each weight vector
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_connectivity(model, f"{folder}/small.tbr")
    ...     loaded = load_connectivity(f"{folder}/small.tbr")
    >>> bool(keras.ops.all(loaded.layers[0].kernel == model.layers[0].kernel))
    True

    Reference:
        Qiu and Suda 2020, section 7; Ivan and Florian 2020, section 4. The format: docs/connectivity_files.md.
    """
    path = pathlib.Path(path)
    initial = initial if initial is not None else rule_of(model)
    plain = _plain(model)
    kernels = {kernel.place: kernel for kernel in kernels_in(plain)}
    codec = codec or default_codec()
    entries = [_entry(variable, kernels.get(index), arrays) for index, variable in enumerate(plain.weights)]
    if initial is None:
        raise ValueError(
            "The initial weights must be known to say where they are now. Received: "
            f"model={model.name!r} and initial=None. Pass the `InitialRule` of `draw_initial_weights`, a file with the "
            'initial weights, or initial="stored" to put the sorted weight vectors into the file.'
        )
    source, said, stored = _source(initial, list(kernels.values()), codec)
    hashed = hashlib.sha256()
    sections: dict[str, list[bytes]] = {"CONN": [], "VALS": stored, "ARRS": []}
    done = []
    numbers = {index: number for number, index in enumerate(kernels)}
    for index, (entry, variable) in enumerate(zip(entries, plain.weights, strict=True)):
        raw = np.ascontiguousarray(keras.ops.convert_to_numpy(variable))
        hashed.update(buffer_of(raw))
        if entry.how == ARRAY:
            sections["ARRS"].append(raw.tobytes())
        else:
            before = source(numbers[index], entry)
            entry, blocks = encode_kernel(entry, before, bits_of(raw), codec, model.name)
            sections["CONN"] += blocks
        done.append(entry)
    architecture = architecture_of(plain)
    _check_can_be_made(architecture, done, model.name)
    description = Description(
        codec,
        writer(),
        said,
        hashed.hexdigest(),
        tuple(done),
        tuple(map(len, stored)),
    )
    packed = {"HEAD": [pack_json(description.to_json())], "ARCH": [pack_json(architecture)]}
    write_container(path, {**packed, **sections})


def writer() -> str:
    """The versions that write a file."""
    return f"train_by_reconnect {__version__}, keras {importlib.metadata.version('keras')}"


def _plain(model: keras.Model) -> keras.Model:
    has_fixed = any(isinstance(layer, FixedKernels) for layer in keras_layers.all_layers(model))
    return strip(model) if has_fixed else model


def _entry(variable: keras.Variable, kernel: Kernel | None, arrays: Sequence[str]) -> Entry:
    path = variable.path
    is_array = kernel is None or kernel.is_left_alone or any(re.search(pattern, path) for pattern in arrays)
    return Entry(
        path, tuple(variable.shape), variable.dtype, ARRAY if is_array else INITIAL, kernel.axes if kernel else None
    )


def _source(initial: Any, kernels: list[Kernel], codec: str) -> tuple[Source, dict[str, Any], list[bytes]]:
    """The initial kernels, what the file says of them, and the sorted weight vectors it is to hold."""
    if isinstance(initial, InitialRule):
        return of_rule(initial), rule_to_json(initial), []
    if isinstance(initial, str) and initial == "stored":
        stored = [encode_sorted(_sorted_rows(kernel), codec) for kernel in kernels]
        return of_sorted(lambda number, _: _sorted_rows(kernels[number])), {"kind": "stored"}, stored
    file = pathlib.Path(initial)
    if not file.is_file():
        raise ValueError(
            "There is no such file with initial weights. Received: initial="
            f'{str(initial)!r}. Pass a .keras or connectivity file, an `InitialRule`, or "stored".'
        )
    said = {"kind": "reference", "file": file.name, "sha256": sha256_of(file)}
    return of_kernels(kernels_of_file(file), file), said, []


def _sorted_rows(kernel: Kernel) -> np.ndarray:
    rows = to_rows(keras.ops.convert_to_numpy(kernel.variable), kernel.axes, np)
    return np.sort(order_words(bits_of(rows)), axis=1)


def encode_kernel(
    entry: Entry, initial: np.ndarray, kernel: np.ndarray, codec: str, name: str
) -> tuple[Entry, list[bytes]]:
    """How the kernel comes from its initial one, both as bits, and the blocks that say so."""
    axes = entry.axes or ()
    factor, divides = 1.0, False
    before, rows = (np.ascontiguousarray(to_rows(each, axes, np)) for each in (initial, kernel))
    how = how_from(before, rows)
    if how is None:
        dtype = numpy_dtype(entry.dtype)
        found = find_rescaling(before.view(dtype), rows.view(dtype))
        if found:
            factor, divides = found
            before = bits_of(rescaled(before.view(dtype), factor, divides))
            how = RESCALED if how_from(before, rows) in (MASKED, INITIAL) else None
    if how is None:
        raise ValueError(
            "Every kernel must hold its initial weights in another order, masked, or with flipped signs. Received: "
            f"model={name!r}, whose {entry.path} does not. If LaPerm trains it, call `model.optimizer.synchronize()` "
            f'first; if its initial weights are others, pass them as `initial`, or initial="stored"; if it is trained '
            f"in another way, pass arrays=[{entry.path!r}]."
        )
    blocks = []
    if how != INITIAL:
        blocks = [encode_block(how, before[place], rows[place], codec) for place in block_slices(rows.shape)]
    found_entry = Entry(
        entry.path,
        entry.shape,
        entry.dtype,
        how,
        entry.axes,
        tuple(map(len, blocks)),
        factor,
        divides,
        digest_of(initial),
    )
    return found_entry, blocks


def _check_can_be_made(architecture: dict[str, Any], entries: Sequence[Entry], name: str) -> None:
    try:
        model_without_values(architecture, [Shaped(entry.shape, entry.dtype) for entry in entries], 2**27)
    except ValueError as error:
        raise ValueError(
            f"`model` must be one that its configuration makes anew. Received: model={name!r}, of which the file would "
            f"hold {error}. Save the plain weights with `model.save` instead."
        ) from error
