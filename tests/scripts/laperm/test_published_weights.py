"""Networks that others have trained, and where they stand beside ours."""

import dataclasses

import pytest
from hand_made_runs import curve

from scripts.experiment import find, trainings_of
from scripts.laperm.published_weights import PublishedWeights, published_network
from scripts.laperm.settings import resnet50
from scripts.running.files import read_csv, write_csv, write_json
from scripts.running.runner import Options, folder_of, run


def test_they_take_the_same_path(tmp_path, data_directory, pretrained_directory):
    for source in (data_directory / "mnist.npz", pretrained_directory / "F1.h5"):
        (tmp_path / source.name).symlink_to(source)
    training, folder = published_network("F1"), tmp_path / "run"
    summary = run(training, 0, folder, Options(data=tmp_path, progress=False))
    assert summary["test_accuracy"] == pytest.approx(0.8546, abs=5e-5)
    assert summary["test_images"] == 10_000
    assert abs(summary["train_accuracy"] - summary["test_accuracy"]) < 0.03
    assert read_csv(folder / "rows.csv").empty
    assert run(training, 0, folder) == summary


def test_a_file_that_is_not_there(tmp_path, data_directory):
    (tmp_path / "mnist.npz").symlink_to(data_directory / "mnist.npz")
    with pytest.raises(FileNotFoundError, match=r"must hold the file F1.h5.*Download the file"):
        published_network("F1").prepare(0, tmp_path)
    with pytest.raises(ValueError, match=r"Received: name='resnet50_20'. Did you mean"):
        PublishedWeights("resnet50_20")


def test_they_stand_in_the_table(tmp_path, redeclare):
    for label in ("the authors' resnet50_30", "the authors' F1"):
        folder = folder_of("laperm_published", "paper", label, 0, tmp_path)
        (training,) = (each for each in trainings_of("laperm_published", "paper") if each.label == label)
        redeclare(folder, training)
        write_json(folder / "done.json", {"test_accuracy": 0.92, "train_accuracy": 0.99, "test_images": 360})
        write_csv(folder / "rows.csv", [])
    alone = curve(resnet50("Adam", 1), [0.9], 0.9)
    beside = dataclasses.replace(alone, folder=folder_of("laperm_fig8", "laptop", "Adam", 0, tmp_path))
    table = find("laperm_fig8").table([beside])
    stated = "92.32 %, the authors' published weights"
    assert f"| the authors' resnet50_30 | 1 | 92.00 % | 92.00 % | 92.00 % | - | 99.00 % | - | {stated} |" in table
    assert "F1" not in table
    assert "the authors'" not in find("laperm_fig8").table([alone])
