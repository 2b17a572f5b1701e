import functools
import json
import math

import keras
import numpy as np
import pytest

from scripts.__main__ import main
from scripts.profiles import draw_training
from scripts.running.files import read_csv, records


@pytest.fixture
def saved(tmp_path):
    """A file with a network: 8 filters of 27 weights, 4 units of 288."""
    layers = [keras.layers.Conv2D(8, 3, name="first"), keras.layers.Flatten(), keras.layers.Dense(4, name="second")]
    keras.Sequential([keras.Input((8, 8, 3)), *layers], name="small").save(tmp_path / "small.keras")
    return tmp_path / "small.keras"


def command(*arguments):
    return main(["weight_profiles", *map(str, arguments)])


def test_a_network_in_a_file(saved, tmp_path, capsys):
    assert command("--model", saved, "--out", tmp_path / "out", "--steps") == 0
    names = ["small.png", "small_pair.png", "small_steps.png", "small.csv"]
    assert capsys.readouterr().out.split() == [str(tmp_path / "out" / name) for name in names]
    for name in names[:3]:
        assert (tmp_path / "out" / name).stat().st_size > 10_000
    rows = read_csv(tmp_path / "out" / "small.csv")
    # 3 x 3 x 3 = 27 weights for each of 8 filters; 6 x 6 x 8 = 288 for each of 4 units
    assert [(row["layer"], row["shape"], row["units"], row["size"]) for row in records(rows)] == [
        ("first", "3x3x3x8", 8, 27),
        ("second", "288x4", 4, 288),
    ]
    assert rows["plain"].between(0, 1, inclusive="right").all()


def test_the_options_of_the_other_command(saved, tmp_path, capsys):
    model = keras.models.load_model(saved)
    model.get_layer("first").kernel.assign(np.zeros((3, 3, 3, 8)))
    model.save(tmp_path / "zeros.keras")
    out = ["--out", tmp_path / "out"]
    assert command("--model", saved, "--against", tmp_path / "zeros.keras", *out, "--fail-if", "zeros_second>0") == 2
    found = capsys.readouterr().out.splitlines()
    assert found[0] == str(tmp_path / "out" / "small_against.png")
    assert found[-1] == "fails: first/kernel: zeros_second is 1, which is > 0"
    page = ["--html", tmp_path / "page.html", "--draws", 2, "--fail-if", "plain>2"]
    assert command("--model", saved, *out, *page, "--no-scores") == 0
    names = [out[1] / "small.png", out[1] / "small_pair.png", tmp_path / "page.html"]
    assert capsys.readouterr().out.split() == [str(name) for name in names]


