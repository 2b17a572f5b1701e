"""What a training step costs that trains some layers only: its backward pass, and the whole of it.

`python benchmarks/layerwise.py` prints a table; `--write` puts it into `benchmarks/layerwise.md` too, with
`KERAS_BACKEND=jax` or `torch` into `benchmarks/layerwise_jax.md` or `layerwise_torch.md`.

VGG-5 for MNIST (Adam) and VGG-11 for CIFAR-10 (SGD with Nesterov momentum) of the full width, on random images in
batches of 128. All functions of a network run interleaved in one process, and the figures are medians; see
`scripts/rich/backward_time.py`. A backward pass is what loss and gradients take beyond the loss alone; a whole step has
the forward pass and the update too. The step of `fit` is that of `LayerwiseTraining` itself, with what Keras does
around it: the median over trainings that take turns. The layers are those with a kernel: 12 of VGG-5, 11 of VGG-11.

On JAX a step of VGG-11 takes seconds: XLA has no fast convolution for images smaller than its kernel, as those of the
last two are, 3x3 on 2x2 pixels. `--rounds 7 1` is for there, seven rounds of VGG-5 and one of VGG-11, and
`JAX_COMPILATION_CACHE_DIR`, with which a second run compiles nothing.

The last line of a network is not measured but expected of training the top layer always and all others in a tenth of
the epochs: nine tenths of the one ratio and one of the other. The goal for the ratio of backward passes is 0.35 for the
top 1 and the top 4 layers, and 0.30 for this.
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
from scripts.publishing.tables import markdown_table
from scripts.rich.backward_time import step_times
from train_by_reconnect import LayerwiseTraining, MiddleOnly, TopAndBottom, trainable_layers

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


class StepsOfFit(keras.callbacks.Callback):
    """Seconds of every step of `fit`, as the callbacks around it see them."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        """Start the clock."""
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        """Wait for what the step gives, and stop the clock."""
        float(logs["loss"])
        self.seconds.append(time.perf_counter() - self.began)


def fit_times(model, schemes, images, labels, rounds):
    """The median seconds of a step of `fit` under each scheme.

    Args:
        model: a compiled `keras.Model`.
        schemes: dict from a name to a scheme.
        images: array, one batch.
        labels: array of int, its labels.
        rounds: int, trainings under each scheme; of each the last step counts.

    Returns:
        Dict from each name to seconds.
    """
    layerwise = {name: LayerwiseTraining(scheme) for name, scheme in schemes.items()}
    seconds = {name: [] for name in schemes}
    # The first of two is left out, which waits for the pipeline of the data. On JAX there is none, and one is enough.
    count = 1 if keras.backend.backend() == "jax" else 2
    batches = [np.concatenate([each] * count) for each in (images, labels)]
    for round_ in range(rounds + 1):  # the first compiles
        for name, callback in layerwise.items():
            steps = StepsOfFit()
            model.fit(*batches, batch_size=len(images), shuffle=False, verbose=0, callbacks=[callback, steps])
            seconds[name] += steps.seconds[-1:] if round_ else []
    return {name: statistics.median(each) for name, each in seconds.items()}


def lines(name, rounds):
    """The lines of the table for one network."""
    shape, optimizer = NETWORKS[name]
    keras.utils.set_random_seed(0)
    model = getattr(models, name)()
    model.compile(optimizer(), "sparse_categorical_crossentropy")
    depth = len(trainable_layers(model))
    sets = {label: scheme.draw(np.random.default_rng(0), depth) for label, scheme in SCHEMES.items()}
    images = np.random.default_rng(0).random((BATCH_SIZE, *shape), "float32")
    labels = np.arange(BATCH_SIZE) % 10
    measured = step_times(model, list(sets.values()), images, labels, rounds=rounds)
    of_fit = fit_times(model, SCHEMES, images, labels, rounds)
    seconds = {label: (measured[each].backward, measured[each].step, of_fit[label]) for label, each in sets.items()}
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
    parser.add_argument("--rounds", type=int, nargs="+", default=[7], help="one number, or one for each network")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write benchmarks/layerwise.md")
    parsed = parser.parse_args()
    if parsed.small:
        parsed.rounds, parsed.networks = [1], ["vgg5"]
    if len(parsed.rounds) == 1:
        parsed.rounds *= len(parsed.networks)
    if len(parsed.rounds) != len(parsed.networks):
        parser.error(f"--rounds: expected one number, or {len(parsed.networks)}. Received: {parsed.rounds}.")
    heads = [
        "network",
        "trained",
        "backward pass, ms",
        "step, ms",
        "step of fit, ms",
        "backward, ratio",
        "step, ratio",
        "step of fit, ratio",
        "goal of backward",
    ]
    pairs = zip(parsed.networks, parsed.rounds, strict=True)
    text = markdown_table(heads, [line for name, rounds in pairs for line in lines(name, rounds)])
    print(text)
    rounds = f"medians of {' and '.join(map(str, dict.fromkeys(parsed.rounds)))} rounds"
    finish("Layer-wise sparse training", __file__, __doc__, [text], rounds, parsed.write, by_backend=True)


if __name__ == "__main__":
    main()
