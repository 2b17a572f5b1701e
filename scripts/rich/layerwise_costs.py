"""Which layers a layer-wise sparse training trains, step by step, and what that costs."""

import collections
import statistics
import time

import keras
import numpy as np

from scripts.running.device import wait_for


class Draws:
    """Which layers a run trains, from its seed alone: as `LayerwiseTraining` draws them.

    Args:
        layerwise: `scripts.rich.layerwise.Layerwise`.
        seed: int, of the run.
        depth: int, the number of layers.
    """

    def __init__(self, layerwise, seed, depth):
        self.per, self.seed, self.depth = layerwise.per, seed, depth
        self.everything = tuple(range(depth))
        self._scheme = layerwise.make_scheme()

    def layers(self, epoch, step):
        """The layers trained in one step: a tuple of int in ascending order, 0 at the bottom."""
        if self._scheme is None:
            return self.everything
        numbers = [epoch] if self.per == "epoch" else [epoch, step]
        return tuple(sorted(set(self._scheme.draw(np.random.default_rng([self.seed, *numbers]), self.depth))))

    def by_epoch(self, epochs, steps):
        """For each epoch, how many of its steps train which layers: list of `collections.Counter`."""
        if self.per == "epoch":
            return [collections.Counter({self.layers(epoch, 0): steps}) for epoch in range(epochs)]
        return [collections.Counter(self.layers(epoch, step) for step in range(steps)) for epoch in range(epochs)]


class TrainingTime(keras.callbacks.Callback):
    """Log as `train_seconds` what the training steps of an epoch take: loading, both passes and the update.

    Neither the validation nor the compilation is in it: the first step with a set of layers, which compiles, counts as
    the median of the epoch's other steps with this set. Where there is no other it counts as it is.

    Args:
        draws: `Draws`.
        clock: function that gives the time in seconds. Defaults to `time.perf_counter`.
    """

    def __init__(self, draws, clock=time.perf_counter):
        super().__init__()
        self.draws, self.clock, self._compiled = draws, clock, set()

    def on_epoch_begin(self, epoch, logs=None):
        """Start an epoch."""
        self._epoch, self._seconds = epoch, collections.defaultdict(list)

    def on_train_batch_begin(self, batch, logs=None):
        """Start the clock."""
        self._start = self.clock()

    def on_train_batch_end(self, batch, logs=None):
        """Stop the clock, once the device has done the step."""
        wait_for(logs)
        self._seconds[self.draws.layers(self._epoch, batch)].append(self.clock() - self._start)

    def on_epoch_end(self, epoch, logs=None):
        """Log the sum."""
        for layers, seconds in self._seconds.items():
            if layers not in self._compiled and len(seconds) > 1:
                seconds[0] = statistics.median(seconds[1:])
            self._compiled.add(layers)
        logs["train_seconds"] = sum(sum(seconds) for seconds in self._seconds.values())


def costs(by_epoch, times, full):
    """Seconds of the backward passes of a run, and their ratio to those of as many steps of all layers.

    Args:
        by_epoch: list of dict from a set of layers to its steps, as `Draws.by_epoch`.
        times: dict from a set of layers to its `StepTime`.
        full: the set of all layers.

    Returns:
        Dict: `backward_seconds`, `full_backward_seconds` and `backward_ratio`; `step_ratio`, the same of whole steps;
        `backward_by_epoch`, list of seconds; and `sets`, list of dict: `layers`, `steps`, `backward_seconds` and
        `step_seconds` of one step.

    Example:

    >>> from scripts.rich.backward_time import StepTime
    >>> times = {(0, 1): StepTime(backward=0.4, step=1.0), (1,): StepTime(backward=0.1, step=0.5)}
    >>> found = costs([{(1,): 5}, {(0, 1): 5}], times, full=(0, 1))
    >>> found["backward_seconds"], found["backward_ratio"], found["step_ratio"]
    (2.5, 0.625, 0.75)
    """
    steps = sum(map(collections.Counter, by_epoch), collections.Counter())
    backward_by_epoch = [sum(n * times[layers].backward for layers, n in each.items()) for each in by_epoch]
    full_backward = steps.total() * times[full].backward
    whole = sum(n * times[layers].step for layers, n in steps.items())
    return {
        "backward_seconds": sum(backward_by_epoch),
        "full_backward_seconds": full_backward,
        "backward_ratio": sum(backward_by_epoch) / full_backward,
        "step_ratio": whole / (steps.total() * times[full].step),
        "backward_by_epoch": backward_by_epoch,
        "sets": [
            {
                "layers": list(layers),
                "steps": steps[layers],
                "backward_seconds": times[layers].backward,
                "step_seconds": times[layers].step,
            }
            for layers in sorted(times)
        ],
    }
