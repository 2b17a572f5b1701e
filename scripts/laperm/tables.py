"""The published tables of section 5, one line for each training, and how its claims are measured."""

import statistics

import pandas as pd

from scripts.laperm.published_weights import published_beside
from scripts.laperm.runs import final_means, final_values, grouped, only, synchronizes_once
from scripts.publishing.claims import in_points
from scripts.publishing.curves import by_training
from scripts.publishing.tables import frame_table, mean_min_max, percent, points, without_empty_columns


def table(paper, published=(), *, sync_period=True):
    """A function that makes the table of an experiment.

    Args:
        paper: dict from a label to the paper's number, as text.
        published: tuple of str, networks of `models.published` whose lines follow where they have been evaluated.
        sync_period: bool, say how often an epoch synchronizes. Defaults to `True`.

    Returns:
        Function of a list of `Curve` that gives Markdown.
    """

    def make(curves):
        evaluated = by_training([*curves, *published_beside(curves, published)])
        lines = pd.DataFrame([_line(same, sync_period) for same in evaluated.values()], dtype=object)
        lines["paper"] = lines["training"].map(paper)
        images = " and ".join(f"{n:,}" for n in sorted({curve.summary["test_images"] for curve in curves}))
        note = (
            "Accuracies are those of the last weights, LaPerm's after the last synchronization; of "
            f"{images} test images."
        )
        return f"{frame_table(without_empty_columns(lines))}\n\n{note}"

    return make


def _line(same, sync_period):
    """The cells of the runs of one training; None is what it has not."""
    first = same[0]
    is_ours = "is_permutation" in first.summary
    k = first.training.optimizer.sync_period
    often = k and sync_period and not synchronizes_once(first)
    mean, least, most = mean_min_max([curve.final("test_accuracy") for curve in same])
    return {
        "training": first.label,
        "synchronizations in an epoch": f"{first.steps_per_epoch / k:.3g}" if often else None,
        "seeds": len(same),
        "test accuracy: mean": mean,
        "min": least,
        "max": most,
        "held-out images": percent(statistics.mean(c.final("val_accuracy") for c in same)) if is_ours else None,
        "training images": percent(statistics.mean(curve.final("train_accuracy") for curve in same)),
        "permutation": f"{sum(c.summary['is_permutation'] for c in same)} of {len(same)}" if is_ours else None,
    }


def differences(found):
    """Differences of mean accuracies, in points, as text.

    Args:
        found: dict or Series of floats, from what to say of it to each difference.

    Returns:
        Str, or None for no differences.

    Example:

    >>> differences({"p = 30 %": -0.01, "p = 50 %": 0.02})
    'p = 30 %: -1.00 points; p = 50 %: +2.00 points'
    """
    return "; ".join(f"{name}: {points(difference)} points" for name, difference in found.items()) or None


def minus(ours, others, name="{}"):
    """The differences of what both have, seed by seed, in the order of the first.

    Args:
        ours: data frame, as of `scripts.laperm.runs.final_values`.
        others: data frame with some of its rows, or a Series, as of `by_seed`, for all of them.
        name: str, what to say of each, with `{}` for its index. Defaults to the index.

    Returns:
        Data frame of floats, with these names as index.

    Example:

    >>> import pandas as pd
    >>> ours = pd.DataFrame({0: [0.5, 0.25, 1.0]}, index=[20, 10, 5])
    >>> minus(ours, pd.DataFrame({0: [0.25, 0.5]}, index=[20, 10]), "k = {}")[0].to_dict()
    {'k = 20': 0.25, 'k = 10': -0.25}
    """
    if others.empty or ours.empty:
        return ours.iloc[:0]
    found = ours - others.reindex(ours.index) if isinstance(others, pd.DataFrame) else ours.sub(others, axis="columns")
    return found.dropna(how="all").rename(index=name.format)


def best_over_worst_sync_period(name_of):
    """A function that says how much k matters: the mean test accuracy of the best k minus that of the worst.

    Args:
        name_of: as in `scripts.laperm.runs.grouped`, what has several k.

    Returns:
        Function of a list of `Curve` that gives text, or None where nothing has several k.
    """

    def differ(curves):
        found = {}
        for name, same in grouped(only(curves, method="LaPerm"), name_of).items():
            means = final_means(same, "k")
            best, worst = means.idxmax(), means.idxmin()
            if best != worst:
                found[f"{name}, k = {best} over k = {worst}"] = means[best] - means[worst]
        return differences(found)

    return differ


def minus_dense(percents, chosen, name_of):
    """A function that measures what is lost with some of the weights removed: minus the test accuracy of p = 0 %.

    Args:
        percents: range or tuple of int, the p that count.
        chosen: function of a list of `Curve` that gives those to compare, one k for each p.
        name_of: as in `scripts.laperm.runs.grouped`, what has several p.

    Returns:
        Function of a list of `Curve` for a `scripts.publishing.claims.Claim`.
    """

    def loss(curves):
        found = {}
        for name, same in grouped(only(chosen(curves), method="LaPerm"), name_of).items():
            values = final_values(same, "p")
            if 0 in values.index:
                lost = minus(values[values.index.isin(percents)], values.loc[0], f"{name}, p = {{}} %")
                found |= in_points(lost)
        return found

    return loss
