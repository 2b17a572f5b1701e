"""The table of layer-wise sparse training: accuracy and times by variant, beside the paper's."""

import statistics

from scripts.publishing.markdown import markdown_table, mean_min_max
from scripts.publishing.results import by_label

_HEAD = (
    *("variant", "seeds", "test accuracy: mean", "min", "max", "points above full"),
    *("time of backward passes, ratio", "of whole steps, ratio", "training, s", "training, ratio"),
    *("paper: accuracy", "paper: backward ratio"),
)
_NOTE = (
    "\n\nThe ratios of backward passes and of whole steps are of times measured side by side in one process, at the "
    "end of each run; the training's is of the sums of the steps of different runs, whatever else the machine did then."
)


def table(paper):
    """A function that makes the table of all variants.

    Args:
        paper: dict from a label to a pair of str: the paper's accuracy with the difference to full training, and its
            ratio of times, or what its text says.

    Returns:
        Function of a list of `Curve` that gives a table in Markdown.
    """

    def make(curves):
        lines = []
        groups = by_label(curves)
        full = groups.get("full")
        for label, same in groups.items():
            difference, ratio = "-", "-"
            if full:
                difference = f"{100 * (_mean(same, 'test_accuracy') - _mean(full, 'test_accuracy')):+.2f}"
                ratio = f"{_mean(same, 'train_seconds') / _mean(full, 'train_seconds'):.2f}"
            cells = [
                *(label, len(same)),
                *mean_min_max([curve.summary["test_accuracy"] for curve in same]),
                difference,
                f"{_mean(same, 'backward_ratio'):.3f}",
                f"{_mean(same, 'step_ratio'):.3f}",
                f"{_mean(same, 'train_seconds'):.1f}",
                ratio,
                *paper.get(label, ("-", "-")),
            ]
            lines.append(cells)
        return markdown_table(_HEAD, lines) + _NOTE

    return make


def _mean(curves, key):
    return statistics.mean(curve.summary[key] for curve in curves)
