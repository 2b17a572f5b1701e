"""The command of the library: what it says of a model that was made by hand, and what it refuses."""

import io
import subprocess
import sys
import types

import keras
import numpy as np
import pytest

from train_by_reconnect import LaPerm, Masked, SignedConstant, connectivity_model
from train_by_reconnect.command.main import main
from train_by_reconnect.command.progress import on_terminal


@pytest.fixture
def saved(tmp_path):
    """A file with a network of 8 filters of 27 weights and 4 units of 288, trained for three steps with LaPerm."""
    layers = [keras.layers.Conv2D(8, 3, name="first"), keras.layers.Flatten(), keras.layers.Dense(4, name="second")]
    model = keras.Sequential([keras.Input((8, 8, 3)), *layers], name="small")
    model.compile(LaPerm("sgd", sync_period=2, final_sync=False), "mse")
    x, y = np.random.default_rng(0).normal(size=(12, 8, 8, 3)), np.zeros((12, 4))
    model.fit(x, y, batch_size=4, verbose=0)
    kernel = keras.ops.convert_to_numpy(model.get_layer("second").kernel).copy()
    kernel[:100, 0] = 0.0
    model.get_layer("second").kernel.assign(kernel)
    model.save(tmp_path / "small.keras")
    return tmp_path / "small.keras"


def lines_of(capsys, *arguments):
    assert main([*map(str, arguments)]) == 0
    return capsys.readouterr().out.splitlines()


def test_inspect_by_hand(saved, capsys):
    # 3 x 3 x 3 x 8 = 216 weights and 8 biases; 6 x 6 x 8 = 288 times 4 = 1,152 and 4: 1,380. No bias
    # is zero once it is trained; 100 zeros of 1,380 are 7.2 %. log10 of 27!^8 * 288!^4: 8 * 28.04 + 4 * 584.86.
    found = lines_of(capsys, "inspect", saved)
    assert found[0] == "small.keras: Sequential 'small', 3 layers, 1,380 weights, 100 of them zero (7.2 %)"
    assert [line.split() for line in found[2:7]] == [
        ["variable", "kind", "shape", "vectors", "x", "weights", "zeros"],
        ["first/kernel", "kernel", "3x3x3x8", "8", "x", "27", "0"],
        ["first/bias", "bias", "8", "-", "0"],
        ["second/kernel", "kernel", "288x4", "4", "x", "288", "100"],
        ["second/bias", "bias", "4", "-", "0"],
    ]
    assert found[8:] == [
        "layers: 1 Conv2D, 1 Flatten, 1 Dense",
        "masks and signs: none",
        "LaPerm: around SGD, sync_period=2, after 3 steps, with the initial weights",
        "arrangements of the weights: 10^2,563.7",
    ]


def test_inspect_of_masks_and_of_another_optimizer(tmp_path, capsys):
    layers = [keras.layers.Dense(2, kernel_initializer=SignedConstant(0.5), name="only")]
    model = connectivity_model(keras.Sequential([keras.Input((3,)), *layers]), Masked)
    model.compile("adam", "mse")
    model.save(tmp_path / "masked.keras")
    found = lines_of(capsys, "inspect", tmp_path / "masked.keras")
    assert found[-3:] == [
        "masks and signs: 1 Masked",
        "LaPerm: no, the optimizer is Adam",
        "arrangements of the weights: the kernels are fixed, and scores are trained",
    ]


def test_a_model_without_an_optimizer(tmp_path, capsys):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(tmp_path / "plain.keras")
    found = lines_of(capsys, "inspect", tmp_path / "plain.keras")
    assert found[-2:] == ["LaPerm: the file holds no optimizer that can be read", "arrangements of the weights: 10^1.6"]


def test_scores_of_a_file(saved, capsys):
    head, first, second, gap, *said = lines_of(capsys, "profiles", saved, "--draws", 19)
    assert head.split()[:3] == ["kernel", "vectors", "plain"]
    assert first.split()[:4] == ["first/kernel", "8", "x", "27"]
    assert 0 < float(second.split()[4]) <= 1
    assert "more alike" in second or "less alike" in second or "not told apart" in second
    assert gap == ""
    # 8 x 27 + 4 x 288 weights; the two biases are no kernels.
    assert "2 of 4 tensors are kernels that were profiled, with 1,368 weights" in said[0]
    assert said[1].startswith("Not profiled: first/bias, second/bias.")
    assert "Each null was drawn 19 times" in said[0]


