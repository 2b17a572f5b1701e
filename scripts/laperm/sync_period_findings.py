"""What sweeping the sync period k shows: the claims about it, and how they are measured."""

import statistics

import pandas as pd

from scripts.laperm.fields import fields
from scripts.laperm.ranking_traits import rank_correlation
from scripts.laperm.runs import CHANCE, by_seed, final_mean, final_values
from scripts.laperm.sync_period_runs import (
    dense_runs,
    frozen_runs,
    sparse_runs,
    sparser_runs,
    synchronized_once,
    unreconnected_runs,
)
from scripts.laperm.tables import minus
from scripts.publishing.claims import Claim, Ours, in_points
from scripts.publishing.curves import mean_curve
from scripts.publishing.tables import percent, points
from scripts.publishing.verdicts import ABOVE, BELOW, CLEARLY_ABOVE, CLEARLY_BELOW, POINT, accuracy, at_most, no_worse

ONCE, FROZEN = "one synchronization, at the end", "p = 50 %, Adam, zeros frozen"
EARLY = 2 / 3  # of all epochs: the paper's 60 of 90
_FIRST = 1 / 9  # of all epochs: the paper's 10 of 90
_SELDOM = 1 / 5  # of an epoch's steps: the paper's 200 of 1000


def _values(runs):
    return final_values([curve for same in runs.values() for curve in same], "k")


def _mean_of_the_first_two_thirds(same):
    held_out = mean_curve(same, by="epochs")
    return held_out[held_out.index <= EARLY * held_out.index[-1]].mean()


def _after_the_first_ninth(same):
    held_out = mean_curve(same, by="epochs")
    first = held_out[held_out.index <= _FIRST * held_out.index[-1]].tail(1)
    return first.item() if len(first) else None


def _at_the_end(metric):
    return lambda same: statistics.mean(curve.final(metric) for curve in same)


def _seeds_of(runs):
    """The runs of each seed that all k have: list of dict from k to a list of one `Curve`."""
    seeds = [{curve.seed for curve in same} for same in runs.values()]
    return [
        {k: [curve for curve in same if curve.seed == seed] for k, same in runs.items()}
        for seed in sorted(set.intersection(*seeds))
    ]


def _correlation(runs, measure):
    return rank_correlation([*runs], [measure(same) for same in runs.values()])


def _correlations(curves):
    runs = dense_runs(curves)
    if len(runs) < 3:
        return {}
    parts = {
        "mean held-out accuracy of the first two thirds": (_mean_of_the_first_two_thirds, BELOW),
        "held-out accuracy at the end": (_at_the_end("val_accuracy"), ABOVE),
        "training accuracy at the end": (_at_the_end("train_accuracy"), ABOVE),
        "test accuracy at the end": (_at_the_end("test_accuracy"), ABOVE),
    }
    return {
        name: Ours(
            tuple(_correlation(seed, measure) for seed in _seeds_of(runs)),
            f"{_correlation(runs, measure):+.2f}",
            stated,
        )
        for name, (measure, stated) in parts.items()
    }


def _at_first(curves):
    runs = dense_runs(curves)
    first = {k: _after_the_first_ninth(same) for k, same in runs.items()}
    if not first or None in first.values():
        return {}
    values = [_correlation(seed, _after_the_first_ninth) for seed in _seeds_of(runs)]
    return {"": Ours(tuple(values), "; ".join(f"k = {k}: {percent(mean)}" for k, mean in first.items()))}


def _one(curves):
    values = _values(dense_runs(curves))
    if 1 not in values.index or len(values) < 2:
        return {}
    others = values.drop(1).mean(axis=1)
    named = {"worst": others.idxmin(), "best": others.idxmax()}
    found = {f"minus k = {k}, the {name} other": values.loc[1] - values.loc[k] for name, k in named.items()}
    return in_points(pd.DataFrame(found).T)


