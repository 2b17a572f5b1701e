"""Memory and time of `profile` of a file of weights, one tensor at a time.

`python benchmarks/profile_files.py` prints a table; `--write` puts it into `benchmarks/profile_files.md` too.

Each file is made for this, of random matrices of 8192 x 8192, in a temporary folder, and profiled at the defaults in a
process of its own. *Memory* is the most that the process had, with the pages of the file that it looked at, over what
it had once everything was imported and a small layer profiled; the goal is at most 1.5 times the largest tensor, which
counts as float32 also where it has 16 bits: these become float32 some at a time.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import ml_dtypes
import numpy as np

from benchmarks.outcome import finish
from benchmarks.processes import in_a_process, resident
from scripts.publishing.tables import markdown_table

MIB = 1 << 20
# What a file is, the type of its numbers, and the last part of the names in it.
FILES = {
    "safetensors, PyTorch's axes": ("float32", "weight"),
    "safetensors, Keras' axes": ("float32", "kernel"),
    "safetensors, bfloat16": ("bfloat16", "weight"),
}


def write_safetensors(path, side, count, dtype, word):
    """A file of `count` matrices, written one at a time."""
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    size = side * side * kind.itemsize
    names = {"float32": "F32", "bfloat16": "BF16"}
    header = {
        f"layer_{place}.{word}": {
            "dtype": names[dtype],
            "shape": [side, side],
            "data_offsets": [place * size, (place + 1) * size],
        }
        for place in range(count)
    }
    text = json.dumps(header).encode()
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(count * side):
            file.write(random.standard_normal(side, "float32").astype(kind).tobytes())


def measure(path):
    """Seconds, and bytes over those of the imports, of profiling a file in this process."""
    from train_by_reconnect import profile

    dense = keras.layers.Dense(5)
    dense.build((None, 9))
    profile(dense)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the most from here on
    before, start = resident("VmRSS"), time.perf_counter()
    profile(path)
    return time.perf_counter() - start, resident("VmHWM") - before


def line(folder, name, side, count):
    """The cells of one line."""
    dtype, word = FILES[name]
    largest, path = side * side * 4, folder / "weights.safetensors"
    write_safetensors(path, side, count, dtype, word)
    size = path.stat().st_size
    seconds, taken = (float(each) for each in in_a_process(__file__, "--measure", str(path)))
    cells = [f"{size / MIB:,.0f}", f"{largest / MIB:,.0f}", f"{taken / MIB:,.0f}", f"{taken / largest:.2f}"]
    return [name, *cells, f"{seconds:.1f}"]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the table into a file")
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.measure:
        print("\t".join(map(str, measure(parsed.measure))))
        return
    side = 64 if parsed.small else 8192
    with tempfile.TemporaryDirectory() as folder:
        lines = [line(pathlib.Path(folder), name, side, 4) for name in FILES]
    head = ["file", "MiB", "largest tensor, MiB", "memory, MiB", "times the largest", "seconds"]
    text = markdown_table(head, lines)
    print(text)
    finish("Profiles of files", __file__, __doc__, [text], "each once", parsed.write)


if __name__ == "__main__":
    main()
