"""What the experiments of connectivity training watch and measure, as in `scripts.running.observers`."""

import dataclasses

import numpy as np

from scripts.connectivities.prune_once import PruneOnce, fraction_of_zeros
from scripts.running.best_epoch import has_best
from scripts.running.observers import BestEpochKept, Observation, weight_vectors
from train_by_reconnect import ConnectivityMonitor, changed_fractions, remove_weights, strip


@dataclasses.dataclass(frozen=True)
class ChangedConnections:
    """The fraction of connections that are masked or flipped, after every epoch and at the end."""

    def observe(self, prepared):
        """Count them."""
        monitor = ConnectivityMonitor(layers=True)
        return Observation([monitor], lambda: {"changed": changed_fractions(prepared.model)["all"]})


@dataclasses.dataclass(frozen=True)
class RemovedConnections:
    """The fraction of connections that are masked at the end, without those that are flipped."""

    def observe(self, prepared):
        """Count the zeros of the kernels that the network computes with."""

        def summary():
            kernels = weight_vectors(strip(prepared.model))
            return {"removed": float(np.mean(np.concatenate([kernel.ravel() for kernel in kernels]) == 0))}

        return Observation(summary=summary)


@dataclasses.dataclass(frozen=True)
class MagnitudePruned:
    """Prune by magnitude once, and train what is left on.

    Args:
        epoch: int, from 0, before which it is pruned.
        sparsity: float, as in `train_by_reconnect.prune_by_magnitude`.
    """

    epoch: int
    sparsity: float

    def observe(self, prepared):
        """Prune, and count the zeros."""
        pruning = PruneOnce(self.epoch, self.sparsity)
        return Observation([pruning], lambda: {"changed": fraction_of_zeros(prepared.model)})


@dataclasses.dataclass(frozen=True)
class BestEpochTested(BestEpochKept):
    """The test accuracy of the epoch with the best held-out accuracy."""

    def observe(self, prepared):
        """Keep the best weights, and evaluate them at the end."""

        def summary():
            with has_best(prepared.model, prepared.folder):
                return {"test_accuracy_at_best": prepared.evaluate_test()["accuracy"]}

        return super().observe(prepared)._replace(summary=summary)


@dataclasses.dataclass(frozen=True)
class WeightsRemoved:
    """How many test images the trained network classifies otherwise once its weights are removed."""

    def observe(self, prepared):
        """Compare the two at the end."""
        return Observation(summary=lambda: {"different_without_weights": _different(prepared)})


def _different(prepared):
    unit, scale = remove_weights(prepared.model)
    x = prepared.loaded.x_test
    with_weights, without = (
        model.predict(images, batch_size=1000, verbose=0).argmax(axis=1)
        for model, images in ((prepared.model, x), (unit, x * scale))
    )
    return int((without != with_weights).sum())
