"""What one synchronization costs, and what LaPerm adds to a training step.

`python benchmarks/synchronization.py` prints two tables; `--write` puts them into `benchmarks/synchronization.md` too.
All that is compared runs interleaved in one process; the figures are medians, and the ratios are medians of the ratios
of each round, which hold on a noisy machine where single times do not.

- (a) `original`: the ranking by two argsorts and a gather with a list of index pairs, as the authors' code does it.
- (b) `floor`: one `numpy.sort` of the same values, already packed with their positions into 64 bits: the least that
    this way of ranking can cost.
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
from scripts.publishing.tables import markdown_table
from scripts.running.interleaved import interleaved, median_ratio
from train_by_reconnect import LaPerm, backend_tensorflow
from train_by_reconnect.backend.row_ranking import _pack
from train_by_reconnect.backend.rows import to_rows

NETWORKS = ("conv2", "conv4", "conv7", "conv13", "resnet50")


def original(kernels, sorted_rows):
    """Synchronize each kernel by two argsorts and `gather_nd`."""
    answers = []
    for kernel, values in zip(kernels, sorted_rows, strict=True):
        units, size = values.shape
        rows = tf.reshape(tf.transpose(kernel, [kernel.shape.rank - 1, *range(kernel.shape.rank - 1)]), [units, size])
        ranks = tf.argsort(tf.argsort(rows))
        units_of = tf.repeat(tf.range(units)[:, tf.newaxis], size, axis=1)
        permuted = tf.gather_nd(values, tf.stack([units_of, ranks], axis=-1))
        back = [units, *kernel.shape[:-1]]
        answers.append(tf.transpose(tf.reshape(permuted, back), [*range(1, kernel.shape.rank), 0]))
    return answers


def synchronization(name, rounds):
    """One line of the first table."""
    model = getattr(models, name)()
    optimizer = LaPerm("sgd", skip_bias=False)
    optimizer.build(model.trainable_variables)
    random = np.random.default_rng(0)
    kernels = [kernel for kernel in optimizer._kernels if len(kernel.shape) > 1]
    optimizer = LaPerm("sgd")
    optimizer.build(kernels)
    for kernel in kernels:
        kernel.assign(random.permutation(kernel.numpy().ravel()).reshape(kernel.shape))
    variables = [kernel.value for kernel in kernels]
    sorted_rows = [rows.value for rows in optimizer._sorted]
    packed = [_pack(np.ascontiguousarray(to_rows(kernel.numpy(), (-1,), np))) for kernel in kernels]

    def ours(route):
        def synchronize():
            state = [tf.identity(variable) for variable in variables]
            return optimizer._synchronized([*state, tf.constant(-1, tf.int64)])[:-1]

        def with_route():
            with route():
                return synchronize()

        return tf.function(with_route)

    functions = {
        "original": tf.function(lambda: original([tf.identity(variable) for variable in variables], sorted_rows)),
        "LaPerm": ours(_default_route),
        "LaPerm, graph only": ours(_graph_route),
        "floor": lambda: [np.sort(rows, axis=1) for rows in packed],
    }
    for expected, *answers in zip(*(functions[key]() for key in list(functions)[:3]), strict=True):
        for answer in answers:
            np.testing.assert_array_equal(expected, answer)
    times = interleaved(functions, rounds)
    weights = sum(kernel.numpy().size for kernel in kernels)
    return [
        name,
        f"{weights / 1e6:.2f}M",
        *(f"{1000 * statistics.median(times[key]):.1f}" for key in functions),
        *(f"{median_ratio(times['original'], times[key]):.1f}" for key in ("LaPerm", "LaPerm, graph only", "floor")),
    ]


class _default_route:  # noqa: N801
    """The route that `fit` takes here."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class _graph_route(_default_route):  # noqa: N801
    """The route without NumPy, which `fit` takes on a GPU."""

    def __enter__(self):
        self._kept = backend_tensorflow.can_call_host
        backend_tensorflow.can_call_host = lambda: False

    def __exit__(self, *error):
        backend_tensorflow.can_call_host = self._kept
        return False


def steps(name, batch_size, rounds, steps_per_round):
    """The lines of the second table: a training step with LaPerm against one with bare Adam."""
    shape = {"conv7": (28, 28, 1), "f2": (28, 28, 1)}[name]
    images = np.random.default_rng(0).random((batch_size * steps_per_round, *shape), "float32")
    labels = np.zeros(len(images), "int32")
    optimizers = {
        "Adam": lambda: keras.optimizers.Adam(),
        "Adam again": lambda: keras.optimizers.Adam(),
        "LaPerm, no synchronization": lambda: LaPerm("adam", sync_period=10**9, skip_bias=False, final_sync=False),
        "LaPerm, k = 1000": lambda: LaPerm("adam", sync_period=1000, skip_bias=False, final_sync=False),
        "LaPerm, k = 20": lambda: LaPerm("adam", sync_period=20, skip_bias=False, final_sync=False),
    }
    functions = {}
    for label, optimizer in optimizers.items():
        model = getattr(models, name)()
        model.compile(optimizer=optimizer(), loss="sparse_categorical_crossentropy")
        batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size).cache()
        functions[label] = lambda model=model, batches=batches: model.fit(batches, verbose=0)
    times = interleaved(functions, rounds)
    return [
        [
            name,
            label,
            f"{1000 * statistics.median(times[label]) / steps_per_round:.2f}",
            f"{median_ratio(times[label], times['Adam']):.3f}",
        ]
        for label in functions
    ]


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="write benchmarks/synchronization.md")
    parsed = parser.parse_args()
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
    first = markdown_table(head, [synchronization(name, parsed.rounds) for name in NETWORKS])
    print(first, flush=True)
    lines = steps("conv7", 50, 3 * parsed.rounds, 20) + steps("f2", 128, 2 * parsed.rounds, 200)
    second = markdown_table(["network", "optimizer", "ms a step", "ratio to Adam"], lines)
    print(f"\n{second}")
    rounds = f"medians of {parsed.rounds} rounds, of steps 2 to 3 times as many"
    finish("Synchronization", __file__, __doc__, [first, second], rounds, parsed.write)


if __name__ == "__main__":
    main()
