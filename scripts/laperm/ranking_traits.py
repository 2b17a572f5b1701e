"""What the ranking distances of a run say: how random they are, how large, whether they foretell the loss."""

import dataclasses
import functools
import itertools

import numpy as np
import scipy.stats

from scripts.running.files import read_csv

LOSS = "test_sparse_categorical_crossentropy"
WINDOWS_AN_EPOCH = 12


@dataclasses.dataclass(frozen=True, eq=False)
class Record:
    """The ranking distances of one kernel in one run, a number for each step.

    Args:
        steps_per_epoch: int.
        distance: float array of shape (steps,), D_t divided by the size of a weight vector.
        deviation: likewise SD[D_t].
        changed: likewise the fraction of weights whose rank changed.
        percentiles: dict from `"step"` to an int array of shape (times,), and from `"minimum"`, `"p15"`, `"p50"`,
            `"p85"` and `"maximum"` to float arrays of shape (times, weight vectors).
        loss: float array of shape (epochs,), the cross-entropy of the test images after each epoch.
        rate: float array of shape (epochs,), the learning rates.
    """

    steps_per_epoch: int
    distance: np.ndarray
    deviation: np.ndarray
    changed: np.ndarray
    percentiles: dict
    loss: np.ndarray
    rate: np.ndarray

    @property
    def window(self):
        """Steps that a row of the published CSV and a point of the pictures sum up."""
        return max(1, self.steps_per_epoch // WINDOWS_AN_EPOCH)

    def phases(self):
        """The epochs of each learning rate, as `range`; the first is without epoch 0, whose distances fall steeply."""
        starts = [0, *(np.flatnonzero(np.diff(self.rate)) + 1).tolist(), len(self.rate)]
        phases = [range(first, last) for first, last in itertools.pairwise(starts)]
        return [phases[0][1:] or phases[0], *phases[1:]]

    def of_epoch(self, values, epoch):
        """Those of the values that belong to an epoch."""
        return values[epoch * self.steps_per_epoch : (epoch + 1) * self.steps_per_epoch]


def load_record(curve):
    """Read what `RankingMonitor` wrote into the folder of a run that recorded every step of one kernel.

    Args:
        curve: `scripts.publishing.curves.Curve`.

    Returns:
        `Record`.
    """
    return _load(curve.folder, *(tuple(curve.values(metric, "epoch")) for metric in (LOSS, "learning_rate")))


@functools.lru_cache
def _load(folder, loss, rate):
    names = {"mean_ratio": "distance", "deviation_ratio": "deviation", "changed": "changed"}
    steps = read_csv(folder / "ranking_distance.csv")
    of_steps = {name: steps[column].to_numpy(float) for column, name in names.items()}
    rows = read_csv(folder / "weight_percentiles.csv")
    vectors = 1 + rows["vector"].max()
    percentiles = {
        name: rows[name].to_numpy(float).reshape(-1, vectors) for name in ("minimum", "p15", "p50", "p85", "maximum")
    }
    percentiles["step"] = rows["step"].to_numpy(int).reshape(-1, vectors)[:, 0]
    return Record(
        len(steps) // len(loss), **of_steps, percentiles=percentiles, loss=np.array(loss), rate=np.array(rate)
    )


def autocorrelation(values, lag):
    """How much a series resembles itself some steps later: 1 for a slow trend, about 0 for independent values.

    Args:
        values: float array of shape (n,).
        lag: int, in steps.

    Returns:
        Float from -1 to 1; NaN where the series is constant or not longer than twice the lag.

    Example:

    >>> autocorrelation(np.array([1.0, -1.0, 1.0, -1.0]), 1)
    -0.75
    """
    centred = values - np.mean(values)
    power = np.sum(centred**2)
    if len(values) <= 2 * lag or power == 0:
        return float("nan")
    return float(np.sum(centred[lag:] * centred[:-lag]) / power)


def rank_correlation(a, b):
    """Spearman's correlation of two series; NaN of fewer than three pairs, and where a series is constant.

    Example:

    >>> round(rank_correlation([1, 2, 3, 9], [0, 5, 6, 7]), 6)
    1.0
    """
    if len(a) < 3 or min(len(set(a)), len(set(b))) == 1:
        return float("nan")
    return float(scipy.stats.spearmanr(a, b).statistic)


def jumps(record):
    """The largest distance within each epoch, in units of the usual one in the epoch before.

    Distances are averaged over a twelfth of an epoch. Only the epochs after the first drop of the learning rate count,
    the paper's "saturated phase"; before, both the distance and the loss fall steeply. The epochs of the drops
    themselves are left out too: there the distance changes for that reason.

    Args:
        record: `Record`.

    Returns:
        Pair: int array of epochs; float array of their jumps.
    """
    means = record.distance[: len(record.loss) * record.steps_per_epoch].reshape(len(record.loss), -1)
    usable = means.shape[1] // record.window * record.window
    means = means[:, :usable].reshape(len(means), -1, record.window).mean(axis=2)
    epochs = np.array([epoch for phase in record.phases()[1:] for epoch in phase[1:]], int)
    return epochs, means[epochs].max(axis=1) / np.median(means[epochs - 1], axis=1)


def jumps_and_rises(record, ahead):
    """The jumps of the ranking distance, and by how much the loss rises then or later at the same learning rate.

    Args:
        record: `Record`.
        ahead: int, 0 for the rise over the epoch of the jump, 1 for that over the next.

    Returns:
        Pair of float arrays of one length: jumps, rises.
    """
    epochs, sizes = jumps(record)
    allowed = [epoch + ahead in epochs for epoch in epochs]
    later = epochs[allowed] + ahead
    return sizes[allowed], record.loss[later] - record.loss[later - 1]
