"""The argument `layout`: what people say of axes that a file does not tell."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from train_by_reconnect.instrument.entries import Decision, Entry

_LAYOUTS = ("keras", "torch")


def check_layout(layout: Any, entries: Sequence[Entry]) -> None:
    """A ValueError says what is wrong with `layout`."""
    if layout is None or layout in _LAYOUTS:
        return
    if not isinstance(layout, Mapping):
        raise ValueError(
            "`layout` must be None, 'keras', 'torch' or a dict from a regular expression to axes. Received: "
            f"layout={layout!r}. To give a model's own layouts load the weights into it, and pass the model."
        )
    for pattern, axes in layout.items():
        found = [entry for entry in entries if re.search(pattern, entry.name)]
        if not found:
            shown = ", ".join(entry.name for entry in entries[:20])
            raise ValueError(
                f"`layout` must name tensors of the file. Received: {pattern!r}, which no name matches. They are: "
                f"{shown}{' and more' if len(entries) > 20 else ''}."
            )
        if axes is None:
            continue
        whole = isinstance(axes, (tuple, list)) and len(axes) > 0 and all(isinstance(axis, int) for axis in axes)
        for entry in found:
            rank = len(entry.shape)
            inside = whole and len({axis % rank for axis in axes if axis in range(-rank, rank)}) == len(axes)
            if not inside:
                raise ValueError(
                    f"`layout` must give axes of {entry.name}, whose shape is {entry.shape}, as a tuple of ints, each "
                    f"once. Received: layout={{{pattern!r}: {axes!r}}}. For the last axis write (-1,)."
                )


def given_axes(entry: Entry, layout: Any) -> Decision | None:
    """What a `layout` by names says of a tensor."""
    if isinstance(layout, Mapping):
        for pattern, axes in layout.items():
            if re.search(pattern, entry.name):
                return Decision(None, "Said to be no weights by `layout`.") if axes is None else Decision(tuple(axes))
    return None


def unknown_axes(entry: Entry, layout: Any) -> Decision:
    """What `layout` says of a tensor whose axes neither its name nor its file tell; without it how to pass it."""
    if layout in _LAYOUTS:
        return Decision((-1,) if layout == "keras" else (0,))
    return Decision(
        None,
        f"Which axes of {entry.shape} number the neurons is unknown: pass layout={{{re.escape(entry.name)!r}: (0,)}} "
        "for the first, (-1,) for the last.",
    )
