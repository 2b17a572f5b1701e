import dataclasses
import json
import shutil
import sys

import h5py
import numpy as np
import pytest
from backends import BACKEND, COMPILED_BY_TORCH

from scripts.running.checkpoint import SeedEveryEpoch
from scripts.running.evaluation import Evaluation
from scripts.running.files import read_csv, records
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.runner import Options, run
from scripts.running.schedules import Constant, Decay
from scripts.running.training import Training, changed

QUIET = Options(progress=False)
# 1,437 training images less 40 held out, of which the first 200 are used: 7 steps of 32 an epoch.
TINY = Training(
    "LaPerm",
    Images("digits", validation=40, limit=200),
    Network("conv2", {"width": 0.05, "dropout": 0.3}),
    epochs=3,
    batch_size=32,
    optimizer=Optimizer(schedule=Decay(0.5), around="laperm", arguments={"sync_period": 5}),
    observers=(Permutation(),),
    evaluation=Evaluation(before=True),
)
ADAM = changed(TINY, label="Adam", optimizer={"around": None, "arguments": {}}, evaluation=Evaluation())


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    run(TINY, 0, folder, QUIET)
    return folder


@pytest.fixture
def finished(finished_once, tmp_path):
    """The folder of a finished run of TINY, seed 0, for one test to do with what it likes."""
    return shutil.copytree(finished_once, tmp_path / "finished")


def weights(folder):
    found = {}
    with h5py.File(folder / "final.weights.h5") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def test_rows_are_where_synchronizations_fall(finished):
    # 7 steps an epoch and k = 5: synchronizations after steps 5 (epoch 0), 10 (epoch 1), 15 and 20 (epoch 2), and the
    # final one after step 21, which has no "before" because it is not the callback's.
    rows = [(row["epoch"], row["step"], row["when"]) for row in records(read_csv(finished / "rows.csv"))]
    pairs = {0: [5], 1: [10], 2: [15, 20]}
    expected = []
    for epoch, steps in pairs.items():
        expected += [(epoch, step, when) for step in steps for when in ("before", "after")]
        expected.append((epoch, 7 * (epoch + 1), "epoch"))
    assert rows == [*expected, (2, 21, "after")]


def test_summary_says_what_was_measured_where(finished):
    summary = json.loads((finished / "done.json").read_text())
    assert summary["is_permutation"] is True
    assert 0 < summary["moved"] <= 1
    assert summary["test_images"] == 360
    assert summary["train_images"] == 200
    assert 0 <= summary["test_accuracy"] <= 1
    assert summary["machine"]
    assert f", {BACKEND} " in summary["versions"]


def test_moved_weights_by_hand():
    # Two of all weights of the kernels change places within their weight vector, the last column of the last kernel.
    prepared = TINY.prepare(0)
    (observed,) = prepared._observations
    kernel = prepared.model.layers[-1].kernel
    values = kernel.numpy()
    total = sum(variable.numpy().size for variable in prepared.model.trainable_variables if variable.name == "kernel")
    assert observed.summary() == {"is_permutation": True, "moved": 0}
    values[[0, 1], -1] = values[[1, 0], -1]
    kernel.assign(values)
    assert observed.summary() == {"is_permutation": True, "moved": 2 / total}
    values[0, -1] = 9
    kernel.assign(values)
    assert observed.summary() == {"is_permutation": False, "moved": 2 / total}


def test_adam_is_no_permutation_and_is_evaluated_every_epoch(tmp_path):
    summary = run(ADAM, 0, tmp_path, QUIET)
    rows = records(read_csv(tmp_path / "rows.csv"))
    assert summary["is_permutation"] is False
    assert [row["when"] for row in rows] == ["epoch"] * 3
    assert {"val_accuracy", "val_loss", "accuracy", "loss", "learning_rate"} <= set(rows[0])
    np.testing.assert_allclose([row["learning_rate"] for row in rows], [1e-3, 5e-4, 2.5e-4], rtol=1e-6)


def test_a_finished_run_is_not_run_again(finished, monkeypatch):
    monkeypatch.setattr(Training, "prepare", lambda *arguments, **named: pytest.fail("ran again"))
    assert run(TINY, 0, finished, QUIET) == json.loads((finished / "done.json").read_text())


