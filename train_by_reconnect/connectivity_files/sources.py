"""Where the initial weights of a network come from: a rule, another file, or its own sorted weight vectors."""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend.rows import from_rows
from train_by_reconnect.connectivity_files.description import Entry
from train_by_reconnect.connectivity_files.kernels import kernels_in
from train_by_reconnect.connectivity_files.rules import InitialRule
from train_by_reconnect.connectivity_files.words import bits_of, numpy_dtype, unorder_words

# Of the number of a kernel and its entry the initial kernel, as bits.
Source = Callable[[int, Entry], np.ndarray]


class OtherWeightsError(ValueError):
    """A file with initial weights, given by whoever calls, is of another network."""


def of_rule(rule: InitialRule) -> Source:
    """The weights that a rule draws."""

    def kernel(number: int, entry: Entry) -> np.ndarray:
        with np.errstate(over="ignore"):
            return bits_of(rule.kernel(entry.shape, number).astype(numpy_dtype(entry.dtype)))

    return kernel


def of_sorted(rows_of: Callable[[int, Entry], np.ndarray]) -> Source:
    """The sorted weight vectors, which are taken for the initial ones, from a function that gives them as words."""

    def kernel(number: int, entry: Entry) -> np.ndarray:
        return from_rows(unorder_words(rows_of(number, entry)), entry.shape, _axes(entry), np)

    return kernel


def of_kernels(kernels: list[np.ndarray], path: str | os.PathLike[str]) -> Source:
    """The kernels of another network."""

    def kernel(number: int, entry: Entry) -> np.ndarray:
        found = kernels[number] if number < len(kernels) else None
        if found is None or found.shape != entry.shape or found.dtype.name != entry.dtype:
            received = "none" if found is None else f"one of {found.dtype.name} and shape {found.shape}"
            raise OtherWeightsError(
                f"{path} must hold the kernel of {entry.dtype} and shape {entry.shape} that {entry.path} was. "
                f"Received: {received} in its place. Pass the file with the initial weights of this network."
            )
        return bits_of(found)

    return kernel


def rule_to_json(rule: InitialRule) -> dict[str, Any]:
    """A rule as it stands in a file."""
    return {"kind": "rule", **dataclasses.asdict(rule)}


def rule_from_json(fields: dict[str, Any]) -> InitialRule:
    """The rule again; a ValueError says what is wrong with it."""
    names = {field.name for field in dataclasses.fields(InitialRule)}
    if set(fields) != names | {"kind"}:
        raise ValueError(f"a rule of {sorted(map(str, fields))}")
    values = {name: fields[name] for name in names}
    if isinstance(values["sparsity"], list):
        values["sparsity"] = tuple(values["sparsity"])
    return InitialRule(**values)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The checksum of a file."""
    with pathlib.Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kernels_of_keras_file(path: str | os.PathLike[str]) -> list[np.ndarray]:
    """The kernels of a model in a `.keras` file."""
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever Keras' readers raise
        raise ValueError(
            f"{path} must be a .keras file or a connectivity file with the initial weights. Received: what Keras does "
            f"not read, {' '.join(str(error).split())[:200]} Pass the file that was given when this one was saved."
        ) from error
    return [keras.ops.convert_to_numpy(kernel.variable) for kernel in kernels_in(model)]


def _axes(entry: Entry) -> tuple[int, ...]:
    return () if entry.axes is None else entry.axes
