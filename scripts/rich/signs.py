"""Which weights keep the sign that they start with: an observer, and a part that scales the initial weights."""

import dataclasses

import keras
import numpy as np

from scripts.running.observers import Observation


@dataclasses.dataclass(frozen=True)
class ScaledKernels:
    """Multiply all kernels by a factor before the training."""

    factor: float

    def apply(self, prepared):
        """Multiply them."""
        for layer in _layers(prepared.model):
            layer.kernel.assign(layer.kernel.numpy() * self.factor)


@dataclasses.dataclass(frozen=True)
class SignsKept:
    """The fraction of weights with the sign that they start with: after every epoch, and at the end also by layers.

    At the end there is, too, how small at the start the weights were whose sign has changed: the mean of their initial
    magnitudes, each divided by the root mean square of its kernel, over that of all weights. It is None where none
    has.
    """

    def observe(self, prepared):
        """Keep the initial weights, which a run that goes on from a checkpoint has here too, from its seed."""
        initial = _values(prepared.model)

        def summary():
            fractions, smallness = _compared(initial, _values(prepared.model))
            named = {"signs_kept": fractions[0], "signs_kept_first": fractions[1], "signs_kept_last": fractions[-1]}
            return {**named, "smallness_of_flipped": smallness}

        return Observation([_SignsMonitor(initial)], summary)


class _SignsMonitor(keras.callbacks.Callback):
    """Report `signs_kept` after every epoch."""

    def __init__(self, initial):
        super().__init__()
        self.initial = initial

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["signs_kept"] = _compared(self.initial, _values(self.model))[0][0]


def _layers(model):
    return [layer for layer in model.layers if hasattr(layer, "kernel") or hasattr(layer, "effective_kernels")]


def _values(model):
    """The kernels with which a chain of layers computes, as arrays: of layers such as `Signed` the effective ones."""
    return [
        keras.ops.convert_to_numpy(layer.kernel if hasattr(layer, "kernel") else layer.effective_kernels()[0])
        for layer in _layers(model)
    ]


def _compared(initial, now):
    """Fractions of signs kept, of all weights and of each kernel, and how small the others were; or None of none."""
    kept = [np.sign(before) == np.sign(after) for before, after in zip(initial, now, strict=True)]
    sizes = [np.abs(before) / np.sqrt(np.mean(np.square(before))) for before in initial]
    together, size = (np.concatenate([each.ravel() for each in arrays]) for arrays in (kept, sizes))
    flipped = size[~together]
    smallness = float(flipped.mean() / size.mean()) if len(flipped) else None
    return [float(together.mean()), *(float(each.mean()) for each in kept)], smallness