def test_a_killed_run_resumes_and_ends_the_same(finished, tmp_path, killed_before):
    parts = tmp_path / "parts"
    with killed_before(2):
        run(TINY, 0, parts, QUIET)
    assert not (parts / "done.json").exists()
    (parts / "partial_1_rows.csv").write_text("left by a kill")
    run(TINY, 0, parts, QUIET)
    assert (parts / "rows.csv").read_bytes() == (finished / "rows.csv").read_bytes()
    whole, in_parts = weights(finished), weights(parts)
    assert whole.keys() == in_parts.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(value, in_parts[name], err_msg=name)
    assert {path.name for path in parts.iterdir()} == {"declaration.json", "done.json", "final.weights.h5", "rows.csv"}


@pytest.mark.slow
def test_another_seed_is_another_run(finished, tmp_path):
    other = run(TINY, 1, tmp_path / "other", QUIET)
    assert other["test_loss"] != json.loads((finished / "done.json").read_text())["test_loss"]


def test_a_changed_declaration_is_refused_and_nothing_is_lost(finished):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}
    with pytest.raises(ValueError, match=r"training.batch_size was 32 and is 16.*--results"):
        run(changed(TINY, batch_size=16), 0, finished, QUIET)
    with pytest.raises(ValueError, match=r"precision was 'float32' and is 'mixed_float16'"):
        run(TINY, 0, finished, dataclasses.replace(QUIET, precision="mixed_float16"))
    assert before == {path.name: path.read_bytes() for path in finished.iterdir()}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        # A default is a setting like any other: what stands at it is part of what a run is known by.
        ({"data": {"limit": None}}, r"training.data.limit was 200 and is None"),
        ({"optimizer": {"schedule": Constant()}}, r"schedule.class was 'Decay' and is 'Constant'"),
        ({"observers": ()}, r"training.observers"),
    ],
)
def test_another_setting_or_class_is_another_run(finished, other, said):
    with pytest.raises(ValueError, match=said):
        run(changed(TINY, other), 0, finished, QUIET)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": "mixed_float16"},
        {"precision": "mixed_bfloat16"},
        pytest.param({"jit": True}, marks=COMPILED_BY_TORCH if BACKEND == "torch" else []),
    ],
)
@pytest.mark.slow
def test_precision_and_jit(tmp_path, options):
    once = changed(TINY, network=Network("f2"), epochs=1, evaluation=Evaluation())
    summary = run(once, 0, tmp_path, dataclasses.replace(QUIET, **options))
    assert summary["is_permutation"]
    assert summary["test_accuracy"] > 0


def test_the_bar_and_the_logs(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    once, folder = changed(ADAM, network=Network("f1"), epochs=1), tmp_path / "curve" / "seed_0"
    run(once, 0, folder, Options(tensorboard=BACKEND == "tensorflow"))  # with it Keras writes the logs
    assert "curve seed_0" in capsys.readouterr().err
    assert bool(list((folder / "tensorboard").rglob("events*"))) == (BACKEND == "tensorflow")


def test_tensorboard_without_tensorflow_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"with TensorFlow, which is not installed\. Received: --tensorboard"):
        run(ADAM, 0, tmp_path, Options(tensorboard=True))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermissionError, match=r"results folder must be writable.*--results"):
        run(TINY, 0, tmp_path / "file" / "run", QUIET)


def test_a_broken_declaration_is_one_sentence(tmp_path):
    (tmp_path / "declaration.json").write_text('{"training": ')
    with pytest.raises(ValueError, match=r"declaration.json must hold JSON.*Delete"):
        run(TINY, 0, tmp_path, QUIET)


def test_seed_generators_follow_the_epoch():
    prepared = TINY.prepare(0)
    callback = SeedEveryEpoch(3)
    callback.set_model(prepared.model)
    callback.on_epoch_begin(2)
    states = [v.numpy().tolist() for v in prepared.model.variables if v.path.endswith("seed_generator_state")]
    assert len(states) > 1
    assert states == [[3000 + number, 2_000_000] for number in range(len(states))]
