"""What fixed kernels cost: a training step with masks or signs against one with the weights themselves, and memory.

`python benchmarks/connectivity.py` prints two tables, of the backend that Keras runs on; `--write` puts them into
`benchmarks/connectivity.md` too, and those of other backends than TensorFlow beside it.

Each network is trained with Adam on random images, in batches of 25 as in the paper, without biases: once with the
layers of Keras, and with `Masked` and `Signed` around the same layers. All that is compared runs interleaved in one
process; the figures are medians, and the ratios are medians of the ratios of each round. `plain again` is the same
network as `plain`: how far its ratio is from 1 is the noise. Where other programs compete for the processor, the ratio
of time that passes says little; that of the processor time of all threads is disturbed less.

The goal is a step of at most 1.10 times the plain one. `floor` is the least that any implementation has to do: layers
of Keras whose kernel is multiplied by the mask where they read it, with neither a layer around them nor anything that a
call has to keep; its passes are those of `Masked`. In the forward pass one over kernel and scores makes the product,
and in the backward pass one over the gradient and the kernel the gradient of the scores; with the minimal objective
another one each way counts the scores above 0 and adds the gradient of that. They do not shrink with the batch, while
the plain step of `lenet_300_100` takes one to four milliseconds only. Where the floor is above 1.10 the goal cannot be
reached on this machine.

Memory is counted in variables, of the model alone and with the state of Adam; the peak is what one process grew by from
before the model was made to the end of training.
"""

import argparse
import math
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
from train_by_reconnect import Masked, MinimalChange, PositiveUniform, Signed, backend, set_objective

BATCH_SIZE = 25
NETWORKS = {"lenet_300_100": (28, 28, 1), "conv2": (32, 32, 3)}
STEPS = {"lenet_300_100": 200, "conv2": 5}
# How `fit` takes its steps on each backend, and `jit_compile` for that.
MODES = {"tensorflow": {"graph": False, "jit_compile": True}, "jax": {"jit": True}, "torch": {"eager": False}}
BACKEND = keras.backend.backend()


class Floor:
    """What any implementation has to do, beside a layer of Keras: a pass over kernel and scores each way."""

    def build(self, input_shape):
        """Build the layer, whose kernel stays fixed, and scores, which are trained for it."""
        super().build(input_shape)
        fixed = self.kernel
        fixed.trainable = False
        self.scores = [self.add_weight(shape=fixed.shape, initializer=PositiveUniform(), name="scores")]

    @property
    def kernel(self):
        """The kernel that the layer computes with, a masked one; the plain one while it is built."""
        fixed = super().kernel
        return backend.times_step(fixed.value, self.scores[0].value, 0.0) if hasattr(self, "scores") else fixed


class FloorDense(Floor, keras.layers.Dense):
    """Such a dense layer."""


class FloorConv2D(Floor, keras.layers.Conv2D):
    """Such a convolution."""


def floor(layer):
    """A layer with no more than that, of the configuration of one."""
    kinds = {keras.layers.Dense: FloorDense, keras.layers.Conv2D: FloorConv2D}
    return kinds[type(layer)].from_config(layer.get_config())


LAYERS = {
    "plain": (lambda layer: layer, "free"),
    "plain again": (lambda layer: layer, "free"),
    "floor, free": (floor, "free"),
    "floor, minimal": (floor, "minimal"),
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
    if objective == "minimal" and kind is floor:
        scores = [layer.scores[0] for layer in model.layers if isinstance(layer, Floor)]
        total = sum(math.prod(each.shape) for each in scores)
        for each in scores:
            each.regularizer = MinimalChange(math.prod(each.shape) / total)
    elif objective == "minimal":
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
