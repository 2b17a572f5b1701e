"""Runs shared by several processes, and runs that there is not enough time for."""

import pathlib
import signal
import subprocess
import sys
import time
import types

import pytest

from scripts.__main__ import main
from scripts.experiment import trainings_of
from scripts.running import sweep as sweeping
from scripts.running.files import write_json
from scripts.running.held import held
from scripts.running.run_time import expected_seconds
from scripts.running.runner import Options, folder_of
from scripts.running.stop_in_time import OutOfTimeError, StopInTime
from scripts.running.sweep import jobs_of, sweep
from scripts.running.training import changed

ADAM, LOOKAHEAD, LAPERM = trainings_of("quickstart", "quick")
QUICK = ["quickstart", "--size", "quick", "--seeds", "0"]


def finished(results, training, seed, seconds, size="quick"):
    """A run that looks finished, and took so long."""
    folder = folder_of("quickstart", size, training.label, seed, results)
    write_json(folder / "done.json", {"seconds": seconds})
    write_json(folder / "declaration.json", {"training": {"epochs": training.epochs}})


def table(results):
    """The published page but for its last line, which says how long the runs took."""
    folder = pathlib.Path(results, "runs", "quickstart", "quick")
    return (folder / "quickstart.md").read_text().rpartition("\n\n")[0], (folder / "quickstart.csv").read_bytes()


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_expected_seconds_by_hand(tmp_path):
    long = changed(ADAM, label="long", epochs=20)
    # Nothing is known: a minute for a quick run. 5 and 7 s for an epoch of others: 6 s an epoch, 120 s for 20.
    assert expected_seconds("quickstart", "quick", long, 0, tmp_path) == 60
    finished(tmp_path, ADAM, 0, 5.0)
    finished(tmp_path, LAPERM, 0, 7.0)
    assert expected_seconds("quickstart", "quick", long, 0, tmp_path) == 120
    # The same training took 80 and 100 s: 100 s, and half of it where 10 of the 20 epochs are done.
    finished(tmp_path, long, 1, 80.0)
    finished(tmp_path, long, 2, 100.0)
    assert expected_seconds("quickstart", "quick", long, 0, tmp_path) == 100
    folder = folder_of("quickstart", "quick", "long", 0, tmp_path)
    folder.mkdir()
    (folder / "epoch_00010.weights.h5").touch()
    assert expected_seconds("quickstart", "quick", long, 0, tmp_path) == 50
    # Another size says nothing.
    assert expected_seconds("quickstart", "laptop", long, 0, tmp_path) == 600
    assert expected_seconds("laperm_fig6", "overnight", long, 0, tmp_path) == 1800


def test_stop_in_time_by_hand():
    # Epochs of 10 s, and 25 s in all: after the second the third would end at 30.
    now = iter([0, 10, 10, 20, 20, 30])
    stop = StopInTime(until=25, epochs=3, clock=lambda: next(now))
    stop.on_epoch_begin(0)
    stop.on_epoch_end(0)
    stop.on_epoch_begin(1)
    with pytest.raises(OutOfTimeError, match="after epoch 2 of 3"):
        stop.on_epoch_end(1)
    stop.on_epoch_begin(2)
    stop.on_epoch_end(2)  # it was the last


@pytest.mark.slow
def test_what_does_not_end_in_time_is_not_begun_and_the_same_command_goes_on(tmp_path, capsys):
    finished(tmp_path, LAPERM, 5, 1e6)  # as long as LaPerm takes
    queue = ["queue", "quickstart", "--size", "quick", "--seeds", "0", "--results", str(tmp_path)]
    assert main([*queue, "--minutes", "0"]) == 0
    assert not list(tmp_path.rglob("final.weights.h5"))
    assert "0 of 3 runs are done, the same command goes on with the others" in capsys.readouterr().out
    folder_of("quickstart", "quick", LAPERM.label, 5, tmp_path).joinpath("done.json").unlink()
    assert main([*queue, "--minutes", "60"]) == 0
    assert "3 of 3 runs are done: " in capsys.readouterr().out
    assert main([*queue, "--minutes", "0"]) == 0  # nothing is left that needs time
    shown = capsys.readouterr().out
    assert "trained now" not in shown
    assert "3 of 3 runs are done: " in shown


