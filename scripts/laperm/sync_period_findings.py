"""What sweeping the sync period k shows, in numbers, as text."""

import statistics

from scripts.laperm.ranking_traits import rank_correlation
from scripts.laperm.runs import CHANCE, final_means, in_epochs, mean_curve, number_in
from scripts.laperm.tables import differences, points
from scripts.publishing.markdown import percent
from scripts.publishing.results import by_label

ONCE, FROZEN = "one synchronization, at the end", "p = 50 %, Adam, zeros frozen"
_SPARSE = "p = 50 %, "
EARLY = 2 / 3  # of all epochs: the paper's 60 of 90
_FIRST = 1 / 9  # of all epochs: the paper's 10 of 90


def dense_runs(curves):
    """The runs of each k with all weights.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Dict from k, ascending, to a list of `Curve`.
    """
    return _by_k(curves, "")


def sparse_runs(curves):
    """The runs of each k with half of the weights removed.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Dict from k, ascending, to a list of `Curve`.
    """
    return _by_k(curves, _SPARSE)


def _by_k(curves, prefix):
    found = {number_in(label, "k"): same for label, same in by_label(curves).items() if label.startswith(f"{prefix}k")}
    return dict(sorted(found.items()))


def _means(runs, metric="test_accuracy"):
    return {k: next(iter(final_means(same, metric).values())) for k, same in runs.items()}


def _correlations(curves):
    runs = dense_runs(curves)
    if len(runs) < 3:
        return None
    early = {}
    for k, same in runs.items():
        epochs, means = mean_curve(in_epochs(same))
        early[k] = statistics.mean(m for e, m in zip(epochs, means, strict=True) if e <= EARLY * epochs[-1])
    parts = {
        "mean held-out accuracy of the first two thirds": early,
        "held-out accuracy at the end": _means(runs, "val_accuracy"),
        "training accuracy at the end": _means(runs, "train_accuracy"),
        "test accuracy at the end": _means(runs),
    }
    return "; ".join(f"{name}: {rank_correlation([*runs], [*values.values()]):+.2f}" for name, values in parts.items())


def _at_first(curves):
    found = {}
    for k, same in dense_runs(curves).items():
        epochs, means = mean_curve(in_epochs(same))
        found[k] = [mean for epoch, mean in zip(epochs, means, strict=True) if epoch <= _FIRST * epochs[-1]][-1:]
    return "; ".join(f"k = {k}: {percent(mean)}" for k, means in found.items() for mean in means)


def _one(curves):
    means = _means(dense_runs(curves))
    if 1 not in means or len(means) < 2:
        return None
    others = {k: mean for k, mean in means.items() if k > 1}
    worst, best = min(others, key=others.get), max(others, key=others.get)
    return differences(
        {f"minus k = {k}, the {name} other": (means[1], others[k]) for k, name in ((worst, "worst"), (best, "best"))}
    )


def _once(curves):
    same = by_label(curves).get(ONCE)
    if not same:
        return None
    before, after = (
        statistics.mean(c.values("val_accuracy", (when,))[1][-1] for c in same) for when in ("before", "after")
    )
    return (
        f"{percent(next(iter(final_means(same).values())))}; held-out images {percent(before)} before it and "
        f"{percent(after)} after it; chance is {percent(CHANCE)}"
    )


def _falls(curves):
    runs = dense_runs(curves)
    if not runs:
        return None
    k, same = max(runs.items())
    epochs, after = mean_curve(in_epochs(same), when=("after",))
    befores, before = mean_curve(in_epochs(same), when=("before",))
    falls = [(e, b - a) for e, b, a in zip(befores, before, after, strict=False)]  # none before the final one of `fit`
    if len(falls) < 2:
        return None
    parts = [[fall for e, fall in falls if (e <= EARLY * epochs[-1]) == is_early] for is_early in (True, False)]
    named = zip(("first two thirds", "last third"), parts, strict=True)
    each = ", ".join(f"{name} {points(statistics.mean(p))} points" for name, p in named if p)
    return f"k = {k}, {each}; the first one from {percent(before[0])} to {percent(after[0])}"


def _removed(curves):
    dense, sparse = _means(dense_runs(curves)), _means(sparse_runs(curves))
    return differences({f"k = {k}": (sparse[k], dense[k]) for k in sparse if k in dense})


def _frozen(curves):
    frozen = final_means(curves).get(FROZEN)
    if frozen is None:
        return None
    return differences({f"k = {k}": (mean, frozen) for k, mean in _means(sparse_runs(curves)).items()})


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
