"""A sweep on a Ray cluster: two nodes on the loopback address, one of which is killed."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import time

import pytest
from backends import BACKEND

from scripts.__main__ import main
from scripts.experiment import trainings_of
from scripts.running import workers
from scripts.running.files import read_json
from scripts.running.on_ray import sweep_on_ray
from scripts.running.packing import key, packed
from scripts.running.ray_task import make_run
from scripts.running.runner import Options
from scripts.running.sweep import jobs_of

with_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed: the extra [ray]")
NODES = pathlib.Path(__file__).with_name("ray_nodes.py")
ROOT = NODES.parents[2]
RUN = ["run", "quickstart", "--size", "quick"]
TWELVE = [*RUN, "--seeds", "0", "1", "2", "3"]
JOBS = jobs_of("quickstart", "quick", trainings_of("quickstart", "quick"), [0])
ENVIRONMENT = os.environ | {"KERAS_BACKEND": BACKEND, "RAY_AUTH_MODE": "disabled"}


def test_a_run_of_a_machine_that_sees_another_folder_is_sent_back(tmp_path):
    # Nothing of Ray is needed for what a task does.
    text = packed(JOBS[:1], Options(tmp_path / "far away"))
    said = make_run(text, {}, BACKEND, token=str(tmp_path / "not seen"))
    assert (said["run"], said["how"], said["error"]) == (key(JOBS[0]), "trained now", "")
    run = "runs/quickstart/quick/adam/seed_0"
    assert {f"{run}/done.json", f"{run}/final.weights.h5", "records/quickstart/quick/adam/seed_0.zip"} <= set(
        said["files"]
    )
    assert not any(name.endswith(".lock") for name in said["files"])
    assert not list(tmp_path.iterdir())


def test_without_ray_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    asked = {"address": "local", "cores": 1, "gpus": 0}
    with pytest.raises(ValueError, match=r"no ray here. Run `pip install \"train-by-reconnect\[ray\]\"`"):
        next(sweep_on_ray(JOBS, Options(tmp_path), asked))


def test_a_cluster_and_workers_exclude_each_other(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("scripts.__main__.start_quietly", lambda *arguments, **more: None)
    assert main([*RUN, "--workers", "2", "--ray", "local", "--results", str(tmp_path)]) == 1
    assert "Received: --workers 2 --ray local. Leave one of them out." in capsys.readouterr().err


def test_a_lost_connection_is_one_sentence(tmp_path, monkeypatch):
    def start(*_):  # as if Ray had ended the process, as it does where its cluster is gone
        return subprocess.Popen(["sh", "-c", "exit 1"], stdout=subprocess.PIPE, text=True)

    monkeypatch.setattr(workers, "_start", start)
    asked = {"address": "127.0.0.1:6379", "cores": 1, "gpus": 0}
    with pytest.raises(ConnectionError, match=r"Received: --ray 127.0.0.1:6379, which was lost. What is done is kept"):
        list(workers.sweep_in_workers(JOBS, Options(tmp_path), 1, BACKEND, ray=asked))


def command(results, *more):
    line = [sys.executable, "-m", "scripts", *TWELVE, "--results", str(results), *more]
    return subprocess.Popen(line, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(running):
    shown, errors = running.communicate(timeout=400)
    assert running.returncode == 0, errors
    return shown


@pytest.fixture
def cluster():
    """The process that has a cluster of two nodes, and its address."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, str(NODES)], env=ENVIRONMENT, text=True, **streams) as nodes:
        address = nodes.stdout.readline().strip()
        assert address.startswith("127.0.0.1:")
        yield nodes, address
        nodes.stdin.close()
        nodes.wait(60)


def tell(nodes, what):
    nodes.stdin.write(f"{what}\n")
    nodes.stdin.flush()


def wait_for_runs(results, count):
    end = time.monotonic() + 90
    while len(list(results.rglob("done.json"))) < count:
        assert time.monotonic() < end
        time.sleep(0.05)


def published(results):
    folder = pathlib.Path(results, "runs", "quickstart", "quick")
    return (folder / "quickstart.md").read_text().rpartition("\n\n")[0], (folder / "quickstart.csv").read_bytes()


@with_ray
@pytest.mark.slow
def test_twelve_runs_with_one_of_two_nodes_killed_end_as_undisturbed_ones(cluster, tmp_path):
    nodes, address = cluster
    sweep = command(tmp_path / "ray", "--ray", address)
    wait_for_runs(tmp_path / "ray", 4)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "ray").rglob("done.json")}
    tell(nodes, "node")
    assert finished(sweep).count("trained now") >= 11  # what was done as its machine died is told otherwise
    finished(command(tmp_path / "here", "--workers", "2"))
    assert published(tmp_path / "ray") == published(tmp_path / "here")
    for path, was in before.items():  # no finished run was run again
        assert (path.stat().st_mtime_ns, path.read_bytes()) == was
    assert not list((tmp_path / "ray").rglob("seen_*"))
    assert not list((tmp_path / "ray").rglob("*.lock"))
    # The same command again has nothing to do, not even with a cluster.
    assert finished(command(tmp_path / "ray", "--ray", address)).count("done before") == 12


@with_ray
@pytest.mark.slow
def test_a_cluster_that_is_gone_is_one_sentence_and_the_sweep_goes_on_elsewhere(cluster, tmp_path, monkeypatch):
    nodes, address = cluster
    monkeypatch.setitem(ENVIRONMENT, "RAY_gcs_rpc_server_reconnect_timeout_s", "3")
    sweep = command(tmp_path, "--ray", address)
    wait_for_runs(tmp_path, 2)
    tell(nodes, "head")
    _, errors = sweep.communicate(timeout=200)
    assert sweep.returncode == 1
    assert errors == (
        f"error: The connection to Ray must hold. Received: --ray {address}, which was lost. What is done is kept: run "
        "the same command again to go on.\n"
    )
    done = {path: path.read_bytes() for path in tmp_path.rglob("done.json")}
    assert len(done) >= 2
    assert "done before" in finished(command(tmp_path, "--workers", "2"))
    assert all(path.read_bytes() == content for path, content in done.items())
    assert all(read_json(path)["test_images"] == 360 for path in tmp_path.rglob("done.json"))


@with_ray
@pytest.mark.slow
def test_an_address_where_nobody_is_and_too_much_are_one_sentence(tmp_path):
    for options, said in (
        (
            ["--ray", "127.0.0.1:1"],
            "error: A Ray cluster must answer at `--ray`. Received: --ray 127.0.0.1:1 (Connection",
        ),
        (
            ["--ray", "local", "--gpus", "1000"],
            "error: `--gpus` must not be more than the cluster has. Received: --gpus 1000",
        ),
    ):
        sweep = command(tmp_path, *options)
        _, errors = sweep.communicate(timeout=200)
        assert sweep.returncode == 1
        assert errors.startswith(said)
        assert errors.count("\n") == 1
