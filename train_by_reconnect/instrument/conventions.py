"""Which axes of a stored tensor number the neurons, where a file says no more than names, shapes and types.

| last part of the name | shape | taken for | unit axes |
|---|---|---|---|
| `weight` (PyTorch) | (out, in), (rows, size) | Linear, Embedding | 0 |
| `weight` | (out, in / groups, ...) | Conv1d, 2d, 3d | 0 |
| `weight`, where `bias` has as many numbers as the second axis | (in, out, ...) | ConvTranspose, Conv1D of GPT-2 | 1 |
| `weight_ih_l0`, `weight_hh_l0`, `in_proj_weight` and the like | (gates x hidden, in) | LSTM, GRU, attention | 0 |
| `kernel` (Keras, Flax) | (..., in, out) | Dense, Conv, recurrent | -1 |
| `kernel`, where `bias` has the shape of the last axes | (in, heads, size) | attention | those |
| `kernel`, where `bias` has as many numbers as the last but one | (..., out, in) | ConvTranspose | -2 |
| `depthwise_kernel`; `kernel` of one output, without a bias | (..., in, multiplier) | DepthwiseConv | -2, -1 |
| `embedding`, `embeddings` | (rows, size) | Embedding | 0 |

Where a file leaves two of these open, what was taken for granted is said of the tensor (`assumed`). Any other name is
of an unknown layout, and is listed with that reason.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from train_by_reconnect.backend.rows import forget_pages
from train_by_reconnect.backend.types import Axes
from train_by_reconnect.instrument.file_bytes import is_float
from train_by_reconnect.instrument.tensors import StoredTensor
from train_by_reconnect.weights.profiles import finite

_TORCH = re.compile(r"weight|weight_[ih]h(_l\d+)?(_reverse)?|weight_hr_l\d+(_reverse)?|(in|q|k|v)_proj_weight")
_KERNELS: dict[str, Axes] = {
    "depthwise_kernel": (-2, -1),
    "pointwise_kernel": (-1,),
    "recurrent_kernel": (-1,),
    "embeddings": (0,),
    "embedding": (0,),
    "reverse_embeddings": (-1,),
}
_LAYOUTS = ("keras", "torch")
_VECTOR = "A bias, scale or statistic: one number a neuron or channel, no weight vectors."


@dataclasses.dataclass(frozen=True)
class Entry:
    """One tensor as a file lists it.

    Args:
        name: str, its path in the file.
        shape: tuple of ints.
        dtype: str.
        load: a function that gives the array, of `shape` and as stored.
        word: str, what it is in its layer (`"kernel"`, `"weight"`, ...). Defaults to the last part of the name.
        layer: str. Defaults to the name without its last part.
    """

    name: str
    shape: Axes
    dtype: str
    load: Callable[[], np.ndarray]
    word: str = ""
    layer: str = ""

    def __post_init__(self) -> None:
        layer, word = _split(self.name)
        object.__setattr__(self, "word", self.word or word)
        object.__setattr__(self, "layer", self.layer or layer)


@dataclasses.dataclass(frozen=True)
class Decision:
    """The axes that number the neurons, or why there are none, and what was taken for granted."""

    unit_axes: Axes | None
    skipped: str = ""
    assumed: str = ""


def describe_entries(
    entries: Iterable[Entry], layout: Any = None, known: Mapping[str, Decision] | None = None
) -> list[StoredTensor]:
    """Decide for each tensor of a file what its axes are.

    Args:
        entries: list of `Entry`.
        layout: what the file does not say: None; `"keras"` (neurons are the last axis) or `"torch"` (the first) for
            tensors of an unknown layout; or a dict from a regular expression, searched in the name, to the unit axes of
            the tensors it finds (a tuple of ints), or to None (no weights). The first that matches decides.
        known: dict from a name to a `Decision` that the format itself allows.

    Returns:
        List of `StoredTensor`.

    Raises:
        ValueError: a `layout` of another kind, one that finds no tensor, or axes that a tensor does not have.
    """
    entries, known = list(entries), dict(known or {})
    _check(layout, entries)
    biases = {entry.layer: entry.shape for entry in entries if entry.word == "bias"}
    turned = any(
        entry.word == "weight" and len(entry.shape) == 2 and _is_turned(entry.shape, biases.get(entry.layer))
        for entry in entries
    )
    tensors = []
    for entry in entries:
        decision = _no_weights(entry) or _given(entry, layout) or known.get(entry.name)
        decision = decision or _by_name(entry, biases.get(entry.layer), turned)
        if decision.unit_axes is None and not decision.skipped:
            decision = _unknown(entry, layout)
        tensors.append(_tensor(entry, decision))
    return tensors


def _tensor(entry: Entry, decision: Decision) -> StoredTensor:
    def read() -> np.ndarray:
        value = finite(entry.load(), entry.name)
        forget_pages(value)
        return value

    return StoredTensor(
        name=entry.name,
        layer=entry.layer,
        shape=entry.shape,
        dtype=entry.dtype,
        unit_axes=None if decision.skipped else decision.unit_axes,
        skipped=decision.skipped,
        read=read,
        assumed=decision.assumed,
    )


def _split(name: str) -> tuple[str, str]:
    """A name's layer and its last part, of `a/b/kernel:0` and of `a.b.weight`."""
    name = re.sub(r":\d+$", "", name)
    at = max(name.rfind("/"), name.rfind("."))
    return name[: max(at, 0)] or name, name[at + 1 :]


