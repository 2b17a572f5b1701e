"""A training that another experiment has finished is not run again."""

import dataclasses
import shutil

import pytest
from backends import BACKEND

from scripts.__main__ import main
from scripts.experiment import Experiment, trainings_of
from scripts.publishing.curves import collect
from scripts.running import same_run
from scripts.running.files import read_json
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.optimizer import Optimizer
from scripts.running.records import keep_record
from scripts.running.runner import Options, folder_of, run
from scripts.running.same_run import take_over
from scripts.running.schedules import Drops
from scripts.running.training import Training, changed

# 200 images in steps of 50: 4 an epoch, 8 in all, synchronized after each 4th.
TINY = Training(
    "k = 4",
    Images("digits", validation=40, limit=200),
    Network("conv2", {"width": 0.05, "dropout": 0.3}),
    epochs=2,
    batch_size=50,
    optimizer=Optimizer(schedule=Drops({1: 10}), around="laperm", arguments={"sync_period": 4}),
)
TWIN = changed(TINY, label="kept")


@dataclasses.dataclass(frozen=True)
class OtherNetwork(Network):
    """Another class with the same fields is another network."""


@dataclasses.dataclass(frozen=True)
class StartsFrom:
    """A part that builds on another run of the same experiment."""

    starts_from: Training

    def apply(self, prepared):
        """Nothing here."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Results in which experiment `one` has run TINY, seed 0."""
    results = tmp_path_factory.mktemp("results")
    run(TINY, 0, folder_of("one", "quick", TINY.label, 0, results), Options(results, progress=False))
    return results


@pytest.fixture
def options(finished, tmp_path, monkeypatch):
    """Options for a copy of these results, of two experiments: `one` with TINY and `two` with whatever asks."""
    declared = {"one": Experiment("", {"quick": [TINY]}, {"quick": [0]}, None), "two": Experiment("", {}, {}, None)}
    monkeypatch.setattr(same_run, "names", lambda: list(declared))
    monkeypatch.setattr(same_run, "find", declared.get)
    return Options(shutil.copytree(finished, tmp_path / "results"), progress=False)


def folder_in_two(options, label="kept", seed=0):
    return folder_of("two", "quick", label, seed, options.results)


