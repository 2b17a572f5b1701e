import os
import pathlib
import subprocess
import sys

import pytest
from backends import only_on

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCHMARKS = sorted(path.name for path in (ROOT / "benchmarks").glob("*.py") if "def main" in path.read_text())


def test_there_are_benchmarks():
    assert "synchronization.py" in BENCHMARKS


@only_on("tensorflow", "the benchmarks compare with the original, which is in TensorFlow")
@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_at_its_smallest_it_prints_numbers(name, tmp_path):
    command = [sys.executable, "-W", "error::UserWarning", str(ROOT / "benchmarks" / name), "--small"]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert any(character.isdigit() for character in done.stdout)
    assert not list(tmp_path.iterdir())