@pytest.mark.slow
def test_a_longer_run_than_expected_stops_and_goes_on(tmp_path, monkeypatch):
    long = changed(ADAM, epochs=4)
    (job,) = jobs_of("quickstart", "quick", [long], [0])
    monkeypatch.setattr(sweeping, "expected_seconds", lambda *arguments: 0.0)
    until = time.time() + 0.01  # over before the first epoch ends
    assert list(sweep([job], Options(tmp_path, progress=False, until=until))) == []
    folder = job.folder(tmp_path)
    assert (folder / "epoch_00001.weights.h5").exists()
    assert not (folder / "failed.json").exists()
    (outcome,) = sweep([job], Options(tmp_path, progress=False))
    assert outcome.how == "trained now"
    assert job.is_done(tmp_path)


@pytest.mark.slow
def test_a_run_in_other_hands_is_waited_for_and_others_go_first(tmp_path, monkeypatch):
    # Adam is another process's: LaPerm is trained, and Adam once it is let go, which nobody has finished.
    jobs = jobs_of("quickstart", "quick", [ADAM, LAPERM], [0])
    other = held(jobs[0].folder(tmp_path))
    assert other.__enter__()
    slept = []

    def let_go(seconds):
        slept.append(seconds)
        other.__exit__(None, None, None)

    monkeypatch.setattr(sweeping, "time", types.SimpleNamespace(time=time.time, sleep=let_go))
    outcomes = list(sweep(jobs, Options(tmp_path, progress=False)))
    assert [(outcome.job.training.label, outcome.how) for outcome in outcomes] == [
        (LAPERM.label, "trained now"),
        ("Adam", "trained now"),
    ]
    assert len(slept) == 1
    assert not list(tmp_path.rglob("*.lock"))


@pytest.mark.slow
def test_what_starts_from_another_run_waits_for_it(tmp_path, monkeypatch):
    from scripts.rich.earlier_weights import TrainedBefore

    second = changed(ADAM, label="after", initial_weights=(TrainedBefore(ADAM),))
    jobs = jobs_of("quickstart", "quick", [second, ADAM], [0])
    outcomes = list(sweep(jobs, Options(tmp_path, progress=False)))
    assert [(outcome.job.training.label, outcome.how) for outcome in outcomes] == [
        ("Adam", "trained now"),
        ("after", "trained now"),
    ]


@pytest.mark.slow
def test_a_killed_workers_run_is_taken_up_and_two_workers_do_as_one(tmp_path):
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert main(["run", *QUICK, "--results", one]) == 0
    worker = subprocess.Popen([sys.executable, "-m", "scripts", "queue", *QUICK, "--results", two])
    try:
        wait_until(lambda: list(pathlib.Path(two).rglob("declaration.json")))
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    (lock,) = pathlib.Path(two).rglob("*.lock")
    assert lock.read_text().startswith(f"process {worker.pid} on ")
    assert len(list(pathlib.Path(two).rglob("done.json"))) < 3
    assert main(["queue", *QUICK, "--workers", "2", "--results", two]) == 0
    assert table(one) == table(two)
    assert not list(pathlib.Path(two).rglob("*.lock"))


@pytest.mark.parametrize(("option", "value"), [("workers", "0"), ("minutes", "-1"), ("minutes", "nan")])
def test_bad_numbers_are_one_sentence(option, value, tmp_path, capsys):
    assert main(["queue", "quickstart", f"--{option}={value}", "--results", str(tmp_path)]) == 1
    assert f"`--{option}` must be at least" in capsys.readouterr().err


def test_an_unknown_name_begins_nothing(tmp_path, capsys):
    assert main(["queue", "quickstart", "quickstrat", "--size", "quick", "--results", str(tmp_path)]) == 1
    assert "Did you mean quickstart?" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
