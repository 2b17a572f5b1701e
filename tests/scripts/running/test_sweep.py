"""A sweep in which one training diverges: what is said, what is kept, and what is drawn again without training."""

import pathlib
import shutil
import types

import pytest

from scripts import experiments
from scripts.__main__ import main
from scripts.running import checkpoint
from scripts.running.failures import sentence
from scripts.running.files import DiskFullError, read_json, replacing
from scripts.running.prepared import Prepared
from scripts.running.progress import ProgressLines

EXPERIMENT = """
from scripts.experiment import Experiment
from scripts.publishing.figures import draw_band
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.training import Training, changed

SGD = Training("SGD", Images("digits", validation=100, limit=96), Network("f1"), 1, 32, observers=(Permutation(),))
# After a step of the two hidden layers, what passes through both is beyond 1e38, which is infinite.
DEEP = Network("lenet_300_100", {"width": 0.1})
DIVERGING = changed(SGD, label="SGD, much too fast", network=DEEP, optimizer=Optimizer("sgd", 1e30))

EXPERIMENT = Experiment(
    claim="What is too fast diverges.",
    trainings={"quick": (SGD, DIVERGING), "laptop": (changed(SGD, epochs=2),)},
    seeds={"quick": (0,), "laptop": (0,)},
    draw=lambda figure, curves: draw_band(figure.subplots(), curves, "val_accuracy", color="black", label=None),
)
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The folder of results of that sweep, with the experiment that it is of among all others."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "too_fast.py").write_text(EXPERIMENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "__path__", [*experiments.__path__, str(folder)])
        status = main(["run", "too_fast", "--size", "quick", "--results", str(folder / "results")])
        yield folder / "results", status


def test_a_run_that_diverges_ends_itself_alone(swept, capsys):
    results, status = swept
    assert status == 1
    runs = results / "runs" / "too_fast" / "quick"
    assert read_json(runs / "sgd" / "seed_0" / "done.json")["test_images"] == 360
    failed = read_json(runs / "sgd_much_too_fast" / "seed_0" / "failed.json")
    assert failed["error"].startswith("The loss must be finite; the training has diverged. Received: loss=")
    page = (runs / "too_fast.md").read_text()
    assert "Failed, and in none of these numbers:" in page
    assert f"- SGD, much too fast, seed 0: {failed['error']}" in page


def test_a_rerun_says_what_was_done_before(swept, capsys):
    assert main(["run", "too_fast", "--size", "quick", "--results", str(swept[0])]) == 1
    shown = capsys.readouterr()
    assert "[1/2] SGD, seed 0: test accuracy" in shown.out
    assert "done before" in shown.out
    assert shown.err.startswith("error: [2/2] SGD, much too fast, seed 0: The loss must be finite")
    assert "Traceback" not in shown.err


def test_all_is_drawn_again_from_the_record_alone(swept, tmp_path, capsys):
    results, _ = swept
    shutil.copytree(results / "records", tmp_path / "records")
    (record,) = (tmp_path / "records").rglob("*.zip")
    assert record.relative_to(tmp_path).as_posix() == "records/too_fast/quick/sgd/seed_0.zip"
    assert record.stat().st_size < 10_000
    assert main(["figure", "too_fast", "--size", "quick", "--results", str(tmp_path)]) == 0
    before = results / "runs" / "too_fast" / "quick" / "too_fast.csv"
    assert (tmp_path / "too_fast.csv").read_bytes() == before.read_bytes()
    # What is published is not replaced by another size unasked.
    capsys.readouterr()
    assert main(["figure", "too_fast", "--size", "laptop", "--results", str(tmp_path)]) == 1
    assert "is published at size quick. Received: --size laptop" in capsys.readouterr().err
    assert main(["figure", "too_fast", "--size", "quick", "--results", str(tmp_path)]) == 0
    # Nor by fewer runs than it came from.
    page = tmp_path / "too_fast.md"
    page.write_text(page.read_text().replace("; 1 run of", "; 2 runs of"))
    assert main(["figure", "too_fast", "--size", "quick", "--results", str(tmp_path)]) == 1
    assert "is published from 2 runs. Received: 1, the others have no record here." in capsys.readouterr().err
    assert main(["figure", "too_fast", "--size", "quick", "--results", str(tmp_path), "--force"]) == 0


def test_a_stale_record_is_no_result(swept, tmp_path, capsys, monkeypatch):
    shutil.copytree(swept[0] / "runs", tmp_path / "runs")
    path = tmp_path / "runs" / "too_fast" / "quick" / "sgd" / "seed_0" / "declaration.json"
    path.write_text(path.read_text().replace('"limit": 96', '"limit": null'))
    assert main(["figure", "too_fast", "--size", "quick", "--results", str(tmp_path)]) == 1
    assert "training.data.limit was None and is 96" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence(swept, tmp_path, capsys, monkeypatch):
    class Full:
        free = 1000

    monkeypatch.setattr(checkpoint.shutil, "disk_usage", lambda folder: Full)
    assert main(["run", "too_fast", "--size", "quick", "--results", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: The results folder must have room. Received: ")
    assert error.count("\n") == 1
    assert not list(tmp_path.rglob("*.h5"))


def test_a_file_that_finds_no_room_is_one_sentence(tmp_path):
    with pytest.raises(DiskFullError, match="whose disk is full"), replacing(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_sentences():
    assert sentence(KeyError("x")) == "KeyError: 'x'"
    assert sentence(FileNotFoundError("Put it there.\nSecond line")) == "Put it there."


def test_without_a_terminal_a_line_a_minute(capsys):
    dataset = types.SimpleNamespace(x_train=range(100), y_train=None, x_test=None, y_test=None)
    training = types.SimpleNamespace(epochs=2, batch_size=10, data=types.SimpleNamespace(validation=0))
    prepared = Prepared(training, None, dataset, seed=0, folder=pathlib.Path("adam", "seed_0"))
    now = iter([0, 30, 61, 100, 130])
    lines = ProgressLines(prepared, clock=lambda: next(now))
    lines.on_train_begin()
    lines.on_epoch_begin(1)
    for batch in range(4):
        lines.on_train_batch_end(batch)
    # Steps 12 and 14 of 20, after 61 and 130 seconds.
    assert capsys.readouterr().out.splitlines() == [
        "adam seed_0: epoch 2 of 2, 60 % of the steps",
        "adam seed_0: epoch 2 of 2, 70 % of the steps",
    ]
