"""The architecture in a file: what of a configuration is refused, and its model before that has any weights."""

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from train_by_reconnect.backend import keras_variables
from train_by_reconnect.connectivity_files.words import FLOATS, INTEGERS

# They run code, read other files, or hold a model of another kind.
_REFUSED = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__typespec__")
_VALUES = ("__tensor__", "__numpy__")


class Shaped(NamedTuple):
    """The shape and dtype of a variable."""

    shape: tuple[int, ...]
    dtype: str


def architecture_of(model: keras.Model) -> dict[str, Any]:
    """The configuration of a model, without what it was compiled with.

    Raises:
        ValueError: something in it cannot be read back, or would be refused then.
    """
    try:
        config = json.loads(model.to_json())
    except Exception as error:  # whatever the `get_config` of somebody's layer raises
        raise ValueError(
            f"`model` must have a configuration that JSON can hold. Received: model={model.name!r}; "
            f"{_line(error)}. Let the `get_config` of its layers give plain numbers and strings."
        ) from error
    return _uncompiled(config)


def model_without_values(
    config: Any, expected: Sequence[Shaped], max_bytes: int
) -> tuple[keras.Model, list[keras.Variable]]:
    """Make the model of a configuration, whose variables have no values yet, and all variables that need one.

    Raises:
        ValueError: the configuration is refused, is not of such a model, or needs other variables.
    """
    config = _uncompiled(config)  # a copy too: Keras takes apart what it reads
    _check_harmless(config)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Keras, e.g. that a layer has an argument that nobody passes any more
            model, waiting = keras_variables.made_without_values(
                lambda: keras.saving.deserialize_keras_object(config, safe_mode=True)
            )
    except Exception as error:  # Keras raises whatever its layers do
        raise ValueError(f"an architecture that Keras does not make, {_line(error)}") from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"an architecture of {type(model).__name__}, which is no model")
    needed = sum(math.prod(variable.shape) for variable in waiting)
    found = [Shaped(tuple(variable.shape), variable.dtype) for variable in model.weights]
    if len(found) != len(expected) or not all(map(_fits, found, expected)):
        differing = next((pair for pair in zip(found, expected, strict=False) if not _fits(*pair)), "another number")
        raise ValueError(f"an architecture with other variables than the file holds, {differing}")
    if needed > sum(math.prod(each.shape) for each in expected) + max_bytes // 8:
        raise ValueError(f"an architecture that needs {needed:,} numbers beyond what the file holds")
    return model, waiting


def _fits(found: Shaped, expected: Shaped) -> bool:
    """Whether a variable can hold what a file has: integers may be of another size on another backend."""
    same = found.dtype == expected.dtype or {found.dtype, expected.dtype} <= set(INTEGERS)
    return same and found.shape == expected.shape


def _check_harmless(config: Any) -> None:
    """Refuse what runs code, reads other files or makes arrays of strings; Keras' safe mode refuses more."""
    level = [config]
    while level:
        inside: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                _check_object(each)
                inside.extend(each.values())
            elif isinstance(each, list):
                inside.extend(each)
        level = inside


def _check_object(config: dict[str, Any]) -> None:
    name, inner = config.get("class_name"), config.get("config")
    if name in _REFUSED:
        raise ValueError(f"an architecture with a {name}, of which nothing is read, as it can run code")
    if name in _VALUES and (not isinstance(inner, dict) or inner.get("dtype") not in (*FLOATS, *INTEGERS)):
        raise ValueError("an architecture with an array that is not of numbers")
    if isinstance(config.get("vocabulary"), str):
        raise ValueError("an architecture that reads its vocabulary from another file")


def _uncompiled(config: Any) -> Any:
    """A copy without what models, also those inside others, are compiled with."""
    if isinstance(config, dict):
        return {key: _uncompiled(value) for key, value in config.items() if key != "compile_config"}
    return [_uncompiled(each) for each in config] if isinstance(config, list) else config


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200].rstrip(".")
