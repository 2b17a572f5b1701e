"""The figures of section 5: accuracies over epochs, and at the end over the fraction of weights that remain."""

import statistics

from scripts.laperm.fields import fields
from scripts.laperm.runs import grouped
from scripts.publishing.curves import by_training, mean_curve, spread
from scripts.publishing.figures import COLORS, draw_band, epoch_axis, legend_below, percent_axis
from scripts.publishing.names import data_name, subject

PANELS = {
    "val_accuracy": "Held-out images",
    "train_accuracy": "Training images, as they are",
}
_MARKERS = "os^Dv"
_MOST_BANDS = 4  # more of them hide each other


def style_of(training, number):
    """How the training with this place in the legend is drawn in every panel: what is not LaPerm is dashed."""
    is_ours = training.optimizer.around == "laperm"
    return {"color": COLORS[number % len(COLORS)], "linestyle": "-" if is_ours else "--"}


def accuracies(what, zoom=False, chosen=lambda curves: curves, name_of=lambda training: training.label):
    """A function that draws held-out and training accuracy side by side, one line for each training.

    Of more than four trainings the bands over the seeds would hide each other: beside the curves of their means stand
    the mean and the range at the end.

    Args:
        what: str, what the title says after the networks and data sets that were run.
        zoom: bool, show the range of the second half of the training only. Defaults to `False`.
        chosen: function of the list of `Curve` that gives those to draw. Defaults to all.
        name_of: function of a `Training` that gives its name in the legend. Defaults to its label.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        groups = by_training(chosen(curves)).values()
        are_many = len(groups) > _MOST_BANDS
        figure.set_size_inches(11 if are_many else 10, 5)
        all_axes = figure.subplots(
            1, 4 if are_many else 2, sharey=True, width_ratios=(5, 1, 5, 1) if are_many else None
        )
        panels = all_axes[::2] if are_many else all_axes
        for axes, (metric, panel) in zip(panels, PANELS.items(), strict=True):
            for number, same in enumerate(groups):
                style = {"label": name_of(same[0].training), **style_of(same[0].training, number)}
                if are_many:
                    means = mean_curve(same, metric, by="epochs")
                    axes.plot(means.index, means, **style)
                else:
                    draw_band(axes, same, metric, by="epochs", **style)
            epoch_axis(axes)
            axes.set_title(panel, loc="left", fontsize=10)
            percent_axis(axes)
        if are_many:
            for axes, metric in zip(all_axes[1::2], PANELS, strict=True):
                _draw_last(axes, groups, metric)
        if zoom:
            panels[0].set_ylim(*_limits_of_second_half(chosen(curves)))
        panels[0].set_ylabel("accuracy")
        legend_below(figure, panels[0], 3 if len(groups) > 2 else 2)
        figure.suptitle(f"{subject(curves)}: {what}", x=0.01, ha="left")

    return draw


def _draw_last(axes, groups, metric):
    """The mean and the range of each training at its last evaluation."""
    for number, same in enumerate(groups):
        mean, low, high = spread(same, metric, by="epochs").iloc[-1]
        color, is_dashed = COLORS[number % len(COLORS)], style_of(same[0].training, number)["linestyle"] == "--"
        axes.vlines(number, low, high, color=color, linestyle="--" if is_dashed else "-")
        axes.plot(number, mean, "o", color=color, fillstyle="none" if is_dashed else "full", markersize=6)
    axes.set(xticks=[], xlim=(-1, len(groups)))
    axes.set_xlabel("at the end:\nmean, range", fontsize=8)
    axes.grid(axis="y", alpha=0.3)


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
            axes.set_xlim(103, 0)
            axes.xaxis.set_major_formatter("{x:.0f} %")
            axes.set_xlabel("weights that remain")

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
    """Draw accuracies at the end: for each name, runs by x, with None for those of a line from side to side.

    Of several data sets each has a row of its own: their accuracies cannot be compared.
    """
    styles = {name: (COLORS[number], _MARKERS[number]) for number, name in enumerate(lines)}
    rows = {}
    for name, found in lines.items():
        if found:
            data = data_name(next(iter(found.values()))[0].training.data)
            rows.setdefault(data, {})[name] = found
    rows = rows or {"": {}}  # of what `run --only` leaves, nothing may belong into this picture: its axes are empty
    figure.set_size_inches(10, 1.4 + 3.6 * len(rows))
    grid = figure.subplots(len(rows), 2, sharey="row", squeeze=False)
    names = {"test_accuracy": "Test images", "train_accuracy": PANELS["train_accuracy"]}
    for row, (data, of_data) in zip(grid, rows.items(), strict=True):
        for axes, (metric, panel) in zip(row, names.items(), strict=True):
            for name, found in of_data.items():
                _draw_line(
                    axes, {x: [curve.final(metric) for curve in same] for x, same in found.items()}, name, styles
                )
            axes.set_title(panel if len(rows) == 1 else f"{data}: {panel.lower()}", loc="left", fontsize=10)
            percent_axis(axes)
        row[0].set_ylabel("accuracy after the last sync" + "hronization" * (len(rows) == 1))
    legend_below(figure, grid[:, 0], len(lines))
    figure.suptitle(title, x=0.01, ha="left")
    return grid.ravel()


def _draw_line(axes, ends, name, styles):
    """The mean and the range of the accuracies at each x, in the colour and with the marker of a name."""
    color, marker = styles[name]
    if None in ends:
        axes.axhline(statistics.mean(ends.pop(None)), color=color, linestyle="--", linewidth=1)
    means, low, high = ([f(values) for values in ends.values()] for f in (statistics.mean, min, max))
    axes.plot([*ends], means, color=color, marker=marker, markersize=5, label=name)
    axes.fill_between([*ends], low, high, color=color, alpha=0.15, linewidth=0)
