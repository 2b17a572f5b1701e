"""What watches a training and measures at its end: the observers that several papers need, and what one is.

An observer is a frozen dataclass with a method `observe(prepared)`, which gives an `Observation`. It is declared with
the training, so it is part of what a run is known by; what it sees is in the observation.
"""

import dataclasses
import typing

import numpy as np

from scripts.running.best_epoch import BestEpoch
from train_by_reconnect import KeepZeros, describe_variables


class Observation(typing.NamedTuple):
    """What an observer adds to one run.

    Args:
        callbacks: list of `keras.callbacks.Callback`. Defaults to none.
        summary: function without arguments that gives what is known at the end, as dict of numbers. Defaults to
            nothing.
    """

    callbacks: typing.Sequence = ()
    summary: typing.Callable = dict


@dataclasses.dataclass(frozen=True)
class BestEpochKept:
    """Keep the weights of the epoch with the best held-out accuracy beside the run. Not with LaPerm, which has none.

    Args:
        first: int, the first epoch, from 0, that may be the best. Defaults to 0.
    """

    first: int = 0

    def observe(self, prepared):
        """Watch the held-out accuracy."""
        if prepared.training.optimizer.around == "laperm":
            raise ValueError(
                "LaPerm has accuracies after synchronizations and not after epochs. Received: BestEpochKept() with "
                "around='laperm'. Leave one of them out."
            )
        return Observation([BestEpoch(prepared.folder, f"{prepared.held_out}_accuracy", self.first)])


@dataclasses.dataclass(frozen=True)
class ZerosKept:
    """Keep weights that are zero at the start at zero."""

    def observe(self, prepared):
        """Put them back in every step."""
        return Observation([KeepZeros()])


@dataclasses.dataclass(frozen=True)
class Permutation:
    """At the end, whether the weights are the initial ones in another order, and how many have another value."""

    def observe(self, prepared):
        """Keep the initial weights."""
        initial = weight_vectors(prepared.model)

        def summary():
            pairs = [*zip(initial, weight_vectors(prepared.model), strict=True)]
            same = all(np.array_equal(np.sort(a, axis=1), np.sort(b, axis=1)) for a, b in pairs)
            moved = sum(np.count_nonzero(a != b) for a, b in pairs) / sum(a.size for a, _ in pairs)
            return {"is_permutation": same, "moved": moved}

        return Observation(summary=summary)


def weight_vectors(model):
    """The weight vectors of each trainable kernel: list of arrays of shape (units, size)."""
    variables = model.trainable_variables
    layouts = zip(variables, describe_variables(variables, model=model), strict=True)
    return [_rows(variable.numpy(), layout.unit_axes) for variable, layout in layouts if layout.kind == "kernel"]


def _rows(kernel, unit_axes):
    first = np.moveaxis(kernel, unit_axes, range(len(unit_axes)))
    return first.reshape(np.prod(first.shape[: len(unit_axes)], dtype=int), -1)
