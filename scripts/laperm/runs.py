"""What the finished runs of LaPerm's experiments say: by their labels, their curves and their ends."""

import collections
import dataclasses
import re
import statistics

from scripts.publishing.results import by_label

CHANCE = 0.1  # of ten classes
SYNCHRONIZED = ("after", "epoch")  # where an accuracy counts: LaPerm's after synchronizations, others' after epochs


def number_in(label, name):
    """A number that a label names.

    Args:
        label: str, e.g. `"Conv4, p = 30 %, k = 1000"`.
        name: str, `"p"` or `"k"`.

    Returns:
        Int, or None if the label does not name it.

    Example:

    >>> number_in("Conv4, p = 30 %, k = 1000", "p"), number_in("Conv4, Adam", "k")
    (30, None)
    """
    found = re.search(rf"\b{name} = (\d+)", label)
    return int(found[1]) if found else None


def steps_per_epoch(curve):
    """How many steps an epoch has.

    Args:
        curve: `scripts.publishing.results.Curve`.

    Returns:
        Int.
    """
    return next(row["step"] // (row["epoch"] + 1) for row in curve.rows if row["when"] == "epoch")


def in_epochs(curves):
    """The same runs with their steps counted in epochs.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        List of `Curve`.
    """

    def converted(curve):
        steps = steps_per_epoch(curve)
        return dataclasses.replace(curve, rows=[{**row, "step": row["step"] / steps} for row in curve.rows])

    return [converted(curve) for curve in curves]


def final(curve, metric):
    """An accuracy at the end of a run.

    Args:
        curve: `scripts.publishing.results.Curve`.
        metric: str, `"test_accuracy"`, `"val_accuracy"` or `"train_accuracy"`.

    Returns:
        Float.
    """
    return curve.summary[metric] if metric in curve.summary else curve.values(metric, SYNCHRONIZED)[1][-1]


def final_means(curves, metric="test_accuracy"):
    """The mean over the seeds at the end, for each label.

    Args:
        curves: list of `scripts.publishing.results.Curve`.
        metric: str, as in `final`. Defaults to `"test_accuracy"`.

    Returns:
        Dict from a label to a float.
    """
    return {label: statistics.mean(final(c, metric) for c in same) for label, same in by_label(curves).items()}


def mean_curve(curves, metric="val_accuracy", when=SYNCHRONIZED):
    """The mean over the seeds at each moment.

    Args:
        curves: list of `scripts.publishing.results.Curve`, of one label.
        metric: str. Defaults to `"val_accuracy"`.
        when: tuple of str, as in `Curve.values`.

    Returns:
        Pair of lists: steps, or epochs for curves of `in_epochs`; and means.
    """
    found = collections.defaultdict(list)
    for curve in curves:
        for step, value in zip(*curve.values(metric, when), strict=True):
            found[step].append(value)
    return sorted(found), [statistics.mean(found[step]) for step in sorted(found)]


def best_sync_periods(curves):
    """Of a sweep over k the runs with the k that ends highest on held-out images; others as they are.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        List of `Curve`.
    """
    ends = final_means(curves, "val_accuracy")
    return _chosen(curves, lambda labels: max(labels, key=ends.get))


def largest_sync_periods_that_learn(curves, epochs):
    """Of a sweep over k the runs with the largest k that has not diverged; others as they are.

    Diverged is what answers no better than twice as well as chance at the last evaluation of the first epochs, with
    any seed. Where all do, the smallest k is taken.

    Args:
        curves: list of `scripts.publishing.results.Curve`.
        epochs: int, how many epochs count.

    Returns:
        List of `Curve`.
    """
    groups = by_label(in_epochs(curves))

    def learns(label):
        for curve in groups[label]:
            when, values = curve.values("val_accuracy", SYNCHRONIZED)
            early = [value for epoch, value in zip(when, values, strict=True) if epoch <= epochs]
            if not early or early[-1] <= 2 * CHANCE:
                return False
        return True

    def choose(labels):
        ascending = sorted(labels, key=lambda label: number_in(label, "k"))
        return next((label for label in reversed(ascending) if learns(label)), ascending[0])

    return _chosen(curves, choose)


def _chosen(curves, choose):
    """The runs of one label from each group that differs in k only."""
    groups = {}
    for label in by_label(curves):
        groups.setdefault(re.sub(r",? *\bk = \d+", "", label), []).append(label)
    kept = {choose(labels) if len(labels) > 1 else labels[0] for labels in groups.values()}
    return [curve for curve in curves if curve.label in kept]
