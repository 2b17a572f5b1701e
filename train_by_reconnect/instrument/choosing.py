"""Kernels by the name of their layer or their own."""

import difflib
from collections.abc import Sequence

from train_by_reconnect.instrument.tensors import Source, StoredTensor


def chosen(source: Source, layers: str | Sequence[str] | None) -> list[StoredTensor]:
    """The tensors with profiles that some names stand for; a ValueError says which name is of none."""
    if layers is None:
        return source.profiled
    wanted = [layers] if isinstance(layers, str) else list(layers)
    known = {name for tensor in source.profiled for name in (tensor.name, tensor.layer)}
    for name in wanted:
        if name not in known:
            raise ValueError(unknown("layers", name, [tensor.name for tensor in source.profiled]))
    return [tensor for tensor in source.profiled if {tensor.name, tensor.layer} & set(wanted)]


def unknown(argument: str, name: str, known: Sequence[str]) -> str:
    """What is said of a name that is of no kernel."""
    near = difflib.get_close_matches(name, known, 3, 0.4) or list(known[:20])
    return (
        f"`{argument}` must name a layer or kernel that is profiled. Received: {argument}={name!r}, which is none of "
        f"the {len(known)}. Choose among: {', '.join(near)}."
    )
