"""What `LayerwiseTraining(state="drop")` saves of memory, and what it does to the accuracy, beside `state="keep"`.

`python benchmarks/layerwise_state.py` prints a table; `--write` puts it into `benchmarks/layerwise_state.md` too, with
`KERAS_BACKEND=jax` or `torch` into a file of that backend.

`relu_net`, eight dense layers of which seven have 1,024 units (`--units`), with Adam, on some of scikit-learn's digits.
Each epoch trains one layer, one after the other from the bottom, as in BAdam. Each training is a process of its own.

The optimizer makes the state of all layers before the first step, and the steps are compiled in the first eight epochs,
so the memory is looked at after these: the most that the process holds (`VmHWM` of Linux, set back then) less what it
held before the model was made. At the end of `fit` all state is made again, without a step beside it; that is not in
it. Counted too: the bytes of the state during the steps, the mean over the epochs. Memory that is freed goes back to
Linux at once (`MALLOC_MMAP_THRESHOLD_`), as that of a GPU does to Keras. The accuracy is that of a held-out fifth, the
mean over the seeds and its standard deviation. "all layers" is a plain training, for comparison.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np
from sklearn.datasets import load_digits

import models
from train_by_reconnect import LayerwiseTraining

STATES = ("all layers", "keep", "drop")
MEGABYTE = 1 << 20
DEPTH = 8  # layers


class OneInTurn:
    """One layer for each epoch, from the bottom to the top and again."""

    def __init__(self):
        self.drawn = 0

    def draw(self, generator, depth):
        """The layer, as in `TopAndBottom.draw`."""
        self.drawn += 1
        return ((self.drawn - 1) % depth,)


class HeldState(keras.callbacks.Callback):
    """Bytes of the optimizer's state in each epoch, and from the ninth on the peak of the memory."""

    def __init__(self):
        super().__init__()
        self.bytes = []

    def on_train_batch_end(self, batch, logs=None):
        """Count what is there after the first step."""
        if batch == 0:
            variables = self.model.optimizer.variables
            self.bytes.append(sum(int(np.prod(v.shape)) * np.dtype(v.dtype).itemsize for v in variables))

    def on_epoch_end(self, epoch, logs=None):
        """Look at the memory; anew when each layer has been trained once and each step is compiled."""
        self.peak = megabytes("VmHWM")
        if epoch == DEPTH - 1:
            pathlib.Path("/proc/self/clear_refs").write_text("5")


def data(examples):
    """The digits and their labels, shuffled."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))
    order = order[:examples]
    return (digits.images / 16).astype("float32")[order, ..., np.newaxis], digits.target[order]


def megabytes(name):
    """What Linux says of the memory of this process: `VmRSS`, now, or `VmHWM`, the most so far."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024


def train(state, seed, epochs, units, examples):
    """One training: its peak, the state held, and the accuracy."""
    keras.utils.set_random_seed(seed)
    x, y = data(examples)
    split = len(x) * 4 // 5
    before = megabytes("VmRSS")
    model, held = models.relu_net((8, 8, 1), depth=DEPTH - 1, units=units), HeldState()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    layerwise = [] if state == "all layers" else [LayerwiseTraining(OneInTurn(), seed=seed, state=state)]
    model.fit(x[:split], y[:split], batch_size=32, epochs=epochs, verbose=0, callbacks=[*layerwise, held])
    return {
        "peak": held.peak - before,
        "held": float(np.mean(held.bytes)) / MEGABYTE,
        "weights": model.count_params() * 4 / MEGABYTE,
        "accuracy": model.evaluate(x[split:], y[split:], verbose=0)[1],
    }


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--units", type=int, default=1024)
    parser.add_argument("--examples", type=int, default=320)
    parser.add_argument("--write", action="store_true", help="write a file beside this one")
    parser.add_argument("--one", nargs=2, metavar=("STATE", "SEED"), help="one training, as JSON")
    parser.add_argument("--small", action="store_true", help="a tiny network once, to see that all of it runs")
    parsed = parser.parse_args()
    if parsed.small:
        parsed.epochs, parsed.seeds, parsed.units, parsed.examples = 10, 1, 16, 160
    if parsed.one:
        print(json.dumps(train(parsed.one[0], int(parsed.one[1]), parsed.epochs, parsed.units, parsed.examples)))
        return
    from benchmarks.outcome import finish  # what a training need not have in its memory
    from scripts.publishing.tables import markdown_table

    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": str(MEGABYTE)}
    lines = []
    for state in STATES:
        runs = []
        for seed in range(parsed.seeds):
            options = [f"--{name}={getattr(parsed, name)}" for name in ("epochs", "units", "examples")]
            options += ["--one", state, str(seed)]
            command = [sys.executable, __file__, *options]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
        mean = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
        spread = np.std([run["accuracy"] for run in runs])
        accuracy = f"{100 * mean['accuracy']:.1f} +- {100 * spread:.1f}"
        lines.append([state, f"{mean['peak']:.0f}", f"{mean['held']:.1f}", f"{mean['weights']:.1f}", accuracy])
    heads = ["state", "peak, MB", "optimizer's state held, MB", "weights, MB", "accuracy, %"]
    text = markdown_table(heads, lines)
    print(text)
    rounds = f"means of {parsed.seeds} seeds, {parsed.epochs} epochs, {parsed.units} units, {parsed.examples} examples"
    finish("Dropping the optimizer's state", __file__, __doc__, [text], rounds, parsed.write, by_backend=True)


if __name__ == "__main__":
    main()
