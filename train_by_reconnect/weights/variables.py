"""The layout of variables: which layer owns each, and what that layer says of it."""

import dataclasses
import gc
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.backend.types import Axes
from train_by_reconnect.weights.layouts import BIAS, LAST, UNTOUCHED, Layout, describe_layer


def describe_variables(
    variables: Sequence[keras.Variable],
    unit_axes: Mapping[str, Axes | None] | None = None,
    *,
    model: keras.Layer | None = None,
) -> list[Layout]:
    """The layout of each variable, decided by the layer that owns it and never by its name.

    A variable does not know its layer. Where a model is given, its layers are asked; otherwise, as in an optimizer,
    which gets variables only, all layers alive in this process. Of two layers that share a variable and describe it
    differently, the one that made it decides.

    Args:
        variables: list of `keras.Variable`.
        unit_axes: optional dict from a regular expression, searched in `variable.path`, to the unit axes of the
            variables it finds (a tuple of ints) or to `None` (never permuted). The first that matches decides,
            before the table.
        model: optional `keras.Model` or layer that holds the variables. Pass it wherever there is one.

    Returns:
        List of `Layout`, each with the path of its variable, in the order of `variables`.

    Raises:
        ValueError: an expression that finds no variable, or axes that a variable does not have.

    Warns:
        UserWarning: the unit axes of a variable are a guess: of rank 2 or more, it belongs to no layer that can be
            found (after `gc.freeze()` none can), or it belongs to several that disagree, none of which made it.

    Example:

    >>> dense = keras.layers.Dense(3, name="dense")
    >>> dense.build((None, 4))
    >>> describe_variables(dense.trainable_variables, model=dense)[0]
    Layout(kind='kernel', unit_axes=(-1,), path='dense/kernel')
    """
    return [layout for layout, _ in describe_as_before(variables, unit_axes or {}, model=model)]


def describe_as_before(
    variables: Sequence[keras.Variable],
    unit_axes: Mapping[str, Axes | None],
    before: Sequence[dict[str, Any]] = (),
    model: keras.Layer | None = None,
) -> list[tuple[Layout, dict[str, Any]]]:
    """As `describe_variables`, and for each variable what to remember of it in a config.

    Where `before`, what was remembered, is of variables of these names and shapes, what `unit_axes` said then holds,
    though the paths may have lost the name of their model since; and what no layer can say now is not guessed.
    """
    paths = [path_of(variable) for variable in variables]
    if [_signature(entry["path"], entry["shape"]) for entry in before] != [
        _signature(path, variable.shape) for path, variable in zip(paths, variables, strict=True)
    ]:
        before = ()
    found, guessed = _found(variables, model)
    given = {index: _from_config(entry) for index, entry in enumerate(before) if entry["given"]}
    given |= _overrides(paths, unit_axes, must_match=not before)
    unknown = [i for i in guessed if i not in given and not before]
    if unknown:
        _warn_of_guess([paths[i] for i in unknown])
    pairs = []
    for index, (variable, path) in enumerate(zip(variables, paths, strict=True)):
        layout = given.get(index) or (_from_config(before[index]) if before and index in guessed else found[index])
        layout = dataclasses.replace(layout, path=path)
        _check_axes(variable, layout)
        axes = None if layout.unit_axes is None else list(layout.unit_axes)
        remembered = {"path": path, "shape": list(variable.shape), "kind": layout.kind, "unit_axes": axes}
        pairs.append((layout, {**remembered, "given": index in given}))
    return pairs


def path_of(variable: keras.Variable) -> str:
    """The path of a variable; a `tf.Variable` has a name only."""
    return getattr(variable, "path", variable.name)


def _signature(path: str, shape: Sequence[int]) -> tuple[str, tuple[int, ...]]:
    return path.rsplit("/", 1)[-1], tuple(shape)


def _from_config(entry: dict[str, Any]) -> Layout:
    axes = entry["unit_axes"]
    return Layout(entry["kind"], None if axes is None else tuple(axes))


