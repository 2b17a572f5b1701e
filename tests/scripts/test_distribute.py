"""Each training on several devices: what one device gives, but for rounding, and a sentence where it cannot be."""

import os
import subprocess
import sys

import numpy as np
import pytest
from backends import BACKEND

from scripts.__main__ import main
from scripts.running.distribution import check_engine
from scripts.running.files import read_csv, read_json

ENGINES = {"tensorflow": "mirrored", "jax": "data_parallel"}
RUN = ["run", "quickstart", "--size", "quick", "--only", "LaPerm"]


def test_an_engine_of_another_backend_is_one_sentence():
    check_engine(None, "torch")
    check_engine("mirrored", "tensorflow")
    with pytest.raises(ValueError, match=r"engine of tensorflow. Received: .*on jax. Pass --distribute data_parallel"):
        check_engine("mirrored", "jax")
    with pytest.raises(ValueError, match=r"engine of jax. Received: --distribute data_parallel on torch. See docs/sca"):
        check_engine("data_parallel", "torch")


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--devices", "2"], "without --distribute"), (["--devices", "0"], "`--devices` must be at least 1")],
)
def test_bad_numbers_of_devices_are_one_sentence(options, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("scripts.__main__.start_quietly", lambda *arguments, **more: None)  # this process has started
    assert main([*RUN, *options, "--results", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(BACKEND not in ENGINES, reason="Keras has no engine for several devices on PyTorch")
@pytest.mark.slow
def test_two_devices_give_what_one_gives(tmp_path):
    def run(*options):
        command = [sys.executable, "-m", "scripts", *RUN, *options]
        environment = os.environ | {"KERAS_BACKEND": BACKEND}
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    both = {"one": [], "two": ["--distribute", ENGINES[BACKEND], "--devices", "2"]}
    for name, options in both.items():
        done = run(*options, "--results", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
    folders = {name: tmp_path / name / "runs/quickstart/quick/laperm_k_=_40/seed_0" for name in both}
    assert read_json(folders["two"] / "done.json")["is_permutation"]
    assert read_json(folders["two"] / "declaration.json")["distribute"] == f"{ENGINES[BACKEND]}, 2 devices"
    one, two = (read_csv(folder / "rows.csv") for folder in folders.values())
    assert list(one["step"]) == list(two["step"])
    # 40 steps from the same weights: of 157 images three may be answered otherwise.
    differ = np.abs(one["val_accuracy"].dropna().to_numpy() - two["val_accuracy"].dropna().to_numpy())
    assert differ.size
    assert differ.max() <= 3.5 / 157
    # Another number of devices is another declaration.
    done = run("--results", str(tmp_path / "two"))
    assert done.returncode == 1
    assert f"distribute was '{ENGINES[BACKEND]}, 2 devices' and is None" in done.stderr
    done = run("--distribute", ENGINES[BACKEND], "--devices", "2", "--workers", "2", "--results", str(tmp_path / "w"))
    assert done.returncode == 0, done.stderr
    assert read_csv(tmp_path / "w/runs/quickstart/quick/quickstart.csv").equals(
        read_csv(tmp_path / "two/runs/quickstart/quick/quickstart.csv")
    )
