"""The page about connectivity files: its example runs, and a reader made from its words alone reads what is written."""

import hashlib
import json
import pathlib
import re
import struct
import zlib

import keras
import numpy as np

from train_by_reconnect import draw_initial_weights, save_connectivity

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "connectivity_files.md"


def test_the_example_runs_as_printed(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(code, found)
    for one, other in zip(found["model"].get_weights(), found["loaded"].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_format_by_its_description(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, bias_initializer="ones")])
    draw_initial_weights(model, "glorot_uniform", seed=5)
    save_connectivity(model, tmp_path / "a.tbr")
    data = (tmp_path / "a.tbr").read_bytes()
    assert data[:8] == bytes.fromhex("89 54 42 52 0D 0A 1A 0A")
    assert struct.unpack("<HH", data[8:12]) == (1, 5)
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
