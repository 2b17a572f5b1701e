"""What watching the weight profiles every epoch adds to a training.

`python benchmarks/profile_monitor.py` prints a table; `--write` puts it into `benchmarks/profile_monitor.md` too, and
on another backend than TensorFlow into `benchmarks/profile_monitor_jax.md` or `profile_monitor_torch.md`.

LeNet-300-100 and Conv2 as in Ivan and Florian, on random images of MNIST's and CIFAR-10's shapes. The cost is timed
inside the trainings: the seconds that `ProfileMonitor` takes at the end of an epoch, in those of the epoch without it.
An epoch here has fewer images than the data sets have, and its seconds are scaled to theirs (60,000 and 50,000), as the
cost of the callback does not depend on them. The goal is at most 3 %. The least and the greatest epoch stand behind the
median.
"""

import argparse
import functools
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
from scripts.publishing.tables import markdown_table
from train_by_reconnect import ProfileMonitor

BUILD = {"lenet_300_100": models.lenet_300_100, "conv2": functools.partial(models.conv2, plain=True)}
# The shape of an image, the images of a whole epoch, of one that is timed here, and those of a batch.
NETWORKS = {
    "lenet_300_100": ((28, 28, 1), 60_000, 12_000, 60),
    "conv2": ((32, 32, 3), 50_000, 1_500, 60),
}


class Timed(ProfileMonitor):
    """It tells how long each measurement took."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.seconds = []

    def on_epoch_end(self, epoch, logs=None):
        """Measure, and look at the clock."""
        start = time.perf_counter()
        super().on_epoch_end(epoch, logs)
        self.seconds.append(time.perf_counter() - start)


class Epochs(keras.callbacks.Callback):
    """The seconds of each epoch; it must come before what is timed apart."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        """Look at the clock."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """And again."""
        self.seconds.append(time.perf_counter() - self._start)


def measure(name, epochs, max_units, images=None):
    """The cells of one line."""
    shape, whole, some, batch = NETWORKS[name]
    some = images or some
    x = np.random.default_rng(0).random((some, *shape), "float32")
    y = np.random.default_rng(0).integers(0, 10, some)
    keras.utils.set_random_seed(0)
    model = BUILD[name](input_shape=shape)
    model.compile("adam", "sparse_categorical_crossentropy")
    timed, monitor = Epochs(), Timed(max_units=max_units)
    model.fit(x, y, batch, epochs + 1, verbose=0, callbacks=[timed, monitor])
    # The first epoch compiles the step.
    epoch = [seconds * whole / some for seconds in timed.seconds[1:]]
    cost = monitor.seconds[1:]
    ratios = [100 * own / seconds for own, seconds in zip(cost, epoch, strict=True)]
    said = f"{statistics.median(ratios):.2f} % ({min(ratios):.2f} to {max(ratios):.2f})"
    milliseconds = 1000 * statistics.median(cost)
    return [name, str(max_units or "all"), f"{statistics.median(epoch):.2f}", f"{milliseconds:.1f}", said]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the table into a file")
    parsed = parser.parse_args()
    lines = [
        measure(name, 1 if parsed.small else parsed.epochs, max_units, 120 if parsed.small else None)
        for name in (["lenet_300_100"] if parsed.small else NETWORKS)
        for max_units in ([64] if parsed.small else [64, 256, None])
    ]
    text = markdown_table(["network", "max_units", "s an epoch", "ms a measurement", "of an epoch"], lines)
    print(text)
    rounds = f"medians of {parsed.epochs} epochs; `max_units=64` is the default"
    finish("Watching profiles", __file__, __doc__, [text], rounds, parsed.write, by_backend=True)


if __name__ == "__main__":
    main()
