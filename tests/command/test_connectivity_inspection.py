"""What `inspect` says of a connectivity file."""

import math
import sys

import keras
import numpy as np
import pytest

from scripts.__main__ import main as main_of_scripts
from train_by_reconnect import (
    connectivity_model,
    draw_initial_weights,
    save_connectivity,
    save_connectivity_update,
)
from train_by_reconnect.command.main import main
from train_by_reconnect.connectivity_files.sizes import file_sizes


@pytest.fixture
def network():
    layers = [keras.layers.Dense(8, name="first"), keras.layers.Dense(4, name="second")]
    return keras.Sequential([keras.Input((30,)), *layers], name="net")


@pytest.fixture
def saved(network, tmp_path):
    draw_initial_weights(network, "lecun_uniform", seed=7)
    kernel = network.get_layer("first").kernel
    kernel.assign(np.random.default_rng(0).permuted(keras.ops.convert_to_numpy(kernel), axis=0))
    save_connectivity(network, tmp_path / "net.tbr")
    return tmp_path / "net.tbr"


def lines_of(capsys, *arguments, of=main):
    assert not of([*map(str, arguments)])
    return capsys.readouterr().out.splitlines()


def test_bounds_by_hand(saved):
    # Eight weight vectors of 30 different values: 8 log2(30!) bits; the second kernel is as it was drawn.
    first, bias, second, _ = file_sizes(saved).parts
    assert first.bound == pytest.approx(8 * math.lgamma(31) / math.log(2))
    assert (bias.bytes, bias.bound) == (32, 256)
    assert (second.bytes, second.bound) == (0, 0)
    sizes = file_sizes(saved)
    # The start is 12 bytes, each of five sections has 12 before it, and the checksum has 32.
    assert sum(sizes.sections.values()) + 12 + 5 * 12 + 32 == sizes.total == saved.stat().st_size


def test_bounds_of_masks_by_hand(network, tmp_path):
    rule = draw_initial_weights(network, "signed_constant", seed=7)
    model = connectivity_model(network, "prune", seed=0)
    model.layers[0].scores[0].assign(np.where(np.arange(240).reshape(30, 8) < 60, -1.0, 1.0))
    save_connectivity(model, tmp_path / "a.tbr", rule)
    first = file_sizes(tmp_path / "a.tbr").parts[0]
    # A quarter masked: the entropy is 1/4 log2 4 + 3/4 log2 4/3 = 0.811 bits a weight.
    assert first.bound == pytest.approx(240 * (0.25 * 2 + 0.75 * math.log2(4 / 3)), rel=0.02)


@pytest.mark.parametrize("command", [main, main_of_scripts])
def test_what_is_said(command, saved, capsys):
    # 30 * 8 + 8 + 8 * 4 + 4 = 284 weights, 1,136 bytes of float32.
    lines = lines_of(capsys, "inspect", saved, of=command)
    assert lines[0].startswith("net.tbr: Sequential 'net', 284 weights in ")
    assert lines[1].startswith("version 2 of the format, codec ")
    assert lines[2].startswith("initial weights: the rule lecun_uniform with seed 7")
    assert [line.split()[:3] for line in lines[4:9]] == [
        ["variable", "stored", "as"],
        ["net/first/kernel", "permuted", "30x8"],
        ["net/first/bias", "array", "8"],
        ["net/second/kernel", "initial", "8x4"],
        ["net/second/bias", "array", "4"],
    ]
    assert lines[10].startswith("connectivity: ")
    assert "connectivity " in lines[11]
    assert lines[12].startswith("the weights as they are in memory: 1,136 bytes")
    assert lines[13].startswith("the .keras file, zipped: ")
    assert len(lines) == 15


def test_other_sources_of_initial_weights(network, tmp_path, capsys):
    save_connectivity(network, tmp_path / "start.tbr", "stored")
    save_connectivity(network, tmp_path / "a.tbr", tmp_path / "start.tbr")
    assert lines_of(capsys, "inspect", tmp_path / "start.tbr")[2].endswith(
        "their sorted weight vectors are in the file"
    )
    assert "in the file start.tbr, SHA-256" in lines_of(capsys, "inspect", tmp_path / "a.tbr")[2]
    moved = (tmp_path / "start.tbr").rename(tmp_path / "moved.tbr")
    assert main(["inspect", str(tmp_path / "a.tbr")]) == 1
    assert "needs the initial weights in start.tbr" in capsys.readouterr().err
    assert "start.tbr" in lines_of(capsys, "inspect", tmp_path / "a.tbr", "--reference", moved)[2]


def test_an_update(network, saved, tmp_path, capsys):
    before = saved.rename(tmp_path / "before.tbr")
    kernel = network.get_layer("first").kernel
    value = keras.ops.convert_to_numpy(kernel).copy()
    value[:2, 0] = value[1::-1, 0]
    kernel.assign(value)
    network.get_layer("second").bias.assign([1.0, 2.0, 3.0, 4.0])
    save_connectivity(network, tmp_path / "after.tbr")
    save_connectivity_update(before, tmp_path / "after.tbr", tmp_path / "a.tbu", codec="packed")
    lines = lines_of(capsys, "inspect", tmp_path / "a.tbu")
    assert lines[0].startswith("a.tbu: an update of a connectivity file, ")
    assert lines[0].endswith("which changes 2 variables")
    assert lines[2].startswith("from the network ")
    # 240 places in 30 bytes after 8 with their number, and one byte for the order of two; four float32.
    assert [line.split() for line in lines[5:7]] == [
        ["net/first/kernel", "moved", "30x8", "39", "1.300"],
        ["net/second/bias", "array", "4", "16", "32.000"],
    ]
    assert main(["inspect", str(tmp_path / "a.tbu"), "--picture", str(tmp_path / "a.png")]) == 1
    assert "not of updates" in capsys.readouterr().err


def test_a_picture(saved, tmp_path, capsys):
    out = tmp_path / "bits.svg"
    assert lines_of(capsys, "inspect", saved, "--picture", out)[-1] == str(out)
    text = out.read_text()
    assert text.count("<svg") == 1
    assert "net/first/kernel (permuted)" in text  # in a comment before the paths that draw it


def test_what_is_refused(saved, tmp_path, capsys, monkeypatch):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.save(tmp_path / "a.keras")
    for arguments, said in {
        (saved, "--picture", "a.doc"): "must end with .png",
        (tmp_path / "a.keras", "--picture", "a.png"): "are for connectivity files",
    }.items():
        assert main(["inspect", *map(str, arguments)]) == 1
        assert said in capsys.readouterr().err
    monkeypatch.delitem(sys.modules, "train_by_reconnect.command.draw_sizes", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["inspect", str(saved), "--picture", str(tmp_path / "a.png")]) == 1
    assert 'pip install "train-by-reconnect[plot]"' in capsys.readouterr().err
    saved.write_bytes(saved.read_bytes()[:-1])
    assert main(["inspect", str(saved)]) == 1
    assert "It was cut" in capsys.readouterr().err
