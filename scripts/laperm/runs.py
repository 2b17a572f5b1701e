"""Which runs of LaPerm's experiments belong together, and what they ended with."""

import statistics

import pandas as pd

from scripts.laperm.fields import fields
from scripts.publishing.curves import by_training, ends

CHANCE = 0.1  # of ten classes


def only(curves, **wanted):
    """The runs whose fields have these values.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.
        **wanted: from the name of a field, as of `scripts.laperm.fields.fields`, to its value.

    Returns:
        List of `Curve`.
    """
    return [curve for curve in curves if wanted.items() <= fields(curve.training).items()]


def grouped(curves, name_of):
    """The runs that have something in common: dict from it to a list of `Curve`, in their order.

    Args:
        curves: list of `Curve`.
        name_of: the name of a field, or a function of the fields.
    """
    groups = {}
    for curve in curves:
        known = fields(curve.training)
        groups.setdefault(known[name_of] if isinstance(name_of, str) else name_of(known), []).append(curve)
    return groups


def final_means(curves, by, metric="test_accuracy"):
    """The mean at the end of the runs that have some fields in common.

    Args:
        curves: list of `Curve`.
        by: the name of a field, or `"label"`; or a list of such.
        metric: str. Defaults to `"test_accuracy"`.

    Returns:
        Series of floats, indexed by the fields, in the order of the curves.
    """
    if not curves:
        return pd.Series(dtype=float)
    values = {metric: [curve.final(metric) for curve in curves]}
    return ends(curves, fields).assign(**values).groupby(by, sort=False)[metric].mean()


def final_values(curves, by, metric="test_accuracy"):
    """What the runs ended with, seed by seed.

    Args:
        curves: list of `Curve`, which differ in nothing but this field and the seed.
        by: the name of a field, or `"label"`.
        metric: str. Defaults to `"test_accuracy"`.

    Returns:
        Data frame of floats with a row for each value of the field, in the order of the curves, and a column for each
        seed; empty for no curves.
    """
    groups = by_training(curves) if by == "label" else grouped(curves, by)
    return pd.DataFrame({name: by_seed(same, metric) for name, same in groups.items()}).T


def by_seed(curves, metric="test_accuracy"):
    """What the runs of one training ended with: Series of floats by seed, empty for no runs."""
    return pd.Series({curve.seed: curve.final(metric) for curve in curves}, dtype=float)


def final_mean(curves, metric="test_accuracy"):
    """The mean at the end of some runs, or None for no runs."""
    return statistics.mean(curve.final(metric) for curve in curves) if curves else None


def synchronizes_once(curve):
    """Whether LaPerm synchronizes at the very end only."""
    return curve.training.optimizer.sync_period == curve.steps_per_epoch * curve.training.epochs


def best_sync_periods(curves):
    """Of a sweep over k the runs with the k that ends highest on held-out images; others as they are."""
    return _one_of_each_sweep(curves, lambda runs: max(runs, key=lambda k: final_mean(runs[k], "val_accuracy")))


def largest_sync_periods_that_learn(curves, epochs):
    """Of a sweep over k the runs with the largest k that has not diverged; others as they are.

    Diverged is what answers no better than twice as well as chance at the last evaluation of the first epochs, with
    any seed. Where all do, the smallest k is taken.

    Args:
        curves: list of `Curve`.
        epochs: int, how many epochs count.

    Returns:
        List of `Curve`.
    """

    def learns(curve):
        values = curve.values("val_accuracy", by="epochs")
        early = values[values.index <= epochs]
        return len(early) > 0 and early.iloc[-1] > 2 * CHANCE

    def choose(runs):
        return max((k for k, same in runs.items() if all(map(learns, same))), default=min(runs))

    return _one_of_each_sweep(curves, choose)


def _one_of_each_sweep(curves, choose):
    """Of the runs that differ in k only those of one k, which `choose` finds in a dict from k to a list of `Curve`."""
    kept = []
    for sweep in grouped(curves, lambda known: tuple({**known, "k": known["k"] is not None}.values())).values():
        runs = grouped(sweep, "k")
        kept += runs[choose(runs) if len(runs) > 1 else next(iter(runs))]
    return [curve for curve in curves if curve in kept]
