"""What fixed kernels cost: a training step with masks or signs against one with the weights themselves, and memory.

`python benchmarks/connectivity.py` prints two tables, of the backend that Keras runs on; `--write` puts them into
`benchmarks/connectivity.md` too, and those of other backends than TensorFlow beside it.

Each network is trained with Adam on random images, in batches of 25 as in the paper, without biases: once with the
layers of Keras, and with `Masked` and `Signed` around the same layers. All that is compared runs interleaved in one
process; the figures are medians, and the ratios are medians of the ratios of each round. `plain again` is the same
network as `plain`: how far its ratio is from 1 is the noise. Where other programs compete for the processor, the ratio
of time that passes says little; that of the processor time of all threads is disturbed less.

The goal is a step of at most 1.10 times the plain one. `conv2` meets it on TensorFlow with the free objectives, by
processor time; `lenet_300_100` misses it. Its plain step takes one to four milliseconds, and what is added does not
shrink with the batch: a pass over kernel and scores in the forward pass and one in the backward pass, on TensorFlow of
0.06 ms each for its largest layer, and with the minimal objective another one each way; where a step is not compiled,
as on PyTorch, a second call of each layer too, 0.1 to 0.15 ms. That is not all of it; the rest has not been traced.

Memory is counted in variables, of the model alone and with the state of Adam; the peak is what one process grew by from
before the model was made to the end of training.
"""

import argparse
import os
import pathlib
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np

import models
from benchmarks.outcome import finish
from benchmarks.processes import in_a_process, resident
from scripts.publishing.tables import markdown_table
from scripts.running.interleaved import interleaved, median_ratio
from train_by_reconnect import Masked, Signed, set_objective

BATCH_SIZE = 25
NETWORKS = {"lenet_300_100": (28, 28, 1), "conv2": (32, 32, 3)}
STEPS = {"lenet_300_100": 200, "conv2": 5}
# How `fit` takes its steps on each backend, and `jit_compile` for that.
MODES = {"tensorflow": {"graph": False, "jit_compile": True}, "jax": {"jit": True}, "torch": {"eager": False}}
BACKEND = keras.backend.backend()
LAYERS = {
    "plain": (lambda layer: layer, "free"),
    "plain again": (lambda layer: layer, "free"),
    "Masked, free": (Masked, "free"),
    "Masked, minimal": (Masked, "minimal"),
    "Signed, free": (Signed, "free"),
    "Signed, minimal": (Signed, "minimal"),
}


def network(name, label, jit_compile=False):
    """A compiled network."""
    kind, objective = LAYERS[label]
    arguments = {} if name == "lenet_300_100" else {"conv": lambda *a, **k: kind(keras.layers.Conv2D(*a, **k))}
    plain = {"plain": True} if name == "conv2" else {}
    model = getattr(models, name)(dense=lambda *a, **k: kind(keras.layers.Dense(*a, **k)), **arguments, **plain)
    if objective == "minimal":
        set_objective(model, "minimal")
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", jit_compile=jit_compile)
    return model


def batches(name, steps):
    """Random images, and labels."""
    images = np.random.default_rng(0).random((BATCH_SIZE * steps, *NETWORKS[name]), "float32")
    return images, np.arange(len(images), dtype="int32") % 10


def clocks():
    """The time that has passed, and the processor time of all threads, in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def steps(name, mode, rounds):
    """The lines of the first table."""
    data = batches(name, STEPS[name])
    functions = {}
    for label in LAYERS:
        model = network(name, label, MODES[BACKEND][mode])
        functions[label] = lambda model=model: model.fit(*data, BATCH_SIZE, shuffle=False, verbose=0)
    times = interleaved(functions, rounds, clocks)
    elapsed, processor = ({label: [pair[n] for pair in pairs] for label, pairs in times.items()} for n in (0, 1))
    return [
        [
            name,
            f"{BACKEND}, {mode}",
            label,
            f"{1000 * statistics.median(elapsed[label]) / STEPS[name]:.2f}",
            *(f"{median_ratio(seconds[label], seconds['plain']):.3f}" for seconds in (elapsed, processor)),
        ]
        for label in LAYERS
    ]


def memory(name, label):
    """The line of the second table, for a process of its own."""
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).predict(np.ones((1, 1)), verbose=0)
    data = batches(name, 10)
    before = resident("VmRSS")
    model = network(name, label, "jit" in MODES[BACKEND])
    model.fit(*data, BATCH_SIZE, shuffle=False, verbose=0)
    peak = resident("VmHWM") - before
    weights, state = (sum(v.numpy().nbytes for v in each.variables) for each in (model, model.optimizer))
    return [name, label.split(",")[0], *(f"{size / 2**20:.1f}" for size in (weights, weights + state, peak))]


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write benchmarks/connectivity.md")
    parser.add_argument("--memory", nargs=2, metavar=("NETWORK", "LAYERS"), help="measure the memory of one network")
    parsed = parser.parse_args()
    if parsed.memory:
        print("\t".join(memory(*parsed.memory)))
        return
    if parsed.small:
        parsed.rounds, parsed.networks = 1, ["lenet_300_100"]
        STEPS["lenet_300_100"] = 2
    lines = [line for name in parsed.networks for mode in MODES[BACKEND] for line in steps(name, mode, parsed.rounds)]
    first = markdown_table(["network", "step", "layers", "ms a step", "ratio to plain", "of processor time"], lines)
    print(first, flush=True)
    kinds = ("plain", "Masked, free", "Signed, free")
    second = markdown_table(
        ["network", "layers", "weights, MiB", "and state of Adam", "peak of the process"],
        [in_a_process(__file__, "--memory", parsed.networks[-1], label) for label in kinds],
    )
    print(f"\n{second}")
    rounds = f"medians of {parsed.rounds} rounds"
    finish("Connectivity", __file__, __doc__, [first, second], rounds, parsed.write, by_backend=True)


if __name__ == "__main__":
    main()
