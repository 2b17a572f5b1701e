"""`keras.distribution` on four simulated devices gives what one device gives, and no weight travels between them."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from backends import only_on

pytestmark = only_on("jax", "keras.distribution")
SCRIPT = pathlib.Path(__file__).with_name("sharded.py")
# Ten steps of Adam at rate 0.01, and a gradient summed by devices in another order: up to 200 products, each rounded.
ROUNDING = 10 * 0.01 * 200 * 2.0**-24


@pytest.fixture(scope="module")
def runs():
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2])}
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("how", ["data", "model"])
@pytest.mark.parametrize("optimizer", ["LaPerm", "Lookahead"])
def test_several_devices_equal_one(runs, optimizer, how):
    one, several = runs[optimizer]["one"], runs[optimizer][how]
    assert several["last_sync"] == one["last_sync"] == (10 if optimizer == "LaPerm" else 8)
    for ours, theirs in zip(several["weights"], one["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("how", ["one", "data", "model"])
def test_permutation(runs, how):
    assert runs["LaPerm"][how]["permuted"]


def test_no_weight_travels(runs):
    # Kernels lie in four shards of neurons, and their sorted weight vectors with them. What is left to tell each other
    # is whether all weights are finite.
    found = runs["LaPerm"]["model"]
    assert found["shards"] == [4, 1, 4, 1]
    assert found["rows"] == [4, 4]
    assert found["program"]
    for line in found["program"]:
        result, is_reduction, _ = line.partition(" all-reduce(")
        assert is_reduction, line
        assert "pred[]" in result, line
        assert "f32" not in result, line


def test_evaluations_on_several_devices_are_those_of_one(runs):
    one, several = runs["evaluated"]["one"], runs["evaluated"]["data"]
    assert [(row["step"], row["when"]) for row in several] == [(s, w) for s in (2, 4) for w in ("before", "after")]
    for row, alone in zip(several, one, strict=True):
        assert row.keys() == alone.keys()
        # One example of 30 may be answered otherwise where the sums of the devices are rounded otherwise.
        assert abs(row["test_accuracy"] - alone["test_accuracy"]) < 1.5 / 30


def test_masks_on_several_devices_are_those_of_one(runs):
    for ours, theirs in zip(runs["masked"]["data"], runs["masked"]["one"], strict=True):
        # As above, at rate 0.1, which the momentum makes 1.
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=100 * ROUNDING)
