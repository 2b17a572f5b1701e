"""Which answers a network changes when it is reconnected: review 2 of the LaPerm paper, over the sync period k."""

import statistics

from scripts.laperm.draw_accuracies import epoch_axis, legend_below, percent_axis
from scripts.laperm.draw_sync_periods import colors_of
from scripts.laperm.runs import in_epochs
from scripts.laperm.sync_period_findings import dense_runs
from scripts.publishing.markdown import percent
from scripts.publishing.results import COLORS, draw_band

_CHANGES = {
    "lost": "right, then wrong",
    "gained": "wrong, then right",
    "other": "wrong, then wrong in another way",
}


def changed_answers(curves):
    """What the last synchronization that was seen from both sides has changed, on held-out images.

    Args:
        curves: list of `scripts.publishing.results.Curve` of one label.

    Returns:
        Dict of fractions of the images, means over the seeds: `"lost"`, `"gained"` and `"other"`; or None where none
        was seen.
    """
    ends = []
    for curve in curves:
        agreed, lost, gained = (curve.values(f"val_{name}", ("after",))[1] for name in ("agreement", "lost", "gained"))
        if agreed:
            ends.append((lost[-1], gained[-1], 1 - agreed[-1] - lost[-1] - gained[-1]))
    if not ends:
        return None
    return dict(zip(_CHANGES, map(statistics.mean, zip(*ends, strict=True)), strict=True))


def answers(curves):
    """The same as text, for each k.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Str, or None where no synchronization was seen from both sides.
    """
    found = {k: changed_answers(same) for k, same in dense_runs(curves).items()}
    return "; ".join(
        f"k = {k}: {percent(sum(parts.values()))} change, {percent(parts['lost'])} from right to wrong and "
        f"{percent(parts['gained'])} from wrong to right"
        for k, parts in found.items()
        if parts
    )


def draw_answers(figure, curves):
    """The agreement over the epochs, and what the last synchronization changes.

    Args:
        figure: the `Figure` of matplotlib.
        curves: list of `scripts.publishing.results.Curve`.
    """
    figure.set_size_inches(11, 5)
    agreement, last = figure.subplots(1, 2)
    runs, colors = dense_runs(in_epochs(curves)), colors_of(curves)
    for k, same in runs.items():
        draw_band(agreement, same, "val_agreement", ("after",), colors[k], f"k = {k}")
    epoch_axis(agreement)
    agreement.set_ylabel("same answer before and after")
    agreement.set_title("Synchronizations, held-out images", loc="left", fontsize=10)
    found = {k: parts for k, same in runs.items() if (parts := changed_answers(same))}
    left = [0.0] * len(found)
    for color, (part, name) in zip(COLORS, _CHANGES.items(), strict=False):
        widths = [parts[part] for parts in found.values()]
        last.barh(range(len(found)), widths, left=left, color=color, label=name)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    last.set_yticks(range(len(found)), [f"k = {k}" for k in found])
    last.set(xlabel="another answer after than before")
    last.set_title("The last one, held-out images", loc="left", fontsize=10)
    percent_axis(agreement)
    last.xaxis.set_major_formatter(agreement.yaxis.get_major_formatter())
    if runs:
        agreement.legend(frameon=False, ncols=2, fontsize=9)
    legend_below(figure, last, len(_CHANGES))
    figure.suptitle("Conv4 on CIFAR-10: answers that a synchronization changes", x=0.01, ha="left")
