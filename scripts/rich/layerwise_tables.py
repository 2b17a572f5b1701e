"""The table of layer-wise sparse training: accuracy and times by variant, beside the paper's."""

from scripts.publishing.curves import by_training, ends
from scripts.publishing.tables import markdown_table, mean_min_max, points

_HEAD = (
    *("variant", "seeds", "test accuracy: mean", "min", "max", "points above full"),
    *("time of backward passes, ratio", "of whole steps, ratio", "training, s", "training, ratio"),
    *("paper: accuracy", "paper: backward ratio"),
)
_NOTE = (
    "\n\nThe ratios of backward passes and of whole steps are of times measured side by side in one process, at the "
    "end of each run; the training's is of the sums of the steps of different runs, whatever else the machine did then."
)


def table(full, paper):
    """A function that makes the table of all variants.

    Args:
        full: list of `Training`, of each size the one with which the others are compared.
        paper: dict from a label to a pair of str: the paper's accuracy with the difference to full training, and its
            ratio of times, or what its text says.

    Returns:
        Function of a list of `Curve` that gives a table in Markdown.
    """

    def make(curves):
        groups = by_training(curves)
        compared = next((_means(same) for same in groups.values() if same[0].training in full), None)
        lines = []
        for label, same in groups.items():
            means = _means(same)
            difference, ratio = "-", "-"
            if compared is not None:
                difference = points(means["test_accuracy"] - compared["test_accuracy"])
                ratio = f"{means['train_seconds'] / compared['train_seconds']:.2f}"
            cells = [
                *(label, len(same)),
                *mean_min_max([curve.summary["test_accuracy"] for curve in same]),
                difference,
                f"{means['backward_ratio']:.3f}",
                f"{means['step_ratio']:.3f}",
                f"{means['train_seconds']:.1f}",
                ratio,
                *paper.get(label, ("-", "-")),
            ]
            lines.append(cells)
        return markdown_table(_HEAD, lines) + _NOTE

    return make


def _means(same):
    """The means over the seeds of what the summaries say."""
    return ends(same)[["test_accuracy", "train_seconds", "backward_ratio", "step_ratio"]].mean()
