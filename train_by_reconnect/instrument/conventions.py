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

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.instrument.entries import Decision, Entry
from train_by_reconnect.instrument.file_bytes import is_float
from train_by_reconnect.instrument.layout_argument import check_layout, given_axes, unknown_axes
from train_by_reconnect.instrument.tensors import StoredTensor
from train_by_reconnect.weights.finite import checked

_TORCH = re.compile(r"weight|weight_[ih]h(_l\d+)?(_reverse)?|weight_hr_l\d+(_reverse)?|(in|q|k|v)_proj_weight")
_KERNELS: dict[str, Axes] = {
    "depthwise_kernel": (-2, -1),
    "pointwise_kernel": (-1,),
    "recurrent_kernel": (-1,),
    "embeddings": (0,),
    "embedding": (0,),
    "reverse_embeddings": (-1,),
}
_VECTOR = "A bias, scale or statistic: one number a neuron or channel, no weight vectors."


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
    check_layout(layout, entries)
    biases = {entry.layer: entry.shape for entry in entries if entry.word == "bias"}
    turned = any(
        entry.word == "weight" and len(entry.shape) == 2 and _is_turned(entry.shape, biases.get(entry.layer))
        for entry in entries
    )
    tensors = []
    for entry in entries:
        decision = _no_weights(entry) or given_axes(entry, layout) or known.get(entry.name)
        decision = decision or _by_name(entry, biases.get(entry.layer), turned)
        if decision.unit_axes is None and not decision.skipped:
            is_vector = max(entry.shape) == math.prod(entry.shape)
            decision = Decision(None, _VECTOR) if is_vector else unknown_axes(entry, layout)
        tensors.append(_tensor(entry, decision))
    return tensors


def _tensor(entry: Entry, decision: Decision) -> StoredTensor:
    def read() -> np.ndarray:
        return checked(entry.load(), entry.name)

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
