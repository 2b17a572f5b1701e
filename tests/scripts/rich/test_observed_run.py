"""One run that all observers watch: whole, cut and resumed, and published."""

import shutil

import numpy as np
import pytest
from backends import BACKEND

from scripts.__main__ import main
from scripts.experiment import find
from scripts.publishing.publish import publish
from scripts.rich.activity import Activity
from scripts.rich.reinitialized import Reinitialized
from scripts.rich.settings import adam, balanced, section_3
from scripts.rich.sorted_gradients import SortedGradients
from scripts.running.checkpoint import Checkpoint
from scripts.running.files import read_csv
from scripts.running.runner import Options, folder_of, run


@pytest.fixture(scope="module")
def observed():
    """A small training that all observers watch.

    1,437 training images less 200 held out, of which 30 of each class are used: 3 steps of 128 an epoch. The network
    has 64*5 + 5 + 5*5 + 5 + 5*10 + 10 = 415 parameters.
    """
    return section_3(
        "observed",
        balanced("digits", limit=300, validation=200),
        ("relu_net", {"units": 5, "depth": 2}),
        adam(0.1),
        epochs=3,
        observers=(Activity(), SortedGradients((0, 2, 3)), Reinitialized((0, 0.1, 1, 10, 100))),
    )


@pytest.fixture(scope="module")
def finished(observed, tmp_path_factory):
    """The folder of its finished run, and the summary."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, run(observed, 1, folder, Options(progress=False))


def curves_in(folder):
    rows = read_csv(folder / "reinitialized.csv")
    return {
        which: dict(zip(same["percent"], same["test_accuracy"], strict=True))
        for which, same in rows.groupby("reinitialized")
    }


def test_as_many_parameters_as_asked_are_active(finished):
    # 30 % of the 415 parameters are round(124.5) = 124, in every epoch.
    shares = read_csv(finished[0] / "shares.csv")
    shares = shares[shares["percent"] == 30]
    active = (shares["fraction"] * shares["parameters"]).sum()
    if BACKEND == "tensorflow":
        assert active == pytest.approx(124)
    else:  # from other initial weights, of which some units are dead: their zeros are never active
        assert 62 < active < 124 + 1e-6
    assert shares["share"].sum() == pytest.approx(1)
    with np.load(finished[0] / "frequencies.npz") as frequencies:
        assert list(frequencies)[:3] == ["1/dense1/kernel", "1/dense2/kernel", "1/output/kernel"]
        assert max(frequencies[name].max() for name in frequencies) == 1


def test_gradients_are_taken_when_asked(finished):
    rows = read_csv(finished[0] / "gradients.csv")
    assert rows["epoch"][rows["rank"] == 1].tolist() == [0, 2, 3]
    assert rows["rank"].max() == 415


def test_the_ends_are_the_trained_and_the_initial_network(observed, finished):
    folder, summary = finished
    curves = curves_in(folder)
    assert list(curves["active"]) == list(curves["lazy"]) == [0, 0.1, 1, 10, 100]
    prepared = observed.prepare(1, folder=folder)
    initial = prepared.evaluate_test()["accuracy"]
    assert curves["active"][100] == curves["lazy"][0] == summary["test_accuracy_initial"] == initial
    prepared.model.optimizer.build(prepared.model.trainable_variables)
    prepared.model.load_weights(folder / "final.weights.h5")
    trained = prepared.evaluate_test()["accuracy"]
    assert curves["active"][0] == curves["lazy"][100] == summary["test_accuracy"] == trained
    assert trained > initial + 0.1
    assert summary["parameters"] == 415


@pytest.mark.slow
def test_a_cut_run_ends_the_same(observed, finished, tmp_path, monkeypatch):
    # Cut where the observers have written what they counted, and the model of that epoch is yet to be.
    usual = Checkpoint.on_epoch_end

    def cut(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        usual(self, epoch, logs)

    monkeypatch.setattr(Checkpoint, "on_epoch_end", cut)
    with pytest.raises(KeyboardInterrupt):
        run(observed, 1, tmp_path, Options(progress=False))
    monkeypatch.undo()
    assert not (tmp_path / "reinitialized.csv").exists()
    summary = run(observed, 1, tmp_path, Options(progress=False))
    whole, expected = finished
    assert {**summary, "seconds": 0} == {**expected, "seconds": 0}
    for name in ("rows.csv", "shares.csv", "gradients.csv", "reinitialized.csv"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
    with np.load(whole / "frequencies.npz") as all_expected, np.load(tmp_path / "frequencies.npz") as frequencies:
        assert list(frequencies) == list(all_expected)
        assert all(np.array_equal(frequencies[name], all_expected[name]) for name in frequencies)
    # A run cut in its last epoch needs the counts of the one before.
    assert sorted(path.name[9:14] for path in tmp_path.glob("activity_*.npz")) == ["00002", "00003"]


@pytest.mark.parametrize("name", ["rich_fig1", "rich_fig2", "rich_fig5"])
def test_finished_runs_are_published(finished, redeclare, tmp_path, name):
    # What a run wrote is the same whatever its width: the one that there is stands for those of each experiment.
    experiment = find(name)
    trainings = experiment.trainings["quick"]
    for training in trainings:
        redeclare(shutil.copytree(finished[0], folder_of(name, "quick", training.label, 0, tmp_path)), training)
    publish(name, "quick", tmp_path, tmp_path)
    for shown in (name, *experiment.more_pictures):
        assert (tmp_path / f"{shown}.png").stat().st_size > 10_000
    rows = read_csv(tmp_path / f"{name}.csv")
    assert list(rows["label"].unique()) == [training.label for training in trainings]
    assert len(rows) % len(trainings) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [f"rich_{each}" for each in ("fig1", "fig2", "fig3", "fig5", "fig6", "fig7", "fig14", "fig17", "table1")]
)
def test_experiments_run_from_start_to_end(tmp_path, name):
    assert main(["run", name, "--size", "quick", "--results", str(tmp_path)]) == 0
    experiment, folder = find(name), tmp_path / "runs" / name / "quick"
    for shown in (name, *experiment.more_pictures):
        assert (folder / f"{shown}.png").stat().st_size > 10_000
    labels = {training.label for training in experiment.trainings["quick"]}
    assert set(read_csv(folder / f"{name}.csv")["label"]) == labels
