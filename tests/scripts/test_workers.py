"""A sweep by several processes: told as one, whole when one of them is killed, and seen from outside."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import types

import pytest

from scripts.__main__ import main
from scripts.experiment import trainings_of
from scripts.running import workers
from scripts.running.files import DiskFullError, read_json, write_json
from scripts.running.held import held, holder
from scripts.running.packing import key, packed, unpacked
from scripts.running.prepared import Prepared
from scripts.running.progress_file import ProgressFile, progress_of
from scripts.running.runner import Options
from scripts.running.shares import shard
from scripts.running.state import state_of
from scripts.running.sweep import jobs_of
from scripts.running.sweep_progress import SweepProgress
from scripts.running.training import changed

ADAM, LOOKAHEAD, LAPERM = TRAININGS = trainings_of("quickstart", "quick")
JOBS = jobs_of("quickstart", "quick", TRAININGS, [0, 1])
TWELVE = ["run", "quickstart", "--size", "quick", "--seeds", "0", "1", "2", "3", "--workers", "2"]


def labels(jobs):
    return [(job.training.label.split()[0], job.seed) for job in jobs]


def finish(job, results, seconds=5.0):
    write_json(job.folder(results) / "done.json", {"seconds": seconds})
    write_json(job.folder(results) / "declaration.json", {"training": {"epochs": job.training.epochs}})


def test_packed_runs_are_the_same_runs():
    options = Options(pathlib.Path("results"), "data", "mixed_bfloat16", jit=True, until=5.0)
    jobs, options_there, _ = unpacked(packed(JOBS, options))
    assert jobs == JOBS
    # Of another working directory.
    results, data = (os.path.abspath(name) for name in ("results", "data"))
    assert options_there == Options(results, data, "mixed_bfloat16", jit=True, until=5.0, progress=False)


def test_shards_by_hand():
    # Six runs: the second of four shards gets the 2nd and the 6th.
    assert labels(shard(JOBS, "2/4")) == [("Lookahead", 0), ("LaPerm", 1)]
    assert shard(JOBS, None) == shard(JOBS, "1/1") == JOBS
    parts = [job for which in (1, 2, 3, 4) for job in shard(JOBS, f"{which}/4")]
    assert sorted(map(str, parts)) == sorted(map(str, JOBS))


def test_what_starts_from_another_run_is_in_its_shard():
    from scripts.rich.earlier_weights import TrainedBefore

    second = changed(ADAM, label="after", initial_weights=(TrainedBefore(ADAM),))
    jobs = jobs_of("quickstart", "quick", [second, LOOKAHEAD, ADAM], [0])
    assert labels(shard(jobs, "1/2")) == [("after", 0), ("Adam", 0)]
    assert labels(shard(jobs, "2/2")) == [("Lookahead", 0)]


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "2/", "a/4", "-1/4", "1/0"])
def test_a_shard_that_is_none_is_one_sentence(text, tmp_path, capsys):
    arguments = ["run", "quickstart", "--size", "quick", f"--shard={text}", "--results", str(tmp_path)]
    assert main(arguments) == 1
    assert f"from 1/N to N/N. Received: --shard {text}." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_progress_by_hand(tmp_path):
    # 3 of 4 epochs of 10 steps begin at epoch 1: after step 5 of epoch 2, 25 of 40 are done, 15 of them in 30 s.
    now = iter([0.0, 1.0, 30.0, 31.0])
    dataset = types.SimpleNamespace(x_train=range(100), y_train=None, x_test=None, y_test=None)
    training = types.SimpleNamespace(epochs=4, batch_size=10, data=types.SimpleNamespace(validation=0))
    prepared = Prepared(training, None, dataset, seed=0, folder=tmp_path)
    note = ProgressFile(prepared, first_epoch=1, clock=lambda: next(now))
    note.on_train_begin()
    note.on_epoch_begin(2)
    note.on_train_batch_end(3)  # too soon after the beginning
    assert progress_of(tmp_path) == (0.0, None)
    note.on_train_batch_end(4)
    note.on_train_batch_end(5)  # too soon after the last
    assert progress_of(tmp_path) == (0.625, pytest.approx(30 / (15 / 40)))


def test_status_by_hand(tmp_path, capsys):
    done, failed, running, begun, *_ = JOBS
    finish(done, tmp_path)
    write_json(failed.folder(tmp_path) / "failed.json", {"error": "The loss must be finite."})
    begun.folder(tmp_path).mkdir(parents=True)
    with held(running.folder(tmp_path)):
        noted = {"done": 0.4, "from": 0.2, "seconds": 10.0}  # the whole takes 50 s, what is left 30
        write_json(running.folder(tmp_path) / "progress.json", noted)
        state = state_of(running, tmp_path)
        assert (state.how, state.part, state.seconds) == ("running", 0.4, pytest.approx(30))
        arguments = ["quickstart", "--size", "quick", "--seeds", "0", "1", "--results", str(tmp_path)]
        before = sorted(tmp_path.rglob("*"))
        assert main(["status", *arguments]) == 0
        assert sorted(tmp_path.rglob("*")) == before  # looking changes nothing
    assert capsys.readouterr().out.splitlines() == [
        "quickstart, size quick, 6 runs: 1 done, 1 running, 1 failed, 3 missing",
        "failed: Lookahead (k = 6), seed 0: The loss must be finite.",
        f"running: LaPerm (k = 40), seed 0, 40 %, 30 s left, process {os.getpid()} on {os.uname().nodename}",
        "missing: Adam, seed 1",
        "missing: Lookahead (k = 6), seed 1",
        "missing: LaPerm (k = 40), seed 1",
        # What is known: a run takes 5 s. Four of them, and 30 s.
        "the rest takes about 50 s by one process",
    ]
    assert holder(running.folder(tmp_path)) is None


def test_status_of_nothing_is_a_guess_and_creates_nothing(tmp_path, capsys):
    assert main(["status", "quickstart", "--size", "quick", "--results", str(tmp_path / "none")]) == 0
    assert "0 done, 0 running, 0 failed, 3 missing" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_one_display_of_all(tmp_path, capsys):
    finish(JOBS[0], tmp_path)
    write_json(JOBS[1].folder(tmp_path) / "progress.json", {"done": 0.4, "from": 0.0, "seconds": 10.0})
    now = iter([0, 30, 61, 61, 100])
    with SweepProgress(JOBS, Options(tmp_path), clock=lambda: next(now)) as progress:
        for _ in range(3):
            progress.show()
    assert capsys.readouterr().out.splitlines() == ["1 of 6 runs are done; Lookahead (k = 6), seed 0: 40 %"]


def telling(monkeypatch, *programs):
    """Let workers be these programs of the shell."""
    programs = iter(programs)

    def start(*_):
        return subprocess.Popen(["sh", "-c", next(programs)], stdout=subprocess.PIPE, text=True)

    monkeypatch.setattr(workers, "_start", start)


def told(job, how="trained now"):
    return f"echo '{json.dumps({'run': key(job), 'how': how, 'summary': {'seconds': 1.0}, 'error': ''})}'; "


def test_each_run_is_told_once_whoever_made_it_and_a_killed_worker_is_named(tmp_path, monkeypatch):
    first, second, third = JOBS[:3]
    # One is killed after the first run; the other passes the first over, makes the second, and dies before telling
    # of the third, which is done.
    telling(monkeypatch, told(first) + "kill -9 $$", told(first, "done before") + told(second))
    said = []

    def say(sentence):
        said.append(sentence)
        finish(third, tmp_path)

    outcomes = list(workers.sweep_in_workers([first, second, third], Options(tmp_path), 2, "tensorflow", say))
    assert sorted((o.job.training.label.split()[0], o.how) for o in outcomes) == [
        ("Adam", "trained now"),
        ("LaPerm", workers.MEANWHILE),
        ("Lookahead", "trained now"),
    ]
    assert said == ["a worker was ended by signal 9: what it had begun, the others go on with"]


def test_a_full_disk_ends_all_workers_with_one_sentence(tmp_path, monkeypatch):
    ends = json.dumps({"ends": "DiskFullError", "sentence": "no room"})
    telling(monkeypatch, f"echo '{ends}'; exec sleep 60", "exec sleep 60")
    begun = time.monotonic()
    with pytest.raises(DiskFullError, match="no room"):
        list(workers.sweep_in_workers(JOBS, Options(tmp_path), 2, "tensorflow"))
    assert time.monotonic() - begun < 30


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").touch()  # also for the administrator, whom no mode of a folder stops
    arguments = ["--size", "quick", "--seeds", "0", "--results", str(tmp_path / "file" / "results")]
    assert main(["run", "quickstart", *arguments]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: The results folder must be writable. Received: ")
    assert shown.count("\n") == 1


@pytest.mark.slow
def test_a_folder_that_workers_cannot_write_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "scripts", *TWELVE, "--results", str(tmp_path / "file" / "results")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: The results folder must be writable. Received: ")
    assert done.stderr.count("\n") == 1


def published(results):
    """The CSV, and the page but for its last line, which says how long the runs took."""
    folder = pathlib.Path(results, "runs", "quickstart", "quick")
    return (folder / "quickstart.md").read_text().rpartition("\n\n")[0], (folder / "quickstart.csv").read_bytes()


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def workers_in(results):
    """The processes that have a run in hand."""
    found = []
    for lock in results.rglob("*.lock"):
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            found += [int(number) for number in re.findall(r"^process (\d+) on ", lock.read_text())]
    return found


def sweeping(results):
    command = [sys.executable, "-m", "scripts", *TWELVE, "--results", str(results)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_twelve_runs_with_one_of_two_workers_killed_end_as_undisturbed_ones(tmp_path, capsys):
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    undisturbed = sweeping(quiet)
    undisturbed.communicate(timeout=300)
    assert undisturbed.returncode == 0
    sweep = sweeping(killed)
    wait_for(lambda: len(list(killed.rglob("done.json"))) >= 5)
    (worker, *_) = wait_for(lambda: workers_in(killed))
    finished = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in killed.rglob("done.json")}
    os.kill(worker, signal.SIGKILL)

    def is_seen_running():  # as from another terminal, by what is left
        assert main(["status", *TWELVE[1:-2], "--results", str(killed)]) == 0
        return re.search(r"12 runs: \d+ done, 1 running, 0 failed, \d+ missing\n", capsys.readouterr().out)

    wait_for(is_seen_running)
    shown, errors = sweep.communicate(timeout=300)
    assert sweep.returncode == 0, errors
    assert "a worker was ended by signal 9" in errors
    assert len(list(killed.rglob("done.json"))) == 12
    assert published(quiet) == published(killed)
    assert not list(killed.rglob("*.lock"))
    for path, before in finished.items():  # no finished run was run again
        assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    lines = [line for line in shown.splitlines() if line.startswith("[")]
    assert len(lines) == 12
    # The same command again has nothing left to do.
    done = subprocess.run(sweep.args, capture_output=True, text=True)
    assert done.stdout.count("done before") == 12


@pytest.mark.slow
def test_two_commands_at_once_share_the_work(tmp_path):
    both = [sweeping(tmp_path), sweeping(tmp_path)]
    answers = [sweep.communicate(timeout=300) for sweep in both]
    assert [sweep.returncode for sweep in both] == [0, 0], answers
    lines = [line for out, _ in answers for line in out.splitlines() if "trained now" in line]
    trained = [line.split("]")[1].split(":")[0] for line in lines]
    assert len(trained) == len(set(trained)) == 12
    assert len(list(tmp_path.rglob("seed_*.zip"))) == 12
    for path in tmp_path.rglob("done.json"):
        assert read_json(path)["test_images"] == 360


def test_the_script_for_job_arrays_runs_its_part(tmp_path):
    script = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "job_array.sh"
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    for said in (
        {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "8"},
        {"SGE_TASK_ID": "2", "SGE_TASK_LAST": "8"},
        {"TASK": "2", "TASKS": "8"},
    ):
        environment = {"PATH": os.environ["PATH"], "PYTHON": str(fake), **said}
        done = subprocess.run(
            [script, "quickstart", "--size", "quick"], env=environment, capture_output=True, text=True
        )
        assert done.stdout == "-m scripts run quickstart --size quick --shard 2/8\n"
    done = subprocess.run([script], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert done.returncode != 0
    assert "is the number of this part" in done.stderr
