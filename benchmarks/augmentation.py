"""What the input pipeline costs a training step, without and with augmentation, against what Keras offers.

    python benchmarks/augmentation.py [--rounds 7]

Four ways to feed one compiled model through `fit`: arrays, as Keras shuffles them; our batches; our batches augmented
as in the paper; and the nearest that Keras' own layers do, which interpolate three times. They take turns, round after
round in one process, so that whatever else the machine does falls on all of them; the ratio is the median over the
rounds of the ratios within a round. The first steps of each `fit` are not counted. The images are random: what they
show does not change the work.

Goal: augmentation slows a step of Conv7 by at most 10 %.
"""

import argparse
import pathlib
import statistics
import sys
import time

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from models import conv7, f1
from scripts.data.augmentation import Augmentation
from scripts.data.batches import pipeline

BATCH_SIZE = 50
MNIST = Augmentation(rotation=10, width_shift=0.1, height_shift=0.1, zoom=0.1)


class StepTime(keras.callbacks.Callback):
    """Milliseconds a step after the first `skip` steps of an epoch."""

    def __init__(self, skip):
        super().__init__()
        self.skip = skip

    def on_train_batch_end(self, batch, logs=None):
        """Start the clock at the last of the skipped steps."""
        if batch + 1 == self.skip:
            self._start = time.perf_counter()
        self._steps = batch + 1 - self.skip

    def on_epoch_end(self, epoch, logs=None):
        """Stop the clock."""
        self.milliseconds = (time.perf_counter() - self._start) / self._steps * 1000


def measure(model, steps, skip, rounds):
    """Return a list of milliseconds a step for each way of feeding `model`, interleaved."""
    rng = np.random.default_rng(0)
    x = rng.random((steps * BATCH_SIZE, 28, 28, 1), "float32")
    y = rng.integers(0, 10, len(x), "int32")
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", jit_compile=False)
    layers = keras.layers.Pipeline(
        [
            keras.layers.RandomRotation(10 / 360, fill_mode="nearest"),
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
            keras.layers.RandomZoom(0.1, 0.1, fill_mode="nearest"),
        ]
    )

    def keras_layers():
        batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).repeat().batch(BATCH_SIZE)
        return batches.map(lambda x, y: (layers(x, training=True), y), tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    feeds = {
        "arrays": lambda: {"x": x, "y": y, "batch_size": BATCH_SIZE},
        "pipeline": lambda: {"x": pipeline(x, y, BATCH_SIZE, seed=0)},
        "augmented": lambda: {"x": pipeline(x, y, BATCH_SIZE, MNIST, seed=0)},
        "Keras layers": lambda: {"x": keras_layers()},
    }
    times = {name: [] for name in feeds}
    for round_ in range(rounds + 1):
        for name, feed in feeds.items():
            clock = StepTime(skip)
            shuffle = name == "arrays"
            model.fit(**feed(), steps_per_epoch=steps, shuffle=shuffle, verbose=0, callbacks=[clock])
            if round_:  # The first round compiles.
                times[name].append(clock.milliseconds)
    return times


def main():
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parsed = parser.parse_args()
    rounds = 1 if parsed.small else parsed.rounds
    print(f"batch {BATCH_SIZE}, medians of {rounds} interleaved rounds and of the ratios within them")
    print(f"{'model':8}{'fed by':14}{'ms a step':>10}{'to pipeline':>13}")
    for build, steps, skip in [(f1, 4, 2)] if parsed.small else [(conv7, 60, 10), (f1, 500, 50)]:
        times = measure(build(), steps, skip, rounds)
        for name, own in times.items():
            ratio = statistics.median(map(np.divide, own, times["pipeline"]))
            print(f"{build.__name__:8}{name:14}{statistics.median(own):10.2f}{ratio:13.3f}", flush=True)


if __name__ == "__main__":
    main()
