"""What one synchronization costs, beside the original's code, and with few and with many weights.

`python benchmarks/synchronization.py` prints two tables; `--write` puts them into `benchmarks/synchronization.md`.
All that is compared runs interleaved in one process; the figures are medians, and the ratios are medians of the ratios
of each round, which hold on a noisy machine where single times do not.

Each way sorts the same weight vectors and assigns the kernels, in one `tf.function`:

- (a) `original`: the ranking by two argsorts and a gather with a list of index pairs, as the authors' code does it.
- (b) `LaPerm`: a step of `LaPerm` that trains one number, with k = 1.
- (c) `graph only`: one argsort, its inverse and one gather, which needs no NumPy; what LaPerm does on a GPU.
- (d) `floor`: one `numpy.sort` of the same values, already packed with their positions into 64 bits, and nothing else:
    the least that this way of ranking can cost, on one core.

The second table is of one square kernel: how long a synchronization takes with few and with many weights, on one core
and on all, each in a process of its own, and the most memory that process used beyond what it had before the kernel was
made, the kernel included. The exponent is that of the power of the number of weights which fits the times best.

What all this adds to a training step is in `benchmarks/steps.md`.
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
import tensorflow as tf

import models
from benchmarks.outcome import finish
from benchmarks.processes import in_a_process, resident
from scripts.publishing.tables import markdown_table
from scripts.running.interleaved import interleaved, median_ratio
from train_by_reconnect import LaPerm, weight_profiles

NETWORKS = ("conv2", "conv4", "conv7", "conv13", "resnet50")
WEIGHTS = (1e5, 3e5, 1e6, 3e6, 1e7, 3e7)


def original(rows, values):
    """The ranking of `rows` with other values, by two argsorts and `gather_nd`."""
    units, size = values.shape
    ranks = tf.argsort(tf.argsort(rows))
    units_of = tf.repeat(tf.range(units)[:, tf.newaxis], size, axis=1)
    return tf.gather_nd(values, tf.stack([units_of, ranks], axis=-1))


def graph_only(rows, values):
    """The same by one argsort, its inverse and a gather from one long vector."""
    units, size = values.shape
    positions = tf.argsort(rows, axis=1, stable=True) + tf.range(0, units * size, size)[:, tf.newaxis]
    ranks = tf.math.invert_permutation(tf.reshape(positions, [-1]))
    return tf.reshape(tf.gather(tf.reshape(values, [-1]), ranks), rows.shape)


def synchronizing(permute, kernels, sorted_rows):
    """A function that synchronizes all kernels by `permute`; their last axis numbers the neurons."""

    def synchronize():
        for kernel, values in zip(kernels, sorted_rows, strict=True):
            last = len(kernel.shape) - 1
            rows = tf.reshape(tf.transpose(kernel.value, [last, *range(last)]), values.shape)
            back = tf.reshape(permute(rows, values), [kernel.shape[last], *kernel.shape[:last]])
            kernel.assign(tf.transpose(back, [*range(1, last + 1), 0]))

    return tf.function(synchronize)


def packed(rows):
    """Each value as an integer of the same order, with its position below it, so that no two are equal."""
    bits = rows.view(np.int32)
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    return ordered << 32 | np.arange(rows.shape[1])


def synchronization(name, rounds):
    """One line of the first table."""
    model = getattr(models, name)()  # kept: the layers tell LaPerm what a weight vector is
    profiles = weight_profiles(model)
    kernels = [profile.variable for profile in profiles]
    sorted_rows = [tf.constant(profile.vectors) for profile in profiles]
    number, optimizer = keras.Variable(1.0), LaPerm("sgd", sync_period=1)
    optimizer.build([*kernels, number])
    optimizer.recapture()  # the initial weights are else those at the first step, which here are shuffled
    functions = {
        "original": synchronizing(original, kernels, sorted_rows),
        "LaPerm": tf.function(lambda: optimizer.apply([tf.zeros([])], [number])),
        "graph only": synchronizing(graph_only, kernels, sorted_rows),
    }
    random = np.random.default_rng(0)
    shuffled = [random.permutation(kernel.numpy().ravel()).reshape(kernel.shape) for kernel in kernels]
    answers = []
    for function in functions.values():
        for kernel, values in zip(kernels, shuffled, strict=True):
            kernel.assign(values)
        function()
        answers.append([kernel.numpy() for kernel in kernels])
    for expected, *others in zip(*answers, strict=True):
        for other in others:
            np.testing.assert_array_equal(expected, other)
    # From here on the weights stay as they are: they have the ranking that each synchronization finds.
    keys = [packed(profile.unsorted) for profile in profiles]
    functions["floor"] = lambda: [np.sort(rows, axis=1) for rows in keys]
    times = interleaved(functions, rounds)
    weights = sum(kernel.numpy().size for kernel in kernels)
    return [
        name,
        f"{weights / 1e6:.2f}M",
        *(f"{1000 * statistics.median(times[key]):.1f}" for key in functions),
        *(f"{median_ratio(times['original'], times[key]):.1f}" for key in ("LaPerm", "graph only", "floor")),
    ]


def one_kernel(weights, cores, rounds):
    """The numbers for one place in the second table, for a process of its own."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])  # before TensorFlow starts its threads
    number, optimizer = keras.Variable(1.0), LaPerm("sgd", sync_period=1)
    step = tf.function(lambda: optimizer.apply([tf.zeros([])], [number]))
    before = resident("VmRSS")
    layer = keras.layers.Dense(round(weights**0.5), use_bias=False)
    layer.build((None, layer.units))
    optimizer.build([layer.kernel, number])
    times = interleaved({"step": step}, rounds)["step"]
    return statistics.median(times), resident("VmHWM") - before