def test_a_finished_twin_is_taken_with_all_its_files(options, finished):
    assert take_over("two", "quick", TWIN, 0, options) == "one"
    here, there = folder_in_two(options), folder_of("one", "quick", TINY.label, 0, finished)
    assert sorted(path.name for path in here.iterdir()) == sorted(path.name for path in there.iterdir())
    for name in ("rows.csv", "final.weights.h5"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    assert read_json(here / "done.json") == {**read_json(there / "done.json"), "taken_from": "one"}


def test_the_runner_accepts_it_as_finished(options, monkeypatch):
    take_over("two", "quick", TWIN, 0, options)
    monkeypatch.setattr(Training, "prepare", lambda *_: pytest.fail("it was trained again"))
    assert run(TWIN, 0, folder_in_two(options), options)["taken_from"] == "one"


@pytest.mark.slow
def test_training_it_gives_the_same_file(options):
    # Why it may be taken at all: the label is the only difference, and nothing is drawn from it.
    run(TWIN, 0, folder_in_two(options), options)
    taken = folder_of("one", "quick", TINY.label, 0, options.results)
    assert (folder_in_two(options) / "rows.csv").read_bytes() == (taken / "rows.csv").read_bytes()


@pytest.mark.parametrize(
    "wanted",
    [
        changed(TWIN, epochs=3),
        changed(TWIN, optimizer={"arguments": {"sync_period": 5}}),
        changed(TWIN, optimizer={"schedule": Drops({1: 20})}),
        changed(TWIN, evaluation={"before": True}),
        changed(TWIN, network=OtherNetwork(**vars(TWIN.network))),
    ],
    ids=["epochs", "arguments", "drops", "more evaluations", "class"],
)
def test_another_training_is_not_taken(options, wanted):
    assert take_over("two", "quick", wanted, 0, options) is None
    assert not folder_in_two(options).exists()


def test_it_is_taken_whatever_the_size_is_called(options):
    assert take_over("two", "laptop", TWIN, 0, options) == "one, size quick"
    there = folder_of("two", "laptop", TWIN.label, 0, options.results)
    assert read_json(there / "done.json")["taken_from"] == "one, size quick"


def test_a_record_is_as_good_as_the_run(options):
    there = folder_of("one", "quick", TINY.label, 0, options.results)
    keep_record(TINY, there)
    shutil.rmtree(there)
    assert take_over("two", "quick", TWIN, 0, options) == "one"
    assert (folder_in_two(options) / "done.json").exists()


def test_another_seed_precision_or_compiler_is_not_taken(options):
    assert take_over("two", "quick", TWIN, 1, options) is None
    if BACKEND != "jax":  # which compiles in any case
        assert take_over("two", "quick", TWIN, 0, dataclasses.replace(options, jit=True)) is None
    assert take_over("two", "quick", TWIN, 0, dataclasses.replace(options, precision="mixed_bfloat16")) is None


def test_an_unfinished_run_is_not_taken(options):
    (folder_of("one", "quick", TINY.label, 0, options.results) / "done.json").unlink()
    assert take_over("two", "quick", TWIN, 0, options) is None


def test_a_run_of_an_older_declaration_is_not_taken(options):
    # The file of experiment `one` was changed since it was run: what it declares now is not what lies there.
    path = folder_of("one", "quick", TINY.label, 0, options.results) / "declaration.json"
    path.write_text(path.read_text().replace('"epochs": 2', '"epochs": 1'))
    assert take_over("two", "quick", TWIN, 0, options) is None


def test_a_run_that_was_begun_here_goes_on(options):
    folder_in_two(options).mkdir(parents=True)
    assert take_over("two", "quick", TWIN, 0, options) is None
    assert not list(folder_in_two(options).iterdir())


def test_a_start_from_another_run_depends_on_the_experiment(options, monkeypatch):
    shuffled = changed(TINY, initial_weights=(StartsFrom(TINY),))
    monkeypatch.setattr(same_run, "find", lambda name: Experiment("", {"quick": [shuffled]}, {}, None))
    assert take_over("two", "quick", changed(shuffled, label="kept"), 0, options) is None


def test_a_copy_that_is_cut_leaves_no_run(options, monkeypatch):
    def cut(source, target):
        target.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copytree", cut)
    with pytest.raises(KeyboardInterrupt):
        take_over("two", "quick", TWIN, 0, options)
    assert not list(folder_in_two(options).parent.iterdir())


def test_where_a_copied_run_came_from_is_kept(options, monkeypatch):
    # A copy of a copy names the experiment that was trained.
    three = Experiment("", {"quick": [TWIN]}, {"quick": [0]}, None)
    take_over("two", "quick", TWIN, 0, options)
    shutil.rmtree(folder_of("one", "quick", TINY.label, 0, options.results))
    monkeypatch.setattr(same_run, "names", lambda: ["two"])
    monkeypatch.setattr(same_run, "find", {"two": three}.get)
    assert take_over("three", "quick", TWIN, 0, options) == "two"
    assert read_json(folder_of("three", "quick", "kept", 0, options.results) / "done.json")["taken_from"] == "one"


def test_experiments_share_what_they_can():
    # Conv2, Conv4 and Conv13 at k = 1000, in each figure: p = 0 % of laperm_fig9, of which laperm_fig15 has Conv4 with
    # all its p; the curves of laperm_synchronization that keep Adam's state are those of laperm_inner_optimizers; the
    # dense ones of laperm_rate are those of laperm_low_precision with 32 bits.
    expected = {
        **{"laperm_fig7": (3, 3), "laperm_fig15": (4, 10)},
        **{"laperm_synchronization": (3, 4), "laperm_rate": (4, 4)},
    }
    for name, counts in expected.items():
        for size, count in zip(("laptop", "paper"), counts, strict=True):
            shared = [t.label for t in trainings_of(name, size) if {o for o, *_ in same_run._twins(t)} - {name}]
            assert len(shared) == count, (name, size, shared)


@pytest.mark.slow
def test_the_command_line_and_the_table_say_it(tmp_path, capsys):
    for name, label in (("laperm_low_precision", "32 bits, k = 10"), ("laperm_synchronization", "state kept, k = 10")):
        assert main(["run", name, "--size", "quick", "--only", label, "--results", str(tmp_path)]) == 0
    assert "the same run as in laperm_low_precision" in capsys.readouterr().out
    (curve,) = collect("laperm_synchronization", "quick", tmp_path)
    assert curve.summary["taken_from"] == "laperm_low_precision"
    (page,) = tmp_path.glob("runs/laperm_synchronization/quick/laperm_synchronization.md")
    assert "1 of them the same as in laperm_low_precision" in page.read_text()