def _once(curves):
    same = synchronized_once(curves)
    if not same:
        return {}
    ends = [[curve.values("val_accuracy", when).iloc[-1] for when in ("before", "after")] for curve in same]
    before, after = map(statistics.mean, zip(*ends, strict=True))
    tests = tuple(by_seed(same))
    return {
        "test images": Ours(tests, percent(statistics.mean(tests)), accuracy(0.138)),
        "held-out images": Ours(
            tuple(late - early for early, late in ends),
            f"{percent(before)} before it and {percent(after)} after it, where chance is {percent(CHANCE)}",
            CLEARLY_BELOW,
        ),
    }


def _falls(curves):
    runs = dense_runs(curves)
    if not runs:
        return {}
    k, same = max(runs.items())
    parts = {"first two thirds": [], "last third": []}
    for curve in same:
        before, after = (curve.values("val_accuracy", when, by="epochs") for when in ("before", "after"))
        falls = (before - after).dropna()  # the final one of `fit` is seen only after it
        if len(falls) < 2:
            return {}
        is_early = falls.index <= EARLY * after.index[-1]
        for part, of in zip(parts.values(), (falls[is_early], falls[~is_early]), strict=True):
            part += [of.mean()] if len(of) else []
    first = [mean_curve(same, when=when).iloc[0] for when in ("before", "after")]
    more = {"first two thirds": f", the first one from {percent(first[0])} to {percent(first[1])}", "last third": ""}
    stated = {"first two thirds": CLEARLY_ABOVE, "last third": at_most(POINT)}
    return {
        f"k = {k}, {name}": Ours(tuple(part), f"{points(statistics.mean(part))} points{more[name]}", stated[name])
        for name, part in parts.items()
        if part
    }


def _removed(curves):
    return in_points(minus(_values(sparse_runs(curves)), _values(dense_runs(curves)), "k = {}"))


def _sparser(curves):
    dense, found = dense_runs(curves), {}
    for name, same in sparser_runs(curves).items():
        k = fields(same[0].training)["k"]
        if k in dense:
            found[name] = by_seed(same) - by_seed(dense[k])
    return in_points(pd.DataFrame(found).T)


def _against_others(curves):
    """With the k that ends highest on held-out images, LaPerm minus the optimizers that change the values too."""
    runs, others = dense_runs(curves), unreconnected_runs(curves)
    if not runs or not others:
        return {}
    k = max(runs, key=lambda k: final_mean(runs[k], "val_accuracy"))
    ours = by_seed(runs[k])
    return in_points(pd.DataFrame({f"k = {k} minus {name}": ours - by_seed(same) for name, same in others.items()}).T)


def _frozen(curves):
    seldom = {k: same for k, same in sparse_runs(curves).items() if k >= _SELDOM * same[0].steps_per_epoch}
    return in_points(minus(_values(seldom), by_seed(frozen_runs(curves)), "k = {}"))


CLAIMS = (
    Claim(
        "Before the 60th of 90 epochs larger k are worse, at the end they are better (rank correlation with k).",
        _correlations,
    ),
    Claim("Larger k start slower (held-out accuracy after the first ninth of all epochs).", _at_first, BELOW),
    Claim("k = 1 is clearly worse than all others.", _one, CLEARLY_BELOW),
    Claim("One synchronization at the end destroys what was learned: 13.8 %.", _once),
    Claim(
        "With the largest k the accuracy falls sharply at synchronizations, and hardly at the end (before minus after, "
        "held-out images).",
        _falls,
    ),
    Claim("Removing half of the weights costs nothing (p = 50 % minus p = 0 %).", _removed, no_worse()),
    Claim(
        "With half removed, k of 200 and more, a fifth of an epoch, is well above Adam with the zeros frozen (LaPerm "
        "minus Adam).",
        _frozen,
        CLEARLY_ABOVE,
    ),
    Claim("Removing still more costs nothing (minus p = 0 %).", _sparser, no_worse()),
    Claim(
        "It is no worse than Adam and Lookahead (the k that is best on held-out images, minus each).",
        _against_others,
        no_worse(),
    ),
)
