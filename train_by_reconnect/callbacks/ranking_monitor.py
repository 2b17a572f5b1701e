"""A callback that records how the order of the weights changes while a network trains."""

import csv
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend.partial_files import replacing
from train_by_reconnect.backend.row_ranking import rank_rows
from train_by_reconnect.backend.types import Logs
from train_by_reconnect.callbacks.event_file import EventFile
from train_by_reconnect.callbacks.periods import check_every
from train_by_reconnect.weights.profiles import weight_profiles
from train_by_reconnect.weights.ranking_distance import mean_and_deviation, rank_changes

PERCENTILES = {"minimum": 0, "p15": 15, "p50": 50, "p85": 85, "maximum": 100}


class RankingMonitor(keras.callbacks.Callback):
    """Record the ranking distance of one optimizer step, and where each weight vector's values lie, every n steps.

    The distance is always that of a single step, `|R_t - R_(t-1)|`, as in the paper; with `every` above 1 only each
    n-th step is measured. That takes two rankings for each measurement, or one if every step is measured. A step that
    the optimizer skips, e.g. for gradients that are not finite, is not recorded.

    `distances` holds a dict for each measurement and kernel: `step`, `kernel`, `mean` (D_t) and `deviation`
    (SD[D_t]), both in ranks, `mean_ratio` and `deviation_ratio`, the same divided by the size of a weight vector, and
    `changed`, the fraction of weights whose rank changed. `percentiles` holds a dict for each measurement, kernel and
    weight vector: `step`, `kernel`, `vector` (its number), `minimum`, `p15`, `p50`, `p85` and `maximum` of its weights;
    the first ones are of the weights that the training starts with.

    Args:
        layers: str or list of str, the names of the layers whose kernels are recorded, as in `weight_profiles`.
            Defaults to `None`, every kernel.
        every: int, at least 1, steps from one recorded distance to the next. Defaults to 100.
        percentiles_every: int, at least 1, steps from one record of percentiles to the next. Defaults to `every`.
        folder: str or path, where `ranking_distance.csv` and `weight_percentiles.csv` are written after every epoch,
            each under a temporary name first. A training that goes on at a later step keeps the rows up to it; one
            that starts anew, or of another model, replaces them, also by none. Defaults to `None`, no files.
        log_dir: str or path, where logs for TensorBoard are written: the distances, and the percentiles as means over
            the weight vectors. Defaults to `None`, no logs.

    Raises:
        ValueError: `every` or `percentiles_every` is not an integer of at least 1; from `fit`, a layer does not exist,
            `steps_per_execution` is above 1, or a weight has become NaN or infinite.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> monitor = RankingMonitor("dense", every=2)
    >>> history = model.fit(np.ones((20, 4)), np.ones((20, 3)), batch_size=4, verbose=0, callbacks=[monitor])
    >>> [row["step"] for row in monitor.distances], len(monitor.percentiles)
    ([2, 4], 9)

    Reference:
        Qiu and Suda 2020, section 3 and A.3, Fig. 3 and 13. Unlike the paper, which does not say how often it measures,
        this is set by `every`.
    """

    def __init__(
        self,
        layers: str | Sequence[str] | None = None,
        every: int = 100,
        percentiles_every: int | None = None,
        folder: str | os.PathLike[str] | None = None,
        log_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        self.layers = layers
        self.every = check_every("every", every)
        of_percentiles = every if percentiles_every is None else percentiles_every
        self.percentiles_every = check_every("percentiles_every", of_percentiles)
        self.folder = None if folder is None else pathlib.Path(folder)
        self.log_dir = log_dir
        self.distances: list[dict[str, Any]] = []
        self.percentiles: list[dict[str, Any]] = []
        self._recorded: keras.Model | None = None

    def __repr__(self) -> str:
        """The layers, how often they are recorded, and how much was."""
        layers = "every kernel" if self.layers is None else repr(self.layers)
        done = f"{len(self.distances)} distances, {len(self.percentiles)} percentiles"
        return f"<RankingMonitor of {layers}, every={self.every}, percentiles_every={self.percentiles_every}: {done}>"

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find the kernels."""
        if getattr(self.model, "steps_per_execution", 1) > 1:
            raise ValueError(
                "`RankingMonitor` must see the weights after every step. Received: "
                f"steps_per_execution={self.model.steps_per_execution}. Compile the model with steps_per_execution=1."
            )
        self._profiles = weight_profiles(self.model, self.layers)
        self._writer = None if self.log_dir is None else EventFile(self.log_dir)
        self._rankings: tuple[int | None, list[np.ndarray]] = (None, [])
        self._started = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """At the start, take up earlier rows, and record the weights that the training starts with."""
        if self._started:  # not in on_train_begin: BackupAndRestore may set the state after it
            return
        self._started, step = True, self._step()
        if self.folder is not None and self._recorded is None:
            self.distances = _read(self.folder / "ranking_distance.csv")
            self.percentiles = _read(self.folder / "weight_percentiles.csv")
        goes_on = step > 0 and self._recorded in (None, self.model)
        self._recorded = self.model
        # What lies after this step will be recorded again.
        self.distances = [row for row in self.distances if goes_on and row["step"] <= step]
        self.percentiles = [row for row in self.percentiles if goes_on and row["step"] <= step]
        if not goes_on:
            self._record_percentiles(step)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Rank the weights if the coming step is to be measured."""
        self._begun = self._step()
        if (self._begun + 1) % self.every == 0 and self._rankings[0] != self._begun:
            self._rankings = self._begun, self._rank()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Record what is due."""
        step = self._step()
        if step == self._begun:
            return
        if step % self.every == 0:
            self._record_distances(step)
        if step % self.percentiles_every == 0:
            self._record_percentiles(step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the files."""
        if self.folder is not None:
            _write(self.folder / "ranking_distance.csv", self.distances)
            _write(self.folder / "weight_percentiles.csv", self.percentiles)

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the logs."""
        if self._writer is not None:
            self._writer.close()

    def _step(self) -> int:
        return int(self.model.optimizer.iterations.numpy())

    def _rank(self) -> list[np.ndarray]:
        return [rank_rows(profile.unsorted) for profile in self._profiles]

    def _record_distances(self, step: int) -> None:
        before, after = self._rankings[1], self._rank()
        self._rankings = step, after
        for profile, old, new in zip(self._profiles, before, after, strict=True):
            changes, size = rank_changes(old, new), new.shape[1]
            mean, deviation = mean_and_deviation(changes)
            values = {
                "mean": mean,
                "deviation": deviation,
                "mean_ratio": mean / size,
                "deviation_ratio": deviation / size,
                "changed": np.count_nonzero(changes) / changes.size,
            }
            self.distances.append({"step": step, "kernel": profile.name, **values})
            self._log(step, profile.name, "ranking_distance", values)

    def _record_percentiles(self, step: int) -> None:
        for profile in self._profiles:
            values = np.percentile(profile.unsorted, list(PERCENTILES.values()), axis=1)
            for vector, of_vector in enumerate(values.T.tolist()):
                named = dict(zip(PERCENTILES, of_vector, strict=True))
                self.percentiles.append({"step": step, "kernel": profile.name, "vector": vector, **named})
            self._log(step, profile.name, "weights", dict(zip(PERCENTILES, values.mean(axis=1), strict=True)))

    def _log(self, step: int, kernel: str, group: str, values: Mapping[str, float]) -> None:
        if self._writer is not None:
            self._writer.write(step, {f"{kernel}/{group}/{key}": v for key, v in values.items()})


def _read(path: pathlib.Path) -> list[dict[str, Any]]:
    """The rows of an earlier attempt."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: _number(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def _number(cell: str) -> float | str:
    for number in (int, float):
        try:
            return number(cell)
        except ValueError:
            continue
    return cell


def _write(path: pathlib.Path, rows: list[dict[str, Any]]) -> None:
    if not rows:  # those of an earlier training are not of this one
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
