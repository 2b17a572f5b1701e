"""The backend is said in one sentence where it is missing, cannot train, or changes on the way."""

import os
import pathlib
import subprocess
import sys

import pytest

from train_by_reconnect import LaPerm
from train_by_reconnect.backend.chosen import backend_of_keras

ROOT = pathlib.Path(__file__).resolve().parents[2]
HIDDEN = """
import importlib.abc, sys
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("tensorflow", "jax", "torch"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])
sys.meta_path.insert(0, Hide())
import train_by_reconnect
from train_by_reconnect import LaPerm
"""


def last_line(code, **variables):
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"} | variables
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["tensorflow", "jax", "torch"])
def test_missing(name):
    said = last_line(HIDDEN, KERAS_BACKEND=name)
    assert said.startswith("ImportError: train_by_reconnect needs a backend of Keras, and ")
    assert f'Received: KERAS_BACKEND={name}. Run `pip install "train-by-reconnect[' in said


@pytest.mark.parametrize("name", ["numpy", "openvino", "theano"])
def test_cannot_train(name):
    said = last_line("from train_by_reconnect import LaPerm", KERAS_BACKEND=name)
    assert f"Received: '{name}'. Set KERAS_BACKEND to tensorflow, jax or torch before Keras is imported." in said


def test_changed_on_the_way(monkeypatch):
    now = backend_of_keras()
    other = "jax" if now != "jax" else "torch"
    monkeypatch.setenv("KERAS_BACKEND", other)
    with pytest.raises(ImportError, match=f"Received: KERAS_BACKEND={other}, while Keras runs on {now}. Set it at the"):
        LaPerm("adam")
