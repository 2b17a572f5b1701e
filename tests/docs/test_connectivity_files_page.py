"""The page about connectivity files: its example runs, and a reader made from its words alone reads what is written."""

import hashlib
import importlib
import json
import pathlib
import re
import struct
import zlib

import keras
import numpy as np
import pytest

from train_by_reconnect import draw_initial_weights, save_connectivity
from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.container import read_container

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "connectivity_files.md"


def test_the_example_runs_as_printed(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found = {}
    for code, (one, other) in zip(blocks, [("model", "loaded"), ("loaded", "updated")], strict=True):
        exec(code, found)
        for first, second in zip(found[one].get_weights(), found[other].get_weights(), strict=True):
            np.testing.assert_array_equal(first, second)


def test_the_format_by_its_description(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, bias_initializer="ones")])
    draw_initial_weights(model, "glorot_uniform", seed=5)
    save_connectivity(model, tmp_path / "a.tbr")
    data = (tmp_path / "a.tbr").read_bytes()
    assert data[:8] == bytes.fromhex("89 54 42 52 0D 0A 1A 0A")
    assert struct.unpack("<HH", data[8:12]) == (2, 5)
    sections, place = {}, 12 + 5 * 12
    for number in range(5):
        tag, length = struct.unpack_from("<4sQ", data, 12 + 12 * number)
        sections[tag.decode()] = data[place : place + length]
        place += length
    assert data[place:] == hashlib.sha256(data[:place]).digest()
    head, architecture = (json.loads(zlib.decompress(sections[tag][4:])) for tag in ("HEAD", "ARCH"))
    assert architecture["class_name"] == "Sequential"
    assert head["initial"]["seed"] == 5
    kernel, bias = head["entries"]
    assert (kernel["how"], kernel["axes"], bias["how"]) == ("initial", [1], "array")
    assert np.frombuffer(sections["ARRS"], "<f4").tolist() == [1, 1]
    weights = b"".join(np.ascontiguousarray(each).tobytes() for each in model.get_weights())
    assert head["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    first = hashlib.sha256(np.ascontiguousarray(model.get_weights()[0]).tobytes()).hexdigest()
    assert kernel["initial"] == first[:16]


@pytest.mark.skipif(default_codec() != "range", reason="constriction is not installed")
def test_the_order_of_a_weight_vector_by_its_description(tmp_path):
    model = keras.Sequential([keras.Input((600,)), keras.layers.Dense(1, use_bias=False)])
    draw_initial_weights(model, "glorot_uniform", seed=5)
    in_order = np.sort(model.get_weights()[0][:, 0])
    assert len(set(in_order)) == 600
    kernel = np.random.default_rng(0).permutation(in_order)
    model.set_weights([kernel[:, None]])
    save_connectivity(model, tmp_path / "a.tbr")
    block = bytes(read_container(tmp_path / "a.tbr")["CONN"])
    words = np.frombuffer(block[4:], "<u4").astype(np.uint32)
    stream = importlib.import_module("constriction").stream
    coder, below = stream.queue.RangeDecoder(words), stream.model.Uniform()
    part_of = [coder.decode(below, np.array([3], np.int32))[0] for _ in range(600)]  # 600 / 256, rounded up
    found = np.zeros(600, "float32")
    for part in range(3):
        values = in_order[[i * 3 // 600 == part for i in range(600)]].tolist()
        limits = range(2, len(values) + 1)
        swaps = [coder.decode(below, np.array([limit], np.int32))[0] for limit in limits]
        for top, place in enumerate(swaps, start=1):
            values[top], values[place] = values[place], values[top]
        found[[each == part for each in part_of]] = values
    assert found.tolist() == kernel.tolist()
