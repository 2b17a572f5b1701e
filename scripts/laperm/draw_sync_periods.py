"""Fig. 6 of the LaPerm paper: what the sync period k does to the accuracy, in five panels."""

import matplotlib
import numpy as np
import pandas as pd

from scripts.laperm.sync_period_findings import EARLY, ONCE
from scripts.laperm.sync_period_runs import (
    dense_runs,
    frozen_runs,
    sparse_runs,
    sparser_runs,
    synchronized_once,
    unreconnected_runs,
)
from scripts.publishing.curves import mean_curve
from scripts.publishing.figures import COLORS, draw_band, epoch_axis, legend_below, named_lines, percent_axis
from scripts.publishing.names import subject

_WINDOW = 1 / 9  # of all epochs, to either side: 10 of the paper's 90


def smoothed(curve, reach):
    """A curve of local parabolas: at each point, that which fits the points around it best.

    Unlike the paper, whose filter [42] its text does not name.

    Args:
        curve: Series of floats, indexed by epochs.
        reach: float, the epochs to either side that count.

    Returns:
        Series of floats, indexed likewise.

    Example:

    >>> smoothed(pd.Series([1, 4, 9, 16], index=[1, 2, 3, 4]), 2).round(6).tolist()
    [1.0, 4.0, 9.0, 16.0]
    """
    x, y = curve.index.to_numpy(float), curve.to_numpy()
    fitted = []
    for at in x:
        near = np.abs(x - at) <= reach
        degree = min(2, int(near.sum()) - 1)
        fitted.append(float(np.polyval(np.polyfit(x[near] - at, y[near], degree), 0)))
    return pd.Series(fitted, index=curve.index)


def draw(figure, curves):
    """The five panels of held-out accuracy in the order of the paper, and the legend in the place of a sixth."""
    figure.set_size_inches(11, 7)
    colors = colors_of(curves)
    grid = figure.add_gridspec(2, 3)
    a, b, c, d = (figure.add_subplot(grid[divmod(place, 3)]) for place in range(4))
    e = figure.add_subplot(grid[1, 1], sharey=a)
    _draw_all_and_half(a, e, curves, colors, "val_accuracy")
    a.set_title("(a) all weights", loc="left", fontsize=10)
    more = ", or more" if sparser_runs(curves) else ""
    e.set_title(f"(e) 50 % of the weights removed{more}", loc="left", fontsize=10)
    _draw_once(a, synchronized_once(curves))
    _draw_smoothed(b, c, dense_runs(curves), colors)
    if dense_runs(curves):
        _draw_synchronizations(d, *max(dense_runs(curves).items()))
    a.set_ylabel("held-out accuracy")
    d.set_ylabel("held-out accuracy")
    for axes in (a, b, c, d, e):
        epoch_axis(axes)
        percent_axis(axes)
    corner = figure.add_subplot(grid[1, 2], frameon=False, xticks=[], yticks=[])
    named = named_lines(a, e, d)
    corner.legend(named.values(), named.keys(), loc="center", frameon=False, ncols=1 + (len(named) > 12))
    figure.suptitle(f"{subject(curves)} by the sync period k, right after synchronizations", x=0.01, ha="left")


def draw_training(figure, curves):
    """The same for training images, of all weights and of half of them."""
    figure.set_size_inches(11, 5)
    a, e = figure.subplots(1, 2, sharey=True)
    _draw_all_and_half(a, e, curves, colors_of(curves), "train_accuracy")
    a.set_title("all weights", loc="left", fontsize=10)
    e.set_title("50 % of the weights removed", loc="left", fontsize=10)
    a.set_ylabel("accuracy on training images, as they are")
    for axes in (a, e):
        epoch_axis(axes)
        percent_axis(axes)
    legend_below(figure, (a, e), columns=6)
    figure.suptitle(f"{subject(curves)} by the sync period k, right after synchronizations", x=0.01, ha="left")


def colors_of(curves):
    """A colour for each k, from dark to light: there are more than distinct colours, and they have an order."""
    periods = sorted({*dense_runs(curves), *sparse_runs(curves)})
    shades = np.linspace(0, 0.9, max(len(periods), 2))
    return {k: matplotlib.colormaps["viridis"](shade) for k, shade in zip(periods, shades, strict=False)}


def _draw_all_and_half(a, e, curves, colors, metric):
    for axes, runs in ((a, dense_runs(curves)), (e, sparse_runs(curves))):
        for k, same in runs.items():
            draw_band(axes, same, metric, color=colors[k], label=f"k = {k}", by="epochs")
    for color, (name, same) in zip((COLORS[6], COLORS[3]), unreconnected_runs(curves).items(), strict=False):
        draw_band(a, same, metric, color=color, label=name, by="epochs", linestyle="--")
    for name, same in sparser_runs(curves).items():
        draw_band(e, same, metric, color=COLORS[5], label=name, by="epochs", linestyle="-.")
    frozen = frozen_runs(curves)
    if frozen:
        style = {"color": COLORS[1], "linestyle": "--", "label": "Adam, zeros frozen"}
        draw_band(e, frozen, metric, by="epochs", **style)


def _draw_once(axes, same):
    if same:
        before, after = (mean_curve(same, when=when, by="epochs") for when in ("before", "after"))
        style = {"color": COLORS[1], "linestyle": ":", "marker": "o", "markersize": 5}
        axes.plot([before.index[-1]] * 2, [before.iloc[-1], after.iloc[-1]], label=f"{ONCE} (a)", **style)


def _draw_smoothed(early, late, runs, colors):
    for k, same in runs.items():
        means = mean_curve(same, by="epochs")
        last = means.index[-1]
        line = smoothed(means, _WINDOW * last)
        is_early = line.index <= EARLY * last
        for axes, part in ((early, line[is_early]), (late, line[~is_early])):
            axes.plot(part.index, part, color=colors[k])
    early.set_title("(b) smoothed, first two thirds", loc="left", fontsize=10)
    late.set_title("(c) smoothed, last third", loc="left", fontsize=10)


def _draw_synchronizations(axes, k, same):
    """The way of the accuracy at one k: up while the inner optimizer works, and down at a synchronization."""
    before, after = (mean_curve(same, when=when, by="epochs") for when in ("before", "after"))
    way = pd.concat([before, after]).sort_index(kind="stable")
    axes.plot(way.index, way, color="0.6", linewidth=1)
    for points, marker, color, name in (
        (before, "^", COLORS[1], "before a synchronization (d)"),
        (after, "o", COLORS[0], "after a synchronization (d)"),
    ):
        axes.plot(points.index, points, marker, color=color, markersize=4, label=name)
    axes.set_title(f"(d) k = {k}, at synchronizations", loc="left", fontsize=10)
