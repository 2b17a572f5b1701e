"""What a training step costs that trains some layers only: its backward pass, and the whole of it.

`python benchmarks/layerwise.py` prints a table; `--write` puts it into `benchmarks/layerwise.md` too.

VGG-5 for MNIST (Adam) and VGG-11 for CIFAR-10 (SGD with Nesterov momentum) of the full width, on random images in
batches of 128. All functions of a network run interleaved in one process, and the figures are medians; see
`scripts/rich/backward_time.py`. A backward pass is what loss and gradients take beyond the loss alone; a whole step has
the forward pass and the update too. The layers are those with a kernel: 12 of VGG-5, 11 of VGG-11.

The last line of a network is not measured but expected of training the top layer always and all others in a tenth of
the epochs: nine tenths of the one ratio and one of the other. The goal for the ratio of backward passes is 0.35 for the
top 1 and the top 4 layers, and 0.30 for this.
"""

import argparse
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np

import models
from benchmarks.outcome import finish
from scripts.publishing.tables import markdown_table
from scripts.rich.backward_time import step_times
from train_by_reconnect import MiddleOnly, TopAndBottom, trainable_layers

BATCH_SIZE = 128
NETWORKS = {
    "vgg5": ((28, 28, 1), lambda: keras.optimizers.Adam()),
    "vgg11": ((32, 32, 3), lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)),
}
SCHEMES = {
    "full": TopAndBottom(bottom="all"),
    "top 1": TopAndBottom(top=1),
    "top 4": TopAndBottom(top=4),
    "bottom 1": TopAndBottom(bottom=1),
    "top 1 + bottom 1": TopAndBottom(top=1, bottom=1),
    "middle only": MiddleOnly(),
}
RHO = 0.1
EXPECTED = f"top 1 + all bottoms, rho = {RHO:g}, expected"
GOALS = {"top 1": "at most 0.35", "top 4": "at most 0.35", EXPECTED: "at most 0.30"}


def lines(name, rounds):
    """The lines of the table for one network."""
    shape, optimizer = NETWORKS[name]
    keras.utils.set_random_seed(0)
    model = getattr(models, name)()
    model.compile(optimizer(), "sparse_categorical_crossentropy")
    depth = len(trainable_layers(model))
    sets = {label: scheme.draw(np.random.default_rng(0), depth) for label, scheme in SCHEMES.items()}
    images = np.random.default_rng(0).random((BATCH_SIZE, *shape), "float32")
    measured = step_times(model, list(sets.values()), images, np.arange(BATCH_SIZE) % 10, rounds=rounds)
    seconds = {label: (measured[layers].backward, measured[layers].step) for label, layers in sets.items()}
    pairs = zip(seconds["top 1"], seconds["full"], strict=True)
    seconds[EXPECTED] = tuple((1 - RHO) * top + RHO * full for top, full in pairs)
    return [
        [
            name,
            label,
            *(f"{1000 * each:.1f}" for each in times),
            *(f"{each / full:.3f}" for each, full in zip(times, seconds["full"], strict=True)),
            GOALS.get(label, "-"),
        ]
        for label, times in seconds.items()
    ]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write benchmarks/layerwise.md")
    parsed = parser.parse_args()
    if parsed.small:
        parsed.rounds, parsed.networks = 1, ["vgg5"]
    heads = [
        "network",
        "trained",
        "backward pass, ms",
        "step, ms",
        "backward, ratio",
        "step, ratio",
        "goal of backward",
    ]
    text = markdown_table(heads, [line for name in parsed.networks for line in lines(name, parsed.rounds)])
    print(text)
    rounds = f"medians of {parsed.rounds} rounds"
    finish("Layer-wise sparse training", __file__, __doc__, [text], rounds, parsed.write)


if __name__ == "__main__":
    main()