def test_weights_without_a_model(tmp_path, capsys):
    # The head is JSON behind its length in 8 bytes; then 3 x 2 float32 numbers.
    head = json.dumps({"fc.weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}}).encode()
    weights = np.arange(6, dtype="<f4").tobytes()
    (tmp_path / "torch.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + weights)
    arguments = ["--model", tmp_path / "torch.safetensors", "--out", tmp_path / "out", "--draws", 1]
    assert command(*arguments, "--fail-if", "units>=3") == 2
    picture, _, row, *_, met = capsys.readouterr().out.splitlines()
    assert picture == str(tmp_path / "out" / "torch.png")
    assert row.split()[:4] == ["fc.weight", "3", "x", "2"]
    assert met == "fails: fc.weight: units is 3, which is >= 3"


def test_weights_of_keras_without_their_model(saved, tmp_path, capsys):
    keras.models.load_model(saved).save_weights(tmp_path / "x.weights.h5")
    assert command("--model", tmp_path / "x.weights.h5", "--out", tmp_path / "out", "--draws", 1) == 0
    assert "HDF5 file, weights of Keras 3" in capsys.readouterr().out


def test_a_named_network_and_a_layer_of_it(tmp_path, capsys):
    arguments = ["--model", "mobilenet", "--weights", "random", "--alpha", "0.25", "--no-top", "--no-scores"]
    shape = ["--input-shape", "32", "32", "3", "--format", "svg", "--name", "a"]
    assert command(*arguments, *shape, "--layer", "conv_pw_1", "--out", tmp_path) == 0
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["a.svg", "a_pair.svg"]
    assert (tmp_path / "a_pair.svg").stat().st_size < 500_000
    assert "profiles" not in capsys.readouterr().out  # the bar is for people who watch


def test_published_weights(pretrained_directory, tmp_path):
    arguments = ["--model", "Conv7", "--weights", pretrained_directory, "--no-scores", "--out", tmp_path]
    assert command(*arguments, "--layer", "conv1/kernel") == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_random_weights_are_those_of_the_seed(monkeypatch, tmp_path, capsys):
    drawn, f1 = [], ["--model", "f1", "--weights", "random", "--no-scores", "--out", tmp_path]
    monkeypatch.setattr("scripts.profiles.command.draw_pair", lambda figure, profile: drawn.append(profile.unsorted))
    for seed in (1, 1, 2):
        assert command(*f1, "--seed", seed, "--force") == 0
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    # What lies there may be of other weights: it is replaced only if that is asked for.
    assert command(*f1) == 1
    assert "Received: f1.png, f1_pair.png. Choose another --name or --out" in capsys.readouterr().err
    assert len(drawn) == 3


def test_bad_input_is_one_sentence_and_exit_1(saved, tmp_path, capsys):
    broken = keras.models.load_model(saved)
    broken.get_layer("first").kernel.assign(np.full((3, 3, 3, 8), math.nan))
    broken.save(tmp_path / "nan.keras")
    keras.Sequential([keras.Input((4,)), keras.layers.ReLU()]).save(tmp_path / "empty.keras")
    (tmp_path / "text.keras").write_text("no")
    for arguments, said in {
        ("--model", "VGG61"): "VGG16",
        ("--model", tmp_path / "text.keras"): "must be a model",
        ("--model", tmp_path / "nan.keras"): "NaN",
        ("--model", tmp_path / "empty.keras"): "must have a kernel",
        ("--model", saved, "--layer", "third"): "third",
        ("--model", saved, "--alpha", "0.5"): "alpha=0.5",
        ("--model", "MobileNet", "--weights", saved, "--alpha", "0.25"): "must hold the weights of MobileNet",
        ("--model", "f1", "--out", saved): "must be writable",
        ("--train", "--layer", "third", "--epochs", "1"): "third",
    }.items():
        assert command("--out", tmp_path / "out", *arguments) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: "), arguments
        assert said in error
        assert "Received" in error
        assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_model_or_train_is_required():
    with pytest.raises(SystemExit):
        command()


@pytest.mark.slow
def test_a_training_from_start_to_end(tmp_path, monkeypatch):
    recordings = []

    def record(*arguments, **more):
        recordings.extend(draw_training_record(*arguments, **more))
        return recordings

    draw_training_record = draw_training.record
    monkeypatch.setattr(draw_training, "record", record)
    monkeypatch.setattr(draw_training, "animate", functools.partial(draw_training.animate, frames=3))
    assert command("--train", "--layer", "conv1", "--epochs", "1", "--out", tmp_path) == 0
    assert (tmp_path / "training.png").stat().st_size > 10_000
    assert (tmp_path / "training.gif").read_bytes()[:6] == b"GIF89a"
    adam, laperm = recordings
    assert adam.steps == laperm.steps == [0, 5, 10, 15, 20, 25, 30, 35, 40]
    np.testing.assert_array_equal(adam.rows[0], laperm.rows[0])
    profiles = [np.sort(rows, axis=1) for rows in laperm.rows]
    same = [np.array_equal(profile, profiles[0]) for profile in profiles]
    assert same == [True, False, False, False, True, False, False, False, True]  # synchronized at 20 and 40
    assert not np.array_equal(np.sort(adam.rows[-1], axis=1), np.sort(adam.rows[0], axis=1))
