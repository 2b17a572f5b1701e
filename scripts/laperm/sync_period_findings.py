"""What sweeping the sync period k shows, in numbers, as text."""

import statistics

from scripts.laperm.ranking_traits import rank_correlation
from scripts.laperm.runs import CHANCE, final_mean, final_means, grouped, only, synchronizes_once
from scripts.laperm.tables import differences, minus
from scripts.publishing.curves import mean_curve
from scripts.publishing.tables import percent, points

ONCE, FROZEN = "one synchronization, at the end", "p = 50 %, Adam, zeros frozen"
EARLY = 2 / 3  # of all epochs: the paper's 60 of 90
_FIRST = 1 / 9  # of all epochs: the paper's 10 of 90


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


def _by_k(curves, p):
    swept = [curve for curve in only(curves, method="LaPerm", p=p) if not synchronizes_once(curve)]
    return dict(sorted(grouped(swept, "k").items()))


def _means(runs, metric="test_accuracy"):
    return final_means([curve for same in runs.values() for curve in same], "k", metric)


def _correlations(curves):
    runs = dense_runs(curves)
    if len(runs) < 3:
        return None
    early = []
    for same in runs.values():
        held_out = mean_curve(same, by="epochs")
        early.append(held_out[held_out.index <= EARLY * held_out.index[-1]].mean())
    parts = {
        "mean held-out accuracy of the first two thirds": early,
        "held-out accuracy at the end": _means(runs, "val_accuracy"),
        "training accuracy at the end": _means(runs, "train_accuracy"),
        "test accuracy at the end": _means(runs),
    }
    return "; ".join(f"{name}: {rank_correlation([*runs], [*values]):+.2f}" for name, values in parts.items())


def _at_first(curves):
    said = []
    for k, same in dense_runs(curves).items():
        held_out = mean_curve(same, by="epochs")
        first = held_out[held_out.index <= _FIRST * held_out.index[-1]].tail(1)
        said += [f"k = {k}: {percent(mean)}" for mean in first]
    return "; ".join(said)


def _one(curves):
    means = _means(dense_runs(curves))
    if 1 not in means or len(means) < 2:
        return None
    others = means.drop(1)
    named = {"worst": others.idxmin(), "best": others.idxmax()}
    return differences({f"minus k = {k}, the {name} other": means[1] - others[k] for name, k in named.items()})


def _once(curves):
    same = synchronized_once(curves)
    if not same:
        return None
    before, after = (mean_curve(same, when=when).iloc[-1] for when in ("before", "after"))
    return (
        f"{percent(final_mean(same))}; held-out images {percent(before)} before it and "
        f"{percent(after)} after it; chance is {percent(CHANCE)}"
    )


def _falls(curves):
    runs = dense_runs(curves)
    if not runs:
        return None
    k, same = max(runs.items())
    before, after = (mean_curve(same, when=when, by="epochs") for when in ("before", "after"))
    falls = (before - after).dropna()  # the final one of `fit` is seen only after it
    if len(falls) < 2:
        return None
    is_early = falls.index <= EARLY * after.index[-1]
    named = (("first two thirds", falls[is_early]), ("last third", falls[~is_early]))
    each = ", ".join(f"{name} {points(statistics.mean(part))} points" for name, part in named if len(part))
    return f"k = {k}, {each}; the first one from {percent(before.iloc[0])} to {percent(after.iloc[0])}"


def _removed(curves):
    return differences(minus(_means(sparse_runs(curves)), _means(dense_runs(curves)), "k = {}"))


def _frozen(curves):
    return differences(minus(_means(sparse_runs(curves)), final_mean(frozen_runs(curves)), "k = {}"))


FINDINGS = {
    "Before the 60th of 90 epochs larger k are worse, at the end they are better (rank correlation with k).": (
        _correlations
    ),
    "Larger k start slower (held-out accuracy after the first ninth of all epochs).": _at_first,
    "k = 1 is clearly worse than all others.": _one,
    "One synchronization at the end gives 13.8 %.": _once,
    "With the largest k the accuracy falls sharply at synchronizations, and hardly at the end (before minus after, "
    "held-out images).": _falls,
    "Removing half of the weights costs nothing, and with k = 1000 it gains (p = 50 % minus p = 0 %).": _removed,
    "With half removed, k of 200 and more is well above Adam with the zeros frozen (LaPerm minus Adam).": _frozen,
}
