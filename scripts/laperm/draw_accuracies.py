"""The figures of section 5: accuracies over epochs, and at the end over the fraction of weights that remain."""

import statistics

from scripts.laperm.fields import fields
from scripts.laperm.runs import grouped
from scripts.publishing.curves import by_training
from scripts.publishing.figures import COLORS, draw_band, epoch_axis, legend_below, percent_axis
from scripts.publishing.names import subject

PANELS = {
    "val_accuracy": "Held-out images",
    "train_accuracy": "Training images, as they are",
}
_MARKERS = "os^Dv"


def style_of(training, number):
    """How the training with this place in the legend is drawn in every panel: what is not LaPerm is dashed."""
    is_ours = training.optimizer.around == "laperm"
    return {"color": COLORS[number % len(COLORS)], "linestyle": "-" if is_ours else "--"}


def accuracies(what, zoom=False, chosen=lambda curves: curves, name_of=lambda training: training.label):
    """A function that draws held-out and training accuracy side by side, one line for each training.

    Args:
        what: str, what the title says after the networks and data sets that were run.
        zoom: bool, show the range of the second half of the training only. Defaults to `False`.
        chosen: function of the list of `Curve` that gives those to draw. Defaults to all.
        name_of: function of a `Training` that gives its name in the legend. Defaults to its label.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        figure.set_size_inches(10, 5)
        panels = figure.subplots(1, 2, sharey=True)
        groups = by_training(chosen(curves)).values()
        opacity = 0.15 if len(groups) <= 4 else 0.08  # many bands lie over each other
        for axes, (metric, panel) in zip(panels, PANELS.items(), strict=True):
            for number, same in enumerate(groups):
                training = same[0].training
                style = {"label": name_of(training), "opacity": opacity, **style_of(training, number)}
                draw_band(axes, same, metric, by="epochs", **style)
            epoch_axis(axes)
            axes.set_title(panel, loc="left", fontsize=10)
            percent_axis(axes)
        if zoom:
            panels[0].set_ylim(*_limits_of_second_half(chosen(curves)))
        panels[0].set_ylabel("accuracy")
        legend_below(figure, panels[0], 3 if len(groups) > 2 else 2)
        figure.suptitle(f"{subject(curves)}: {what}", x=0.01, ha="left")

    return draw


def _limits_of_second_half(curves):
    shown = []
    for curve in curves:
        half = curve.values("val_accuracy", by="epochs").index.max() / 2
        for metric in PANELS:
            values = curve.values(metric, by="epochs")
            shown += values[values.index >= half].tolist()
    margin = 0.05 * (max(shown) - min(shown)) + 1e-4
    return min(shown) - margin, max(shown) + margin


def accuracies_by_network(what):
    """A function that draws a column for each network, held-out accuracy above and training accuracy below.

    Args:
        what: str, what the title says after the networks and data sets that were run.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        figure.set_size_inches(10, 6.5)
        networks = grouped(curves, "network")
        grid = figure.subplots(2, len(networks), sharex=True, sharey=True, squeeze=False)
        for column, (network, of_network) in zip(grid.T, networks.items(), strict=True):
            for axes, metric in zip(column, PANELS, strict=True):
                for number, (method, same) in enumerate(grouped(of_network, "method").items()):
                    style = style_of(same[0].training, number)
                    draw_band(axes, same, metric, by="epochs", label=method, **style)
                percent_axis(axes)
            column[0].set_title(network, loc="left")
            epoch_axis(column[1])
        for axes, name in zip(grid[:, 0], PANELS.values(), strict=True):
            axes.set_ylabel(name)
        legend_below(figure, grid[0, 0], 3)
        figure.suptitle(f"{subject(curves)}: {what}", x=0.01, ha="left")

    return draw


def accuracies_by_sparsity(what, name_of, chosen=lambda curves: curves):
    """A function that draws test and training accuracy at the end over the percentage of weights that remain.

    Args:
        what: str, what the title says after the networks and data sets that were run.
        name_of: function of the fields of a training that gives the name of its line.
        chosen: function of the list of `Curve` that gives those to draw. Defaults to all.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        lines = {
            name: {100 - p: same for p, same in grouped(of_line, "p").items()}
            for name, of_line in grouped(chosen(curves), name_of).items()
        }
        for axes in _draw_ends(figure, f"{subject(curves)}: {what}", lines):
            axes.set(xlabel="weights that remain, %", xlim=(103, 0))

    return draw


def accuracies_over(what, field, meaning, name_of, order=()):
    """A function that draws test and training accuracy at the end over a field of the trainings.

    What has none is drawn as a dashed line from side to side, in the color of what has the same name.

    Args:
        what: str, what the title says after the networks and data sets that were run.
        field: str, `"k"` or `"spread"`.
        meaning: str, what it is, for the axis, which is logarithmic.
        name_of: function of the fields of a training that gives the name of its line.
        order: tuple of str, names of lines, each of which has the same color in several pictures. Defaults to those
            of the curves.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        lines = {name: {} for name in order}
        for name, of_line in grouped(curves, name_of).items():
            lines[name] = grouped(of_line, field)
        numbers = sorted({fields(curve.training)[field] for curve in curves} - {None})
        for axes in _draw_ends(figure, f"{subject(curves)}: {what}", lines):
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
            ends = {x: [curve.final(metric) for curve in same] for x, same in found.items()}
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
