"""Keras is imported when it is needed, and knows all saved classes of the library from then on."""

import os
import pathlib
import subprocess
import sys

import pytest
from backends import BACKEND

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAVED = ROOT / "tests" / "optimizers" / "mid_period" / f"{BACKEND}.keras"
LOAD = f"print(type(keras.models.load_model({str(SAVED)!r}).optimizer).__name__)"


def last_line(*lines):
    environment = os.environ | {"KERAS_BACKEND": BACKEND}
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "first",
    [
        "import train_by_reconnect, keras",
        "import keras, train_by_reconnect",
        "import train_by_reconnect.layers.masked_and_signed, keras",  # as unpickling does
        "from train_by_reconnect import LaPerm; import keras",
        "from train_by_reconnect import profile; import keras",
    ],
)
def test_a_saved_model_is_loaded_in_whatever_order_the_two_are_imported(first):
    assert last_line(first, LOAD) == "LaPerm"


def test_where_a_private_module_is_first_all_comes_with_the_first_public_name():
    lines = ("import train_by_reconnect.weights.kernels, keras", "from train_by_reconnect import ranking", LOAD)
    assert last_line(*lines) == "LaPerm"


def test_keras_is_not_imported_before_it_is_needed():
    lines = ("import sys, train_by_reconnect as t", "assert 'LaPerm' in dir(t)", "print('keras' in sys.modules)")
    assert last_line(*lines) == "False"


def test_a_name_that_is_none():
    with pytest.raises(ImportError, match="cannot import name 'LaPrem'"):
        from train_by_reconnect import LaPrem  # noqa: F401
