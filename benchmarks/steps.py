"""What LaPerm adds to a training step of bare Adam, on the backend that Keras runs on.

`KERAS_BACKEND=jax python benchmarks/steps.py` prints a table; `--write` puts it into `benchmarks/steps.md`, and on
another backend than TensorFlow into `benchmarks/steps_jax.md` or `steps_torch.md`.

Conv7 in batches of 50 and F2 in batches of 128 as in the paper, on random images. All five trainings of a network run
interleaved in one process, a round being a short epoch of each. The milliseconds are medians; the ratios to Adam are
the median and, behind it, the quartiles of the ratios of each round. `Adam again` is Adam once more: how far it is from
1 is the noise. The goal is at most 1.03 at k = 1000 and 1.10 at k = 20. Few of the rounds have a synchronization at
k = 1000, so that the median leaves it out: what it adds to a step is its time, in `benchmarks/synchronization.md`, by
1000.
"""

import argparse
import os
import pathlib
import statistics
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np

import models
from benchmarks.outcome import finish
from scripts.publishing.tables import markdown_table
from scripts.running.interleaved import interleaved
from train_by_reconnect import LaPerm

BACKEND = keras.backend.backend()
# How `fit` takes its steps on each backend.
MODES = {
    "tensorflow": {"graph": {"jit_compile": False}, "XLA": {"jit_compile": True}, "eager": {"run_eagerly": True}},
    "jax": {"jit": {"jit_compile": True}},
    "torch": {"eager": {"jit_compile": False}, "compiled": {"jit_compile": True}},
}[BACKEND]
NETWORKS = {"conv7": 50, "f2": 128}  # and their batch sizes
STEPS = {"conv7": 20, "f2": 200}  # of one round
OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(),
    "Adam again": lambda: keras.optimizers.Adam(),
    "LaPerm, no synchronization": lambda: laperm(10**9),
    "LaPerm, k = 1000": lambda: laperm(1000),
    "LaPerm, k = 20": lambda: laperm(20),
}


def laperm(sync_period):
    """LaPerm around Adam, with nothing at the end of a `fit`."""
    return LaPerm("adam", sync_period=sync_period, skip_bias=False, final_sync=False)


def steps(name, mode, rounds, count):
    """The lines of one network, its steps run in one way."""
    images = np.random.default_rng(0).random((NETWORKS[name] * count, 28, 28, 1), "float32")
    labels = np.zeros(len(images), "int32")
    functions = {}
    for label, optimizer in OPTIMIZERS.items():
        model = getattr(models, name)()
        model.compile(optimizer=optimizer(), loss="sparse_categorical_crossentropy", **MODES[mode])
        functions[label] = lambda model=model: model.fit(images, labels, NETWORKS[name], shuffle=False, verbose=0)
    times = interleaved(functions, rounds)
    lines = []
    for label, seconds in times.items():
        ratios = np.quantile(np.divide(seconds, times["Adam"]), [0.5, 0.25, 0.75])
        milliseconds = 1000 * statistics.median(seconds) / count
        lines.append([name, mode, label, f"{milliseconds:.2f}", "{:.3f} ({:.3f} to {:.3f})".format(*ratios)])
    return lines


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the table into a file")
    parsed = parser.parse_args()
    if parsed.small:
        parsed.rounds, parsed.networks, parsed.modes = 1, ["f2"], list(MODES)[:1]
    lines = [
        line
        for name in parsed.networks
        for mode in parsed.modes
        for line in steps(name, mode, parsed.rounds, 2 if parsed.small else STEPS[name])
    ]
    text = markdown_table(["network", "step", "optimizer", "ms a step", "ratio to Adam"], lines)
    print(text)
    rounds = f"medians and quartiles of {parsed.rounds} rounds"
    finish("Steps", __file__, __doc__, [text], rounds, parsed.write, by_backend=True)


if __name__ == "__main__":
    main()
