"""The published tables of section 5: one line for each training, then what the paper finds, with our numbers."""

import statistics

from scripts.laperm.published_network import published_networks
from scripts.laperm.runs import final, final_means, number_in, steps_per_epoch
from scripts.publishing.markdown import markdown_table, mean_min_max, percent
from scripts.publishing.results import by_label

_HEAD = (
    *("training", "synchronizations in an epoch", "seeds", "test accuracy: mean", "min", "max"),
    *("held-out images", "training images", "permutation", "paper"),
)


def table(paper, findings, published=()):
    """A function that makes the table of an experiment.

    Args:
        paper: dict from a label to the paper's number, as text.
        findings: dict from what the paper finds, as a sentence, to a function of a list of `Curve` that
            says what ours are, as text, or gives None where the runs for it are not there.
        published: tuple of str, labels of `laperm_published` whose lines follow where they have been evaluated.

    Returns:
        Function of a list of `Curve` that gives Markdown.
    """

    def make(curves):
        evaluated = [*curves, *published_networks(curves, published)]
        lines = [_without_empty_columns(_cells(label, same, paper) for label, same in by_label(evaluated).items())]
        images = " and ".join(f"{n:,}" for n in sorted({curve.summary["test_images"] for curve in curves}))
        lines += [
            "",
            "Accuracies are those of the last weights, LaPerm's after the last synchronization; of "
            f"{images} test images.",
        ]
        lines += ["", "What the paper finds, and ours, of mean test accuracies unless it says otherwise:", ""]
        said = {finding: ours(curves) for finding, ours in findings.items()}
        return "\n".join(lines + [f"- {finding} Ours: {text}." for finding, text in said.items() if text])

    return make


def _without_empty_columns(lines):
    kept = [column for column in zip(_HEAD, *lines, strict=True) if any(cell != "-" for cell in column[1:])]
    head, *rest = zip(*kept, strict=True)
    return markdown_table(head, rest)


def _cells(label, same, paper):
    sync_period = number_in(label, "k")
    is_ours = "is_permutation" in same[0].summary
    return [
        label,
        f"{steps_per_epoch(same[0]) / sync_period:.3g}" if sync_period else "-",
        len(same),
        *mean_min_max([final(curve, "test_accuracy") for curve in same]),
        percent(statistics.mean(final(c, "val_accuracy") for c in same)) if is_ours else "-",
        percent(statistics.mean(final(c, "train_accuracy") for c in same)),
        f"{sum(curve.summary['is_permutation'] for curve in same)} of {len(same)}" if is_ours else "-",
        paper.get(label, "-"),
    ]


def points(difference):
    """A difference of two accuracies as text.

    Args:
        difference: float.

    Returns:
        Str.

    Example:

    >>> points(0.0013), points(-0.2)
    ('+0.13', '-20.00')
    """
    return f"{100 * difference:+.2f}"


def differences(pairs):
    """Differences of mean accuracies, in points, as text.

    Args:
        pairs: dict from a name to a pair of floats, the minuend and the subtrahend.

    Returns:
        Str, or None for no pairs.

    Example:

    >>> differences({"p = 30 %": (0.9, 0.91), "p = 50 %": (0.9, 0.88)})
    'p = 30 %: -1.00 points; p = 50 %: +2.00 points'
    """
    return "; ".join(f"{name}: {points(a - b)} points" for name, (a, b) in pairs.items()) or None


def best_over_worst_sync_period(curves):
    """How much k matters: the mean test accuracy of the best k minus that of the worst.

    Args:
        curves: list of `scripts.publishing.results.Curve`, labelled `"NAME, k = K"`; others do not count.

    Returns:
        Str, for each name that has several k; None where there is none.
    """
    found = {}
    for label, mean in final_means(curves).items():
        if number_in(label, "k"):
            found.setdefault(label.split(", ")[0], {})[number_in(label, "k")] = mean
    pairs = {}
    for name, means in found.items():
        best, worst = max(means, key=means.get), min(means, key=means.get)
        if best != worst:
            pairs[f"{name}, k = {best} over k = {worst}"] = (means[best], means[worst])
    return differences(pairs)


def minus_dense(percents, chosen):
    """A function that says how much is lost with some of the weights removed: minus the mean test accuracy of p = 0 %.

    Args:
        percents: range or tuple of int, the p that count.
        chosen: function of a list of `scripts.publishing.results.Curve` that gives those to compare, one k for each p.

    Returns:
        Function of a list of `Curve`, labelled `"NAME, p = P %, k = K"`, that gives text, or None; others do not count.
    """

    def loss(curves):
        means = final_means(chosen(curves))
        dense = {label.split(", p")[0]: label for label in means if number_in(label, "p") == 0}
        pairs = {}
        for label, mean in means.items():
            name, p = label.split(", p")[0], number_in(label, "p")
            if p in percents and name in dense:
                pairs[f"{name}, p = {p} %"] = (mean, means[dense[name]])
        return differences(pairs)

    return loss
