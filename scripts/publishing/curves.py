"""Finished runs: each knows the declared training that it came from, and tables group by what was declared."""

import dataclasses
import functools
import pathlib

import pandas as pd

from scripts.experiment import trainings_of
from scripts.running.declaration import described, refuse_another
from scripts.running.files import read_csv, read_json
from scripts.running.records import unpack_records
from scripts.running.runner import folder_of, size_folder
from scripts.running.training import Training

# Where an accuracy counts: LaPerm's after synchronizations, others' after epochs.
SYNCHRONIZED = ("after", "epoch")


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """One finished run.

    Args:
        training: the declared `Training`.
        seed: int.
        rows: data frame of all evaluations: `epoch`, `step`, `when` (`"before"`, `"after"`, `"epoch"`) and metrics,
            with missing values where a metric was not evaluated.
        summary: dict, what was known at the end.
        folder: path of the run, with whatever else it wrote. Defaults to None.
    """

    training: Training
    seed: int
    rows: pd.DataFrame
    summary: dict
    folder: pathlib.Path | None = None

    @property
    def label(self):
        """The name of the curve, to print."""
        return self.training.label

    @functools.cached_property
    def steps_per_epoch(self):
        """How many steps an epoch has."""
        last = self.rows[self.rows["when"] == "epoch"].iloc[0]
        return int(last["step"] // (last["epoch"] + 1))

    def values(self, metric, when=SYNCHRONIZED, by="step"):
        """A metric over time.

        Args:
            metric: str, e.g. `"test_accuracy"`.
            when: str or tuple of str, which rows count. Defaults to those where an accuracy counts.
            by: `"step"`; `"epochs"`, the steps as a number of epochs, with fractions; or `"epoch"`, counted from 1.
                Defaults to `"step"`.

        Returns:
            Series of floats, indexed by the time.
        """
        if metric not in self.rows:
            return pd.Series(dtype=float)
        rows = self.rows[self.rows["when"].isin([when] if isinstance(when, str) else when)].dropna(subset=[metric])
        if by == "epoch":
            index = rows["epoch"] + 1
        else:
            index = rows["step"] if by == "step" else rows["step"] / self.steps_per_epoch
        return pd.Series(rows[metric].to_numpy(float), index=index.to_numpy(float if by == "epochs" else int))

    def final(self, metric):
        """A metric at the end of the run: from its summary, or where it was last evaluated."""
        return self.summary[metric] if metric in self.summary else float(self.values(metric).iloc[-1])


def collect(name, size, results):
    """All finished runs of an experiment, in the order of the declaration, then of the seeds.

    Args:
        name: str.
        size: str.
        results: str or path, the folder of results.

    Returns:
        List of `Curve`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: one is of another declaration than today's.
    """
    curves = []
    unpack_records(size_folder(name, size, results))
    for training in trainings_of(name, size):
        parent = folder_of(name, size, training.label, 0, results).parent
        for done in sorted(parent.glob("seed_*/done.json"), key=lambda path: int(path.parent.name[5:])):
            folder, seed = done.parent, int(done.parent.name[5:])
            there = read_json(folder / "declaration.json")
            refuse_another(folder, there, {**there, "training": described(training)})
            curves.append(Curve(training, seed, read_csv(folder / "rows.csv"), read_json(done), folder))
    if not curves:
        raise FileNotFoundError(
            f"There are no finished runs to draw. Received: {name} at size {size} in {results}. Run "
            f"`python -m scripts run {name} --size {size}` first."
        )
    return curves


def evaluations(curves):
    """All evaluations of all runs, as one data frame with the label and the seed in front."""
    return _together(curves, [curve.rows for curve in curves])


def written(curves, file):
    """A CSV that each run has written into its folder, as one data frame with the label and the seed in front."""
    return _together(curves, [read_csv(curve.folder / file) for curve in curves])


def _together(curves, frames):
    named = [frame.assign(label=curve.label, seed=curve.seed) for curve, frame in zip(curves, frames, strict=True)]
    together = pd.concat(named, ignore_index=True)
    return together[["label", "seed", *together.columns.drop(["label", "seed"])]]


def by_training(curves):
    """The runs of each training: dict from the label, which is unique, to its list of `Curve`, in their order."""
    groups = {}
    for curve in curves:
        groups.setdefault(curve.label, []).append(curve)
    return groups


def mean_curve(curves, metric="val_accuracy", when=SYNCHRONIZED, by="step"):
    """The mean over the seeds at each moment, as `Curve.values`, of runs of one training."""
    return spread(curves, metric, when, by)["mean"]


def spread(curves, metric, when=SYNCHRONIZED, by="step"):
    """Mean, minimum and maximum over the seeds at each moment: data frame, indexed as `Curve.values`."""
    together = pd.concat([curve.values(metric, when, by) for curve in curves])
    return together.groupby(level=0).agg(["mean", "min", "max"])


def ends(curves, fields=None):
    """What every run ended with, beside what was declared.

    Args:
        curves: list of `Curve`.
        fields: function of a `Training` that gives a dict of what tables group by, e.g. its k. Defaults to None.

    Returns:
        Data frame with a row for each run: `label`, `seed`, the fields, and the summary.
    """
    return pd.DataFrame(
        [{"label": c.label, "seed": c.seed, **(fields(c.training) if fields else {}), **c.summary} for c in curves]
    )
