"""The figures of section 5: accuracies over epochs, and at the end over the fraction of weights that remain."""

import statistics

import matplotlib.ticker

from scripts.laperm.runs import SYNCHRONIZED, final, in_epochs, number_in
from scripts.publishing.results import COLORS, by_label, draw_band

PANELS = {
    "val_accuracy": "Held-out images",
    "train_accuracy": "Training images, as they are",
}
_BASELINES = ("Adam", "Lookahead")
_MARKERS = "os^Dv"


def style_of(label, number):
    """How a training is drawn in every panel: baselines are dashed.

    Args:
        label: str.
        number: int, its place in the legend.

    Returns:
        Dict of arguments for `axes.plot`.
    """
    is_baseline = any(part in _BASELINES for part in label.split(", "))
    return {"color": COLORS[number % len(COLORS)], "linestyle": "--" if is_baseline else "-"}


def legend_below(figure, axes, columns):
    """One legend for all panels, under them.

    Args:
        figure: the `Figure` of matplotlib.
        axes: the `Axes` whose lines it names.
        columns: int.
    """
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns, frameon=False)


def percent_axis(axes):
    """Accuracies in percent, and a grid.

    Args:
        axes: `Axes` of matplotlib.
    """
    axes.yaxis.set_major_formatter(lambda accuracy, _: f"{100 * accuracy:.6g} %")
    axes.grid(alpha=0.3)


def epoch_axis(axes):
    """Whole epochs along the bottom.

    Args:
        axes: `Axes` of matplotlib.
    """
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))


def accuracies(title, zoom=False, chosen=lambda curves: curves):
    """A function that draws held-out and training accuracy side by side, one line for each label.

    Args:
        title: str.
        zoom: bool, show the range of the second half of the training only. Defaults to `False`.
        chosen: function of the list of `Curve` that gives those to draw. Defaults to all.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        figure.set_size_inches(10, 5)
        panels = figure.subplots(1, 2, sharey=True)
        groups = by_label(in_epochs(chosen(curves)))
        opacity = 0.15 if len(groups) <= 4 else 0.08  # many bands lie over each other
        for axes, (metric, name) in zip(panels, PANELS.items(), strict=True):
            for number, (label, same) in enumerate(groups.items()):
                draw_band(axes, same, metric, SYNCHRONIZED, label=label, opacity=opacity, **style_of(label, number))
            epoch_axis(axes)
            axes.set_title(name, loc="left", fontsize=10)
            percent_axis(axes)
        if zoom:
            panels[0].set_ylim(*_limits_of_second_half(groups))
        panels[0].set_ylabel("accuracy")
        legend_below(figure, panels[0], 3 if len(groups) > 2 else 2)
        figure.suptitle(title, x=0.01, ha="left")

    return draw


def _limits_of_second_half(groups):
    values = []
    for curve in (curve for same in groups.values() for curve in same):
        half = max(curve.values("val_accuracy", SYNCHRONIZED)[0]) / 2
        for metric in PANELS:
            values += [v for epoch, v in zip(*curve.values(metric, SYNCHRONIZED), strict=True) if epoch >= half]
    margin = 0.05 * (max(values) - min(values)) + 1e-4
    return min(values) - margin, max(values) + margin


def accuracies_by_network(title):
    """A function that draws a column for each network, held-out accuracy above and training accuracy below.

    Args:
        title: str.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve` whose labels are "network, optimizer".
    """

    def draw(figure, curves):
        figure.set_size_inches(10, 6.5)
        groups = by_label(in_epochs(curves))
        networks = list(dict.fromkeys(label.split(", ")[0] for label in groups))
        grid = figure.subplots(2, len(networks), sharex=True, sharey=True, squeeze=False)
        for column, network in zip(grid.T, networks, strict=True):
            same_network = {label: same for label, same in groups.items() if label.split(", ")[0] == network}
            for axes, metric in zip(column, PANELS, strict=True):
                for number, (label, same) in enumerate(same_network.items()):
                    name = label.split(", ")[1]
                    draw_band(axes, same, metric, SYNCHRONIZED, label=name, **style_of(name, number))
                percent_axis(axes)
            column[0].set_title(network, loc="left")
            epoch_axis(column[1])
        for axes, name in zip(grid[:, 0], PANELS.values(), strict=True):
            axes.set_ylabel(name)
        legend_below(figure, grid[0, 0], 3)
        figure.suptitle(title, x=0.01, ha="left")

    return draw


def accuracies_by_sparsity(title, chosen=lambda curves: curves, name_of=lambda label: label.split(", ")[0]):
    """A function that draws test and training accuracy at the end over the percentage of weights that remain.

    Args:
        title: str.
        chosen: function of the list of `Curve` that gives those to draw. Defaults to all.
        name_of: function of a label that gives the name of its line. Defaults to what stands before the first comma.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve` whose labels name p.
    """

    def draw(figure, curves):
        lines = {}
        for label, same in by_label(chosen(curves)).items():
            lines.setdefault(name_of(label), {})[100 - number_in(label, "p")] = same
        for axes in _draw_ends(figure, title, lines):
            axes.set(xlabel="weights that remain, %", xlim=(103, 0))

    return draw


def accuracies_over(title, name, meaning, order=()):
    """A function that draws test and training accuracy at the end over a number that labels name.

    What does not name it is drawn as a dashed line from side to side, in the color of what has the same first words.

    Args:
        title: str.
        name: str, what stands before the number in a label: `"k"` for `"SGD, k = 20"`.
        meaning: str, what it is, for the axis, which is logarithmic.
        order: tuple of str, first words of labels, each of which has the same color in several pictures. Defaults to
            those of the curves.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        lines = {first: {} for first in order}
        for label, same in by_label(curves).items():
            lines.setdefault(label.split(", ")[0], {})[number_in(label, name)] = same
        numbers = sorted({x for found in lines.values() for x in found} - {None})
        for axes in _draw_ends(figure, title, lines):
            axes.set(xlabel=meaning, xscale="log")
            axes.set_xticks(numbers, map(str, numbers))
            axes.minorticks_off()

    return draw


def _draw_ends(figure, title, lines):
    """Draw accuracies at the end: for each name, runs by x, with None for those of a line from side to side."""
    figure.set_size_inches(10, 5)
    panels = figure.subplots(1, 2, sharey=True)
    names = {"test_accuracy": "Test images", "train_accuracy": PANELS["train_accuracy"]}
    for axes, (metric, panel) in zip(panels, names.items(), strict=True):
        for number, (name, found) in enumerate(lines.items()):
            if not found:
                continue
            color, marker = COLORS[number], _MARKERS[number]
            ends = {x: [final(curve, metric) for curve in same] for x, same in found.items()}
            if None in ends:
                axes.axhline(statistics.mean(ends.pop(None)), color=color, linestyle="--", linewidth=1)
            means, low, high = ([f(values) for values in ends.values()] for f in (statistics.mean, min, max))
            axes.plot([*ends], means, color=color, marker=marker, markersize=5, label=name)
            axes.fill_between([*ends], low, high, color=color, alpha=0.15, linewidth=0)
        axes.set_title(panel, loc="left", fontsize=10)
        percent_axis(axes)
    panels[0].set_ylabel("accuracy after the last synchronization")
    legend_below(figure, panels[0], len(lines))
    figure.suptitle(title, x=0.01, ha="left")
    return panels