def growth(sizes, rounds):
    """The lines of the second table."""
    every, lines, times = len(os.sched_getaffinity(0)), [], {}
    for weights in sizes:
        line = [f"{weights:.0e}"]
        for cores in sorted({1, every}):
            answer = in_a_process(__file__, "--one-kernel", str(weights), str(cores), "--rounds", str(rounds))
            seconds, peak = map(float, answer)
            times.setdefault(cores, []).append(seconds)
            line.append(f"{1000 * seconds:.1f}")
        lines.append([*line, f"{peak / 1e6:.0f}", f"{peak / (4 * weights):.1f}"])
    if len(sizes) > 1:
        fits = [np.polyfit(np.log(sizes), np.log(seconds), 1)[0] for seconds in times.values()]
        lines.append(["exponent", *(f"{fit:.2f}" for fit in fits), "-", "-"])
    cores = [f"{count} core{'s' * (count > 1)}, ms" for count in times]
    return ["weights", *cores, "peak memory, MB", "times the weights"], lines


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, help="of the first table")
    parser.add_argument("--large", action="store_true", help="300 million weights in the second table too")
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--one-kernel", nargs=2, type=float, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write benchmarks/synchronization.md")
    parser.add_argument("--suffix", default="", help="of that file, e.g. _avx2 where NPY_DISABLE_CPU_FEATURES is set")
    parsed = parser.parse_args()
    if parsed.one_kernel:
        weights, cores = parsed.one_kernel
        print(*one_kernel(weights, int(cores), parsed.rounds), sep="\t")
        return
    sizes = [*WEIGHTS, 3e8] if parsed.large else WEIGHTS
    if parsed.small:
        parsed.rounds, parsed.networks, sizes = 1, ["conv7"], WEIGHTS[:2]
    head = [
        "network",
        "weights",
        "original, ms",
        "LaPerm",
        "graph only",
        "floor",
        "times faster: LaPerm",
        "graph only",
        "floor",
    ]
    first = markdown_table(head, [synchronization(name, parsed.rounds) for name in parsed.networks])
    print(first, flush=True)
    second = markdown_table(*growth(sizes, parsed.rounds))
    print(f"\n{second}")
    rounds = f"medians of {parsed.rounds} rounds"
    script = pathlib.Path(__file__)
    script = script.with_stem(script.stem + parsed.suffix)
    finish("Synchronization", script, __doc__, [first, second], rounds, parsed.write)


if __name__ == "__main__":
    main()
