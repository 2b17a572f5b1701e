"""The runs of a sweep of the sync period k, by what was swept."""

from scripts.laperm.fields import fields
from scripts.laperm.runs import grouped, only, synchronizes_once


def dense_runs(curves):
    """The runs of each k with all weights: dict from k, ascending, to a list of `Curve`."""
    return _by_k(curves, 0)


def sparse_runs(curves):
    """The runs of each k with half of the weights removed: dict from k, ascending, to a list of `Curve`."""
    return _by_k(curves, 50)


def synchronized_once(curves):
    """The runs with a single synchronization, at the end: list of `Curve`."""
    return [curve for curve in only(curves, method="LaPerm") if synchronizes_once(curve)]


def frozen_runs(curves):
    """The runs of Adam with half of the weights removed for good: list of `Curve`."""
    return only(curves, frozen=True)


def unreconnected_runs(curves):
    """The runs of the optimizers alone, or with Lookahead, with all weights: dict from each to a list of `Curve`."""
    return {name: same for name in ("Adam", "Lookahead") if (same := only(curves, method=name, p=0))}


def sparser_runs(curves):
    """The runs of LaPerm with more than half of the weights removed: dict from p and k to a list of `Curve`."""
    return grouped(
        [curve for curve in only(curves, method="LaPerm") if fields(curve.training)["p"] > 50],
        lambda known: f"p = {known['p']} %, k = {known['k']}",
    )


def _by_k(curves, p):
    swept = [curve for curve in only(curves, method="LaPerm", p=p) if not synchronizes_once(curve)]
    return dict(sorted(grouped(swept, "k").items()))
