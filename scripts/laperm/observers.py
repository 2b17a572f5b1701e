"""What LaPerm's experiments look at while a network trains, and one that changes k as it goes."""

import dataclasses
import typing

import numpy as np

from scripts.laperm.snapshots import SavedSnapshots
from scripts.running.observers import Observation, weight_vectors
from train_by_reconnect import RankingMonitor, SyncPeriodScheduler, profile_similarity


@dataclasses.dataclass(frozen=True)
class RankingsRecorded:
    """Record ranking distances and percentiles of the weights beside the run.

    Args:
        layers, every, percentiles_every: as in `train_by_reconnect.RankingMonitor`.
    """

    layers: str
    every: int
    percentiles_every: int

    files: typing.ClassVar = ("ranking_distance.csv", "weight_percentiles.csv")  # for the record of the run

    def observe(self, prepared):
        """Record them into the folder of the run, and for TensorBoard where that is wanted."""
        settings = dataclasses.asdict(self)
        return Observation([RankingMonitor(**settings, folder=prepared.folder, log_dir=prepared.log_dir)])


@dataclasses.dataclass(frozen=True)
class SnapshotsKept:
    """Keep a kernel's weight vectors in `snapshots.npz` beside the run.

    Args:
        layer, every: as in `train_by_reconnect.KernelSnapshots`.
    """

    layer: str
    every: int

    files: typing.ClassVar = ("snapshots.npz",)  # for the record of the run

    def observe(self, prepared):
        """Keep them in the folder of the run."""
        return Observation([SavedSnapshots(prepared.folder / "snapshots.npz", self.layer, self.every)])


@dataclasses.dataclass(frozen=True)
class SyncPeriodFollowsRate:
    """Multiply k by whatever the learning rate is divided by.

    So the weights go about as far between synchronizations in every epoch.
    """

    def observe(self, prepared):
        """Set k at the start of every epoch."""
        first = prepared.training.optimizer.sync_period

        def sync_period(epoch, _):
            return round(first * prepared.learning_rate(0) / prepared.learning_rate(epoch))

        return Observation([SyncPeriodScheduler(sync_period)])


@dataclasses.dataclass(frozen=True)
class InitialSimilarity:
    """At the end, how similar the weight profiles were at the start: the mean over all kernels of several units."""

    def observe(self, prepared):
        """Measure it now."""
        measured = [profile_similarity(rows).plain for rows in weight_vectors(prepared.model) if len(rows) > 1]
        return Observation(summary=lambda: {"initial_similarity": float(np.mean(measured))})
