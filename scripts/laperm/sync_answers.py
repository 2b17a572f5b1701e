"""Which answers a network changes when it is reconnected: review 2 of the LaPerm paper, over the sync period k."""

import pandas as pd

from scripts.laperm.draw_sync_periods import colors_of
from scripts.laperm.sync_period_runs import dense_runs
from scripts.publishing.figures import COLORS, draw_band, epoch_axis, legend_below, percent_axis
from scripts.publishing.names import subject
from scripts.publishing.tables import percent

_CHANGES = {
    "lost": "right, then wrong",
    "gained": "wrong, then right",
    "other": "wrong, then wrong in another way",
}


def changed_answers(curves):
    """What the last synchronization that was seen from both sides has changed, on held-out images.

    Args:
        curves: list of `scripts.publishing.curves.Curve` of one training.

    Returns:
        Series of fractions of the images, means over the seeds: `"lost"`, `"gained"` and `"other"`; or None where none
        was seen.
    """
    names = ["agreement", "lost", "gained"]
    values = [pd.DataFrame({name: curve.values(f"val_{name}", "after") for name in names}) for curve in curves]
    last = pd.concat([each.tail(1) for each in values])
    if last.empty:
        return None
    return last.assign(other=1 - last["agreement"] - last["lost"] - last["gained"])[[*_CHANGES]].mean()


def answers(curves):
    """The same as text, for each k; empty where no synchronization was seen from both sides."""
    return "; ".join(
        f"k = {k}: {percent(parts.sum())} change, {percent(parts['lost'])} from right to wrong and "
        f"{percent(parts['gained'])} from wrong to right"
        for k, parts in _changes_by_k(curves).items()
    )


def _changes_by_k(curves):
    found = {k: changed_answers(same) for k, same in dense_runs(curves).items()}
    return {k: parts for k, parts in found.items() if parts is not None}


def draw_answers(figure, curves):
    """The agreement over the epochs, and what the last synchronization changes."""
    figure.set_size_inches(11, 5)
    agreement, last = figure.subplots(1, 2)
    runs, colors = dense_runs(curves), colors_of(curves)
    for k, same in runs.items():
        draw_band(agreement, same, "val_agreement", "after", color=colors[k], label=f"k = {k}", by="epochs")
    epoch_axis(agreement)
    agreement.set_ylabel("same answer before and after")
    agreement.set_title("Synchronizations, held-out images", loc="left", fontsize=10)
    found = _changes_by_k(curves)
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
    figure.suptitle(f"{subject(curves)}: answers that a synchronization changes", x=0.01, ha="left")