def _check(layout: Any, entries: list[Entry]) -> None:
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


def _given(entry: Entry, layout: Any) -> Decision | None:
    if isinstance(layout, Mapping):
        for pattern, axes in layout.items():
            if re.search(pattern, entry.name):
                return Decision(None, "Said to be no weights by `layout`.") if axes is None else Decision(tuple(axes))
    return None


def _no_weights(entry: Entry) -> Decision | None:
    if not is_float(entry.dtype):
        return Decision(None, f"Codes or counts of type {entry.dtype}, no weights.")
    if not math.prod(entry.shape):
        return Decision(None, f"It is empty, of shape {entry.shape}.")
    if re.match(r"optim", entry.name, re.IGNORECASE):
        return Decision(None, "State of an optimizer, no weights.")
    if len(entry.shape) < 2 or entry.word == "bias":
        return Decision(None, _VECTOR)
    return None


def _unknown(entry: Entry, layout: Any) -> Decision:
    if max(entry.shape) == math.prod(entry.shape):
        return Decision(None, _VECTOR)
    if layout in _LAYOUTS:
        return Decision((-1,) if layout == "keras" else (0,))
    return Decision(
        None,
        f"Which axes of {entry.shape} number the neurons is unknown: pass layout={{{re.escape(entry.name)!r}: (0,)}} "
        "for the first, (-1,) for the last.",
    )


def _by_name(entry: Entry, bias: Axes | None, turned: bool) -> Decision:
    if bias == entry.shape:
        return Decision(None, "Scale or offset of a normalization layer, of the shape of its bias: no weight vectors.")
    if _TORCH.fullmatch(entry.word) and len(entry.shape) <= 5:
        return of_torch(entry.shape, bias, turned) if entry.word == "weight" else Decision((0,))
    if entry.word in _KERNELS:
        return Decision(_KERNELS[entry.word])
    return of_keras(entry.shape, bias) if entry.word == "kernel" else Decision(None)


def _is_turned(shape: Axes, bias: Axes | None) -> bool:
    """Whether only the second axis has as many neurons as the bias."""
    return bias == shape[1:2] and shape[0] != shape[1]


def of_torch(shape: Axes, bias: Axes | None, turned: bool = False) -> Decision:
    """The layout of a `weight` of PyTorch, of rank 2 to 5.

    Args:
        shape: tuple of ints, its shape.
        bias: tuple of ints, the shape of the bias of its layer, or None.
        turned: bool, whether the file holds other matrices of shape (inputs, outputs), as GPT-2 has them.

    Returns:
        `Decision`.
    """
    if _is_turned(shape, bias):
        return Decision((1,))
    if len(shape) == 2:
        open_question = turned and (bias is None or shape[0] == shape[1])
        other = "Taken for (outputs, inputs) as PyTorch's Linear has them, though others of this file are the reverse."
        return Decision((0,), assumed=other if open_question else "")
    if bias is not None and bias != shape[:1]:
        return Decision(
            None,
            f"Its bias has {bias[0] if bias else 1} numbers, as no axis of {shape} has; a transposed convolution in "
            "groups is so, and its weight vectors are no axes of the tensor.",
        )
    if bias is not None and shape[0] != shape[1]:
        return Decision((0,))
    return Decision(
        (0,),
        assumed="Taken for a convolution (filters, inputs, ...); of a transposed one the filters would be axis 1, and "
        "neither shape nor bias tells them apart.",
    )


def of_keras(shape: Axes, bias: Axes | None) -> Decision:
    """The layout of a `kernel` of Keras whose layer is not known.

    Args:
        shape: tuple of ints, its shape, of rank 2 or more.
        bias: tuple of ints, the shape of the bias of its layer, or None.

    Returns:
        `Decision`.
    """
    rank = len(shape)
    if bias and len(bias) < rank and bias == shape[-len(bias) :] and (rank == 2 or shape[-1] != shape[-2]):
        return Decision(tuple(range(-len(bias), 0)))
    if rank == 2:
        return Decision((-1,))
    if bias == shape[-2:-1] and shape[-2] != shape[-1]:
        return Decision((-2,))
    if bias and math.prod(bias) == shape[-2] * shape[-1]:
        return Decision((-2, -1))
    if bias is None and rank > 2 and shape[-1] == 1 < shape[-2]:
        return Decision((-2, -1), assumed="Taken for a depthwise kernel, because it has one output and no bias.")
    return Decision(
        (-1,),
        assumed="Taken for a convolution, whose last axis numbers the filters; transposed, depthwise and attention "
        "kernels have others, and the file does not tell them apart.",
    )
