"""An experiment that was run twice, on another day or machine: do its curves agree within what the seeds differ by?"""

import pathlib

import pandas as pd

from scripts.experiment import find
from scripts.publishing.tables import frame_table, points
from scripts.running.files import read_csv

_METRICS = ("test_accuracy", "val_accuracy", "val_error", "fraction")
# What says where in a curve a number is, of all kinds of CSV.
_PLACES = ("step", "when", "reinitialized", "percent", "layer")


def compare(name, results, earlier, metric=None, suffix=""):
    """How far apart the published numbers of an experiment are in two folders.

    Of each training the mean over the seeds is compared, at every moment that both have, with the range of the seeds of
    both; and the same seed with itself, which on one kind of machine differs by rounding at most.

    Args:
        name: str, the experiment.
        results: str or path, the folder with `<name>.csv`.
        earlier: str or path, another such folder or a CSV.
        metric: str, the column that is compared. Defaults to None: the first of test accuracy, held-out accuracy, its
            error, or a fraction that is there.
        suffix: str, after the name in `results`, and in `earlier` where that is a folder. Defaults to `""`.

    Returns:
        Str, a table in Markdown with a line for each training that both have; all in hundredths.

    Raises:
        ValueError: there is no such experiment or metric, or both have no moment of a training in common.
        FileNotFoundError: a CSV is not there.
    """
    find(name)
    file, earlier = f"{name}{suffix}.csv", pathlib.Path(earlier)
    paths = pathlib.Path(results, file), earlier / file if earlier.is_dir() else earlier
    both = [_numbers(path, metric) for path in paths]
    if both[0].name != both[1].name:
        raise ValueError(f"Both must hold the same metric. Received: {both[0].name} and {both[1].name}. Give --metric.")
    lines = []
    for label in dict.fromkeys(both[0].index.get_level_values("label")):
        ours, theirs = (_of_training(numbers, label) for numbers in both)
        if len(ours.index.intersection(theirs.index)):
            lines.append({"training": label, **_line(ours, theirs)})
    if not lines:
        raise ValueError(f"Both must have a moment of a training in common. Received: {paths[0]} and {paths[1]}.")
    head = f"{both[0].name} of {paths[0]} beside {paths[1]}, in hundredths:"
    return f"{head}\n\n{frame_table(pd.DataFrame(lines, dtype=object))}"


def _numbers(path, metric):
    """One metric of a published CSV: Series by label, seed and place."""
    if not path.exists():
        raise FileNotFoundError(f"There must be a CSV to compare. Received: {path}, which is not there.")
    frame = read_csv(path)
    metric = metric or next((known for known in _METRICS if known in frame), None)
    if metric not in frame or "label" not in frame or "seed" not in frame:
        raise ValueError(
            f"The CSV must have columns label, seed and the metric. Received: {path} with {', '.join(frame.columns)}, "
            f"and the metric {metric!r}. Choose with --metric."
        )
    places = [place for place in _PLACES if place in frame]
    return frame.dropna(subset=[metric]).set_index(["label", "seed", *places])[metric]


def _of_training(numbers, label):
    """Data frame with a row for each place and a column for each seed; empty where there is no such training."""
    found = numbers[numbers.index.get_level_values("label") == label].droplevel("label")
    return found[~found.index.duplicated()].unstack("seed")


def _line(ours, theirs):
    both = ours.index.intersection(theirs.index)
    ours, theirs = ours.loc[both], theirs.loc[both]
    together = pd.concat([ours, theirs], axis="columns")
    apart, width = (ours.mean(axis=1) - theirs.mean(axis=1)).abs(), together.max(axis=1) - together.min(axis=1)
    seeds = min(ours.shape[1], theirs.shape[1])
    within = (apart <= width / 2).mean() if seeds > 1 else None
    same_seed = (ours - theirs).abs().max().max()
    return {
        "moments": len(both),
        "seeds": seeds,
        "same seed: at most apart": points(same_seed).lstrip("+") if pd.notna(same_seed) else None,
        "means: at most apart": points(apart.max()).lstrip("+"),
        "at the end": points(apart.iloc[-1]).lstrip("+"),
        "range of the seeds, mean": points(width.mean()).lstrip("+"),
        "means within half of the range": f"{100 * within:.0f} %" if within is not None else None,
    }
