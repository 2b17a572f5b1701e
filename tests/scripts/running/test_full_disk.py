"""A file system that is really full: one sentence with the folder, status 1, and the same command goes on later."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.slow  # each starts a process that trains


@pytest.fixture
def small_disk(tmp_path):
    """A function that makes a file system of so many kB, or changes its size; only for who may mount one."""

    def size(kilobytes, *options):
        mount = ["mount", "-t", "tmpfs", "-o", ",".join([*options, f"size={kilobytes}k"]), "none", str(tmp_path)]
        try:
            done = subprocess.run(mount, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"cannot mount a small file system: {error}")
        if done.returncode:
            pytest.skip(f"cannot mount a small file system: {done.stderr.strip()}")
        return tmp_path

    yield size
    subprocess.run(["umount", str(tmp_path)], capture_output=True, check=False)


def run(folder):
    command = [sys.executable, "-m", "scripts", "run", "quickstart", "--size", "quick", "--seeds", "0"]
    return subprocess.run(
        [*command, "--results", str(folder / "results")], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.mark.parametrize("kilobytes", [8, 64])
def test_one_sentence(small_disk, kilobytes):
    folder = small_disk(kilobytes)
    done = run(folder)
    assert done.returncode == 1, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert len(said) == 1
    assert said[0].startswith(f"error: The results folder must have room. Received: {folder}/results/")
    assert "whose disk is full. Free some" in said[0]


def test_goes_on_once_there_is_room(small_disk):
    assert run(small_disk(64)).returncode == 1
    folder = small_disk(100_000, "remount")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert not list(folder.rglob("*partial*"))
    assert "3 of 3" not in done.stdout  # one seed, at quick size
    assert len(list((folder / "results" / "records").rglob("seed_0.zip"))) == 3