def test_page_table_and_conditions(saved, tmp_path, capsys):
    page, csv = tmp_path / "page.html", tmp_path / "scores.csv"
    arguments = ["profiles", str(saved), "--draws", "2", "--html", str(page), "--csv", str(csv), "--no-scores"]
    assert main([*arguments, "--fail-if", "plain<0.01", "--fail-if", "units > 8"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(page), str(csv)]
    assert page.read_text().count("<svg") == 2
    assert csv.read_text().splitlines()[1].startswith("first/kernel,first,3x3x3x8,float32,8,27,8,0,")
    # 8 filters of 27 weights, 4 units of 288: the first meets one condition, both meet the other.
    assert main([*arguments, "--fail-if", "units>=8", "--fail-if", "plain<=1"]) == 2
    found = capsys.readouterr().out.splitlines()
    assert found[3] == "fails: first/kernel: units is 8, which is >= 8"
    assert [line.split()[1] for line in found[3:]] == ["first/kernel:", "first/kernel:", "second/kernel:"]


def test_how_far_it_is_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    named = [types.SimpleNamespace(name=name) for name in "ab"]
    assert list(on_terminal([named[0], (named[1], named[0])])) == [named[0], (named[1], named[0])]
    assert [line.strip() for line in terminal.getvalue().split("\r")] == ["", "1 of 2: a", "2 of 2: b", "", ""]


def test_two_models_beside_each_other(saved, tmp_path, capsys):
    model = keras.models.load_model(saved, compile=False)
    kernel = keras.ops.convert_to_numpy(model.get_layer("first").kernel)
    model.get_layer("first").kernel.assign(-kernel)
    model.save(tmp_path / "other.keras")
    arguments = ["profiles", str(saved), "--against", str(tmp_path / "other.keras"), "--csv", str(tmp_path / "d.csv")]
    assert main([*arguments, "--fail-if", "sign_flips>0.5"]) == 2
    found = capsys.readouterr().out.splitlines()
    assert found[0] == str(tmp_path / "d.csv")
    assert found[1].split()[:4] == ["kernel", "vectors", "profile", "distance"]
    assert found[-1] == "fails: first/kernel: sign_flips is 1, which is > 0.5"
    assert main([*arguments, "--html", "a.html"]) == 1
    assert "`--html` is of one model" in capsys.readouterr().err


def test_the_picture_of_a_named_network(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    network = ["mobilenet", "--weights", "random", "--with", "alpha=0.25", "include_top=False", "input_shape=(32,32,3)"]
    found = lines_of(capsys, "profiles", *network, "--no-scores", "--picture", tmp_path / "mobile.png")
    assert found == [str(tmp_path / "mobile.png")]
    assert (tmp_path / "mobile.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "mobile.png").stat().st_size > 10_000


def test_bad_input_is_one_sentence_and_exit_1(saved, tmp_path, capsys):
    (tmp_path / "text.keras").write_text("no")
    for arguments, said in {
        ("inspect", tmp_path / "none.keras"): "There is no such file",
        ("inspect", tmp_path / "text.keras"): "must be a model",
        ("profiles", "VGG61"): "VGG16",
        ("profiles", "mobilenet", "--with", "alpha"): "takes NAME=VALUE",
        ("profiles", "mobilenet", "--weights", "random", "--with", "beta=1"): "Received: beta",
        ("profiles", saved, "--picture", "a.doc"): "must end with .png",
        ("profiles", saved, "--fail-if", "plian<0.5"): "Did you mean plain",
        ("profiles", saved, "--fail-if", "plain=0.5"): "takes a column, one of <, <=, >, >= and a number",
        ("profiles", saved, "--weights", "random"): "already says all about the network",
        ("profiles", saved, "--draws", -1): "must be at least 0",
    }.items():
        assert main([*map(str, arguments)]) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert said in error
        assert "Received" in error
        assert error.count("\n") == 1


def test_without_matplotlib_the_table_is_printed_and_a_picture_refused(saved, tmp_path, monkeypatch, capsys):
    for name in ("draw_sheets", "pictures"):
        monkeypatch.delitem(sys.modules, f"train_by_reconnect.instrument.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert lines_of(capsys, "profiles", saved)[1].startswith("first/kernel")
    assert main(["profiles", str(saved), "--picture", str(tmp_path / "a.png")]) == 1
    assert 'pip install "train-by-reconnect[plot]"' in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_nothing_of_the_backends_start_reaches_the_user(saved):
    code = "import sys, train_by_reconnect_start as start; sys.exit(start.main())"
    done = subprocess.run([sys.executable, "-c", code, "inspect", str(saved)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("small.keras: ")
