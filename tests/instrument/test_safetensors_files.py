"""Safetensors: bit for bit what was written, one file and several, and files that are not whole."""

import json

import ml_dtypes
import numpy as np
import pytest
from stored import write_safetensors, write_safetensors_header

from train_by_reconnect import profile
from train_by_reconnect.backend.rows import take_rows
from train_by_reconnect.instrument.sources import open_source
from train_by_reconnect.weights import finite

RANDOM = np.random.default_rng(0)


def test_reads_what_was_written_and_lists_all_of_it(tmp_path):
    arrays = {
        "a.weight": np.arange(6, dtype="float32").reshape(2, 3),
        "a.bias": np.zeros(2, "float32"),
        "b.weight": RANDOM.normal(size=(4, 2)),
        "count": np.array([3]),
        "empty.weight": np.zeros((0, 4), "float32"),
    }
    source = open_source(write_safetensors(tmp_path / "x.safetensors", arrays, {"format": "pt"}))
    assert (source.title, source.kind) == ("x.safetensors", "safetensors file")
    assert [tensor.name for tensor in source.tensors] == list(arrays)
    assert [tensor.name for tensor in source.profiled] == ["a.weight", "b.weight"]
    for tensor in source.profiled:
        np.testing.assert_array_equal(tensor.read(), arrays[tensor.name])
        assert tensor.read().dtype == arrays[tensor.name].dtype
        assert isinstance(tensor.read(), np.memmap)  # the file's own bytes, and no copy


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_fewer_bits_become_float32_exactly(tmp_path, dtype):
    stored = RANDOM.normal(size=(5, 3)).astype(getattr(ml_dtypes, dtype, dtype))
    kind = {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float16": "F16", "bfloat16": "BF16"}[dtype]
    header = {"a.weight": {"dtype": kind, "shape": [5, 3], "data_offsets": [0, stored.nbytes]}}
    path = write_safetensors_header(tmp_path / "x.safetensors", json.dumps(header).encode(), stored.tobytes())
    [tensor] = open_source(path).profiled
    assert tensor.dtype == dtype
    assert isinstance(tensor.read(), np.memmap)  # of as few bits as in the file
    rows = take_rows(tensor.read(), (0,), slice(None))
    assert rows.dtype == "float32"
    np.testing.assert_array_equal(rows, stored.astype("float32"))


def test_every_kernel_of_a_mapped_file_is_profiled(tmp_path):
    arrays = {
        f"{word}.weight": RANDOM.normal(size=shape).astype("float32")
        for word, shape in (("a", (9, 7)), ("b", (300, 7)))
    }
    found = profile(write_safetensors(tmp_path / "x.safetensors", arrays), n_draws=2)
    assert [kernel.name for kernel in found.kernels] == list(arrays)
    assert not found.skipped


def test_a_type_of_the_future_is_listed_with_a_reason(tmp_path):
    header = b'{"a.weight": {"dtype": "F4", "shape": [2, 2], "data_offsets": [0, 2]}}'
    [tensor] = open_source(write_safetensors_header(tmp_path / "x.safetensors", header, b"12")).tensors
    assert "F4" in tensor.skipped


def sharded(folder):
    write_safetensors(folder / "1.safetensors", {"a.weight": np.ones((2, 3), "float32")})
    write_safetensors(folder / "2.safetensors", {"b.weight": np.zeros((3, 2), "float32")})
    index = folder / "model.safetensors.index.json"
    index.write_text('{"metadata": {}, "weight_map": {"a.weight": "1.safetensors", "b.weight": "2.safetensors"}}')
    return index


def test_an_index_joins_its_files(tmp_path):
    source = open_source(sharded(tmp_path))
    assert [(tensor.name, tensor.shape) for tensor in source.profiled] == [("a.weight", (2, 3)), ("b.weight", (3, 2))]
    assert source.profiled[0].read().sum() == 6


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2.safetensors", "3.safetensors", "no 3.safetensors"),
        ("2.safetensors", "../2.safetensors", "files beside it"),
        ("b.weight", "c.weight", "c.weight is not in it"),
        ("weight_map", "map", "weight_map"),
        ("}}", "", "weight_map"),
    ],
)
def test_refuses_an_index_that_does_not_fit(tmp_path, old, new, message):
    index = sharded(tmp_path)
    index.write_text(index.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        open_source(index)


@pytest.mark.parametrize(
    "header",
    [
        b"no JSON",
        b"[]",
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',  # 8 bytes are needed
        b'{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}',  # the file has 8
        b'{"a": {"dtype": "F32", "shape": [1000000000000], "data_offsets": [0, 4000000000000]}}',
        b'{"a": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}}',
        b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}',
        b'{"a": {"dtype": "F32", "shape": "2", "data_offsets": [0, 8]}}',
        b'{"a": {"dtype": "F32"}}',
        b'{"a": 5}',
    ],
)
def test_refuses_a_header_that_does_not_fit_its_file(tmp_path, header):
    path = write_safetensors_header(tmp_path / "x.safetensors", header, bytes(8))
    with pytest.raises(ValueError, match=r"x.safetensors must be .* Received: .* again."):
        open_source(path)


def test_refuses_a_header_longer_than_the_file_before_reading_it(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    with pytest.raises(ValueError, match="declares a header of 1,099,511,627,776"):
        open_source(path)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("piece", [1, 4, 100])  # weights that are looked at together
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_none_are_said_when_read(tmp_path, monkeypatch, wrong, piece, dtype):
    monkeypatch.setattr(finite, "_PIECE", piece)
    array = np.ones((2, 3), dtype)
    array[1, 1] = wrong
    [tensor] = open_source(write_safetensors(tmp_path / "x.safetensors", {"a.weight": array})).profiled
    with pytest.raises(ValueError, match=r"a.weight must be finite. Received: 1 of 6"):
        tensor.read()
