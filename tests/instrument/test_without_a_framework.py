"""Weights in files are profiled and compared where neither Keras nor a backend can be imported, nor is."""

import pathlib
import subprocess
import sys

import h5py
import numpy as np
import pytest
from stored import write_safetensors, write_torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRAMEWORKS = ("keras", "tensorflow", "jax", "torch")
HIDDEN = f"""
import importlib.abc, sys
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in {FRAMEWORKS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.split(".")[0])
sys.meta_path.insert(0, Hide())
"""
COMMAND = "import train_by_reconnect_start as start; status = start.main()\n"
LOADED = f"print([name for name in {FRAMEWORKS} if name in sys.modules]); sys.exit(status)"


@pytest.fixture
def files(tmp_path):
    """One of each format that needs no framework, with a kernel of 30 vectors of 20 weights."""
    weights = np.random.default_rng(0).normal(size=(30, 20)).astype("float32")
    words = "".join(f"w{row} {' '.join(map(str, values))}\n" for row, values in enumerate(weights))
    (tmp_path / "words.txt").write_text(words)
    with h5py.File(tmp_path / "x.weights.h5", "w") as file:
        file["layers/dense/vars/0"] = weights.T
    write_safetensors(tmp_path / "x.safetensors", {"fc.weight": weights})
    write_torch(tmp_path / "x.pt", {"fc.weight": weights})
    return [tmp_path / name for name in ("x.safetensors", "x.pt", "words.txt", "x.weights.h5")]


def run(code, *arguments):
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_files_are_profiled_and_compared_where_there_is_no_framework(files):
    code = f"""{HIDDEN}
from train_by_reconnect import compare_profiles, profile
for file in sys.argv[1:]:
    found = profile(file)
    assert len(found.kernels) == 1 and found.to_html() and found.plot() and found.plot(found.kernels[0].name)
    assert not found.rows[0]["plain_initializer"] > 1
    assert found.summary() and compare_profiles(file, file).rows[0]["changed"] == 0
print(found.rows[0]["initializer"])
"""
    assert run(code, *files) == (0, ["GlorotUniform"], "")


@pytest.mark.parametrize("place", range(4))
def test_the_command_imports_no_framework(files, tmp_path, place):
    arguments = ("profiles", files[place], "--picture", tmp_path / "a.png", "--html", tmp_path / "a.html")
    status, lines, said = run(f"import sys\n{COMMAND}{LOADED}", *arguments)
    assert (status, lines[-1], said) == (0, "[]", "")
    assert any("30 x 20" in line for line in lines)
    assert (tmp_path / "a.png").exists()
    status, lines, _ = run(f"import sys\n{COMMAND}{LOADED}", "profiles", files[place], "--against", files[0])
    assert lines[-1] == "[]"


@pytest.mark.parametrize("arguments", [("profiles", "x.keras"), ("profiles", "MobileNet"), ("inspect", "x.keras")])
def test_what_needs_a_backend_says_which_to_install(tmp_path, arguments):
    command, name = arguments
    if name == "x.keras":
        name = tmp_path / name
        name.write_bytes(b"PK")
    status, _, said = run(f"{HIDDEN}{COMMAND}{LOADED}", command, name)
    assert status == 1
    assert "keras" in said
    assert said.count("\n") == 1