def _found(variables: Sequence[keras.Variable], model: keras.Layer | None) -> tuple[list[Layout], set[int]]:
    """What the layers say of each variable, or else the last rows of the table; the indices of what is a guess."""
    index_of = {id(variable): index for index, variable in enumerate(variables)}
    claims: dict[int, list[tuple[keras.Layer, Layout]]] = {index: [] for index in range(len(variables))}
    held: set[int] = set()
    for layer in _layers_alive() if model is None else keras_layers.layers_in_order(model):
        held.update(index_of.get(id(variable), -1) for variable in keras_layers.own_variables(layer))
        for variable, layout in _described(layer, index_of):
            if id(variable) in index_of:
                claims[index_of[id(variable)]].append((layer, layout))
    layouts, guessed = [], set()
    for index, variable in enumerate(variables):
        possible = _of_makers(claims[index], path_of(variable))
        is_matrix = len(variable.shape) > 1
        if len(set(possible)) > 1 or (is_matrix and not possible and index not in held):
            guessed.add(index)
        # The smallest, so that the order in which layers are found decides nothing.
        layouts.append(min(possible, key=repr) if possible else LAST if is_matrix else BIAS)
    return layouts, guessed


def _layers_alive() -> list[keras.Layer]:
    return [thing for thing in gc.get_objects() if issubclass(type(thing), keras.Layer)]


def _described(layer: keras.Layer, asked: Mapping[int, int]) -> list[tuple[keras.Variable, Layout]]:
    if not getattr(layer, "built", False):
        return []
    try:
        return describe_layer(layer)
    except Exception:
        # A layer of somebody else that cannot be described must not break what has nothing to do with it.
        if any(id(variable) in asked for variable in layer.variables):
            raise
        return []


def _of_makers(claims: list[tuple[keras.Layer, Layout]], path: str) -> list[Layout]:
    """The layouts by those layers that made the variable, whose path it carries, or by all if none did."""
    made = [layout for layer, layout in claims if path.rsplit("/", 1)[0] == getattr(layer, "path", None)]
    return made or [layout for _, layout in claims]


def _warn_of_guess(paths: list[str]) -> None:
    shown = ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
    warnings.warn(
        "The layer that owns a variable says which of its axes number the neurons, but either none can be found, or "
        f"several disagree. Received: {shown}, whose axes are now a guess. Name them in `unit_axes`, e.g. "
        f'unit_axes={{"{paths[0]}": (-1,)}}, or pass `model` where there is one; layers that `gc.freeze()` has hidden '
        "are found after `gc.unfreeze()`.",
        stacklevel=4,
    )


def _overrides(paths: list[str], unit_axes: Mapping[str, Axes | None], must_match: bool) -> dict[int, Layout]:
    given: dict[int, Layout] = {}
    for pattern in reversed(list(unit_axes)):  # so that the first that matches has the last word
        found = [index for index, path in enumerate(paths) if re.search(pattern, path)]
        if not found and must_match:
            raise ValueError(
                f"`unit_axes` must name variables of the model, but no path matches. Received: {pattern!r}. "
                f"The paths are: {', '.join(paths)}"
            )
        axes = unit_axes[pattern]
        if not isinstance(axes, (tuple, list, type(None))):
            raise ValueError(
                f"`unit_axes` must map to a tuple of axes or to None. Received: unit_axes={{{pattern!r}: {axes!r}}}. "
                "Write a single axis as a tuple too, e.g. (-1,)."
            )
        given.update(dict.fromkeys(found, UNTOUCHED if axes is None else Layout("kernel", tuple(axes))))
    return given


def _check_axes(variable: keras.Variable, layout: Layout) -> None:
    rank, axes = len(variable.shape), layout.unit_axes or ()
    if len({axis % rank for axis in axes if axis in range(-rank, rank)}) < len(axes):
        raise ValueError(
            f"The unit axes of {layout.path} must be axes of its shape {tuple(variable.shape)}. Received: "
            f"unit_axes={axes}. Name existing axes, each once."
        )
