"""A file of 1 GB, or of half as many bits, takes little more memory than its largest tensor."""

import json
import pathlib
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from train_by_reconnect.backend import rows
from train_by_reconnect.backend.rows import take_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SIDE, COUNT = 8192, 4
PROGRAM = """
import pathlib, sys
sys.path[:0] = [{root!r}]
import keras
from benchmarks.processes import resident
from train_by_reconnect import profile
dense = keras.layers.Dense(5)
dense.build((None, 9))
profile(dense)
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = resident("VmRSS")
found = profile({path!r}, n_draws=2)
print(len(found.kernels), resident("VmHWM") - before)
"""


@pytest.mark.parametrize(("mode", "first"), [("r", 0), ("c", 9)])
def test_what_a_map_holds_is_as_before_once_its_pages_are_let_go(tmp_path, mode, first):
    np.arange(6, dtype="float32").tofile(tmp_path / "x")
    value = np.memmap(tmp_path / "x", "float32", mode, shape=(2, 3))
    if mode == "c":
        value[0, 0] = 9  # in memory only, and not in the file
    view = np.asarray(value).view()
    view.flags.writeable = False
    assert take_rows(view, (0,), slice(0, 1)).tolist() == [[first, 1, 2]]
    assert value.tolist() == [[first, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("piece", [1, 12, 1000])
@pytest.mark.parametrize("chosen", [slice(1, 4), slice(None), [0, 3]])
def test_columns_of_a_map_are_taken_some_pages_at_a_time(tmp_path, monkeypatch, piece, chosen):
    value = np.arange(3 * 7 * 5, dtype="float32").reshape(3, 7, 5)
    value.tofile(tmp_path / "x")
    monkeypatch.setattr(rows, "_PIECE", piece)
    taken = take_rows(np.memmap(tmp_path / "x", "float32", "r", shape=value.shape), (-1,), chosen)
    np.testing.assert_array_equal(taken, value.reshape(21, 5).T[chosen])


@pytest.mark.slow
@pytest.mark.skipif(not pathlib.Path("/proc/self/clear_refs").exists(), reason="Linux tells what a process has")
# Neurons in rows, in columns, and numbers of fewer bits, which become float32; by two threads, as there are two draws.
@pytest.mark.parametrize(("word", "kind"), [("weight", "F32"), ("kernel", "F32"), ("weight", "BF16")])
def test_a_large_file_takes_at_most_1_5_times_its_largest_tensor(tmp_path, word, kind):
    dtype = np.dtype({"F32": "float32", "BF16": ml_dtypes.bfloat16}[kind])
    size = SIDE * SIDE * dtype.itemsize
    header = {
        f"layer_{i}.{word}": {"dtype": kind, "shape": [SIDE, SIDE], "data_offsets": [i * size, (i + 1) * size]}
        for i in range(COUNT)
    }
    text, random = json.dumps(header).encode(), np.random.default_rng(0)
    path = tmp_path / "x.safetensors"
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(COUNT * SIDE):
            file.write(random.standard_normal(SIDE, "float32").astype(dtype).tobytes())
    program = PROGRAM.format(root=str(ROOT), path=str(path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    kernels, taken = map(int, done.stdout.split()[-2:])
    path.unlink()
    assert kernels == COUNT
    largest = 4 * SIDE * SIDE  # as float32
    assert taken <= 1.5 * largest, f"{taken / largest:.2f} times the largest tensor"
