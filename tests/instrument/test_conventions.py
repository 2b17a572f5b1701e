"""The table of names and shapes, each row by hand, and what a file leaves open."""

import numpy as np
import pytest

from train_by_reconnect.instrument.conventions import describe_entries
from train_by_reconnect.instrument.entries import Entry


def described(layout=None, dtype="float32", **shapes):
    """Of tensors by name, with `__` for a dot."""
    entries = [Entry(name.replace("__", "."), shape, dtype, lambda: np.zeros(0)) for name, shape in shapes.items()]
    return {tensor.name: tensor for tensor in describe_entries(entries, layout)}


@pytest.mark.parametrize(
    ("word", "shape", "bias", "unit_axes", "units"),
    [
        ("weight", (5, 7), None, (0,), 5),  # Linear of 7 inputs
        ("weight", (5, 7), (5,), (0,), 5),
        ("weight", (7, 5), (5,), (1,), 5),  # Conv1D of GPT-2
        ("weight", (8, 3, 3, 3), (8,), (0,), 8),  # Conv2d
        ("weight", (8, 1, 9), (8,), (0,), 8),  # Conv1d, depthwise
        ("weight", (3, 8, 3, 3), (8,), (1,), 8),  # ConvTranspose2d
        ("weight_ih_l0", (20, 7), None, (0,), 20),  # LSTM of 5 units: 4 gates
        ("weight_hh_l1_reverse", (20, 5), None, (0,), 20),
        ("in_proj_weight", (12, 4), None, (0,), 12),
        ("kernel", (7, 5), (5,), (-1,), 5),  # Dense
        ("kernel", (5, 5), (5,), (-1,), 5),
        ("kernel", (3, 3, 4, 8), (8,), (-1,), 8),  # Conv2D
        ("kernel", (3, 3, 8, 4), (8,), (-2,), 8),  # Conv2DTranspose
        ("kernel", (3, 3, 4, 2), (8,), (-2, -1), 8),  # DepthwiseConv2D of 4 channels, each with 2
        ("kernel", (6, 2, 3), (2, 3), (-2, -1), 6),  # query of attention: 2 heads of 3
        ("kernel", (2, 3, 6), (6,), (-1,), 6),  # its output
        ("depthwise_kernel", (3, 3, 4, 2), None, (-2, -1), 8),
        ("embeddings", (100, 7), None, (0,), 100),
    ],
)
def test_axes_by_name_and_bias(word, shape, bias, unit_axes, units):
    tensors = described(**{f"a__{word}": shape}, **({"a__bias": bias} if bias else {}))
    kernel = tensors[f"a.{word}"]
    assert (kernel.unit_axes, kernel.units, kernel.skipped, kernel.assumed) == (unit_axes, units, "", "")
    assert not bias or "bias" in tensors["a.bias"].skipped


@pytest.mark.parametrize(
    ("word", "shape", "bias", "unit_axes", "said"),
    [
        ("weight", (8, 3, 3, 3), None, (0,), "transposed"),  # before a BatchNorm
        ("weight", (8, 8, 3, 3), (8,), (0,), "transposed"),
        ("kernel", (3, 3, 4, 8), None, (-1,), "transposed"),
        ("kernel", (3, 3, 8, 1), None, (-2, -1), "depthwise"),
    ],
)
def test_what_is_taken_for_granted_is_said(word, shape, bias, unit_axes, said):
    kernel = described(**{f"a__{word}": shape}, **({"a__bias": bias} if bias else {}))[f"a.{word}"]
    assert kernel.unit_axes == unit_axes
    assert said in kernel.assumed


def test_a_square_matrix_beside_reversed_ones_is_in_doubt():
    tensors = described(a__weight=(7, 5), a__bias=(5,), b__weight=(5, 5), b__bias=(5,))
    assert "reverse" in tensors["b.weight"].assumed


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "reason"),
    [
        ("a__bias", (5,), "float32", "bias"),
        ("a__running_mean", (5,), "float32", "statistic"),
        ("a__cls_token", (1, 1, 9), "float32", "statistic"),  # a vector, whatever its rank
        ("a__weight", (5, 7), "int8", "int8"),
        ("a__weight", (5, 7), "complex64", "complex64"),
        ("a__weight", (0, 7), "float32", "empty"),
        ("optimizer__state__weight", (5, 7), "float32", "optimizer"),
        ("a__position", (9, 7), "float32", r"layout={'a\\.position': (0,)}"),
        ("a__weight", (2, 2, 2, 2, 2, 2), "float32", "unknown"),
    ],
)
def test_what_has_no_profile_says_why(name, shape, dtype, reason):
    [tensor] = described(dtype=dtype, **{name: shape}).values()
    assert tensor.unit_axes is None
    assert reason.replace("\\\\", "\\") in tensor.skipped.replace("\\\\", "\\")


def test_normalization_of_rank_2_and_transposed_groups():
    tensors = described(a__weight=(4, 6), a__bias=(4, 6), b__weight=(8, 3, 3, 3), b__bias=(6,))
    assert "normalization" in tensors["a.weight"].skipped
    assert "groups" in tensors["b.weight"].skipped  # 8 inputs in 2 groups, 3 filters each


def test_layout_says_what_the_file_does_not():
    shapes = {"a__position": (9, 7), "a__weight": (5, 7)}
    assert described("torch", **shapes)["a.position"].unit_axes == (0,)
    assert described("keras", **shapes)["a.position"].unit_axes == (-1,)
    given = described({"position": (-1,), "weight": None}, **shapes)
    assert given["a.position"].unit_axes == (-1,)
    assert "layout" in given["a.weight"].skipped


@pytest.mark.parametrize(
    ("layout", "message"),
    [("mxnet", "Received: layout='mxnet'"), ({"none": (0,)}, "no name matches"), ({"weight": (2,)}, r"\(5, 7\)")],
)
def test_refuses_a_layout_that_does_not_fit(layout, message):
    with pytest.raises(ValueError, match=message):
        described(layout, a__weight=(5, 7))
