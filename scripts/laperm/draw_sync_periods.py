"""Fig. 6 of the LaPerm paper: what the sync period k does to the accuracy, in five panels."""

import matplotlib
import numpy as np

from scripts.laperm.draw_accuracies import epoch_axis, percent_axis
from scripts.laperm.runs import SYNCHRONIZED, in_epochs, mean_curve
from scripts.laperm.sync_period_findings import EARLY, FROZEN, ONCE, dense_runs, sparse_runs
from scripts.publishing.results import COLORS, by_label, draw_band

_WINDOW = 1 / 9  # of all epochs, to either side: 10 of the paper's 90


def smoothed(epochs, values, reach):
    """A curve of local parabolas: at each point, that which fits the points around it best.

    Unlike the paper, whose filter [42] its text does not name.

    Args:
        epochs: list of floats.
        values: list of floats.
        reach: float, the epochs to either side that count.

    Returns:
        List of floats.

    Example:

    >>> [round(value, 6) for value in smoothed([1, 2, 3, 4], [1, 4, 9, 16], 2)]
    [1.0, 4.0, 9.0, 16.0]
    """
    x, y = np.array(epochs, float), np.array(values)
    fitted = []
    for at in x:
        near = np.abs(x - at) <= reach
        degree = min(2, int(near.sum()) - 1)
        fitted.append(float(np.polyval(np.polyfit(x[near] - at, y[near], degree), 0)))
    return fitted


def draw(figure, curves):
    """The five panels of held-out accuracy.

    Args:
        figure: the `Figure` of matplotlib.
        curves: list of `scripts.publishing.results.Curve`.
    """
    figure.set_size_inches(11, 8)
    curves = in_epochs(curves)
    colors = colors_of(curves)
    top, bottom = figure.subfigures(2, 1, height_ratios=(3, 2.2))
    a, e = top.subplots(1, 2, sharey=True)
    b, c, d = bottom.subplots(1, 3)
    _draw_all_and_half(a, e, curves, colors, "val_accuracy")
    _draw_once(a, curves)
    _draw_smoothed(b, c, dense_runs(curves), colors)
    if dense_runs(curves):
        _draw_synchronizations(d, *max(dense_runs(curves).items()))
    a.set_ylabel("held-out accuracy")
    b.set_ylabel("held-out accuracy")
    for axes in (a, b, c, d, e):
        epoch_axis(axes)
        axes.xaxis.get_major_locator().set_params(integer=True)
        percent_axis(axes)
    _legend(figure, a, e, d)
    figure.suptitle("Conv4 on CIFAR-10 by the sync period k, right after synchronizations", x=0.01, ha="left")


def draw_training(figure, curves):
    """Panels (a) and (e) for training images.

    Args:
        figure: the `Figure` of matplotlib.
        curves: list of `scripts.publishing.results.Curve`.
    """
    figure.set_size_inches(11, 5)
    curves = in_epochs(curves)
    a, e = figure.subplots(1, 2, sharey=True)
    _draw_all_and_half(a, e, curves, colors_of(curves), "train_accuracy")
    a.set_ylabel("accuracy on training images, as they are")
    for axes in (a, e):
        epoch_axis(axes)
        percent_axis(axes)
    _legend(figure, a, e)
    figure.suptitle("Conv4 on CIFAR-10 by the sync period k, right after synchronizations", x=0.01, ha="left")


def colors_of(curves):
    """A colour for each k, from dark to light: there are more than distinct colours, and they have an order.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Dict from k to a color of matplotlib.
    """
    periods = sorted({*dense_runs(curves), *sparse_runs(curves)})
    shades = np.linspace(0, 0.9, max(len(periods), 2))
    return {k: matplotlib.colormaps["viridis"](shade) for k, shade in zip(periods, shades, strict=False)}


def _draw_all_and_half(a, e, curves, colors, metric):
    for axes, runs in ((a, dense_runs(curves)), (e, sparse_runs(curves))):
        for k, same in runs.items():
            draw_band(axes, same, metric, SYNCHRONIZED, colors[k], f"k = {k}")
    frozen = by_label(curves).get(FROZEN)
    if frozen:
        draw_band(e, frozen, metric, SYNCHRONIZED, COLORS[1], "Adam, zeros frozen (e)", linestyle="--")
    a.set_title("(a) all weights", loc="left", fontsize=10)
    e.set_title("(e) 50 % of the weights removed", loc="left", fontsize=10)


def _draw_once(axes, curves):
    same = by_label(curves).get(ONCE)
    if same:
        (epoch,), (before,) = (values[-1:] for values in mean_curve(same, when=("before",)))
        after = mean_curve(same, when=("after",))[1][-1]
        style = {"color": COLORS[1], "linestyle": ":", "marker": "o", "markersize": 5}
        axes.plot([epoch, epoch], [before, after], label=f"{ONCE} (a)", **style)


def _draw_smoothed(early, late, runs, colors):
    for k, same in runs.items():
        epochs, means = mean_curve(same)
        line = smoothed(epochs, means, _WINDOW * epochs[-1])
        for axes, is_early in ((early, True), (late, False)):
            part = [i for i, epoch in enumerate(epochs) if (epoch <= EARLY * epochs[-1]) == is_early]
            axes.plot([epochs[i] for i in part], [line[i] for i in part], color=colors[k])
    early.set_title("(b) smoothed, first two thirds", loc="left", fontsize=10)
    late.set_title("(c) smoothed, last third", loc="left", fontsize=10)


def _draw_synchronizations(axes, k, same):
    """The way of the accuracy at one k: up while the inner optimizer works, and down at a synchronization."""
    moments = sorted(
        (epoch, when == "after", value)
        for when in ("before", "after")
        for epoch, value in zip(*mean_curve(same, when=(when,)), strict=True)
    )
    axes.plot([epoch for epoch, _, _ in moments], [value for _, _, value in moments], color="0.6", linewidth=1)
    for is_after, marker, name in (
        (False, "^", "before a synchronization (d)"),
        (True, "o", "after a synchronization (d)"),
    ):
        points = [(epoch, value) for epoch, after, value in moments if after == is_after]
        color = COLORS[0] if is_after else COLORS[1]
        axes.plot(*zip(*points, strict=True), marker, color=color, markersize=4, label=name)
    axes.set_title(f"(d) k = {k}, at synchronizations", loc="left", fontsize=10)


def _legend(figure, *panels):
    """One legend of the lines of all panels, each k once."""
    named = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    columns = len(named) if len(named) <= 6 else 5
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=columns, frameon=False)
