"""The pictures of section 3: weight distributions, ranking distances and the loss, a column for each training."""

import numpy as np

from scripts.laperm.ranking_traits import LOSS, load_record
from scripts.publishing.curves import by_training
from scripts.publishing.figures import COLORS, draw_band
from train_by_reconnect import plot

BLUE, VERMILLION, GREEN = COLORS[:3]


def draw_figure_3(figure, curves):
    """Mean and standard deviation of the ranking distance above the loss, of all settings but dropout."""
    shown = [curve for curve in curves if "dropout" not in curve.training.network.arguments]
    grid = _grid(figure, shown, 2, (3.6, 5.6))
    for column, (axes, same) in enumerate(grid):
        _draw_distance(axes[0], load_record(same[0]), ("distance", "deviation"))
        _draw_loss(axes[1], same)
        if column == 0:
            axes[0].set_ylabel("ranking distance / 784")
            axes[1].set_ylabel(_of_test_images(same))
    grid[0][0][0].legend(frameon=False, loc="lower left", fontsize=8)


def draw_figure_13(figure, curves):
    """The weights, the mean and the standard deviation of the ranking distance, and the loss, of all settings."""
    grid = _grid(figure, curves, 4, (3.1, 10))
    for column, (axes, same) in enumerate(grid):
        record = load_record(same[0])
        _draw_weights(axes[0], record)
        _draw_distance(axes[1], record, ("distance",))
        _draw_distance(axes[2], record, ("deviation",))
        _draw_loss(axes[3], same)
        if column == 0:
            axes[0].set_ylabel("weights")
            axes[1].set_ylabel("mean of ranking\ndistance, $D_t$ / 784")
            axes[2].set_ylabel("standard deviation,\nSD[$D_t$] / 784")
            axes[3].set_ylabel(_of_test_images(same))
    _explain_weights(grid[0][0][0])
    window = load_record(grid[0][1][0]).window
    for axes in grid[0][0][1:3]:
        text = f"line: mean of {window} steps\nband: their extremes"
        axes.text(0.04, 0.05, text, transform=axes.transAxes, fontsize=7.5)


def _grid(figure, curves, rows, size):
    """Pairs of a column's axes and its runs; every row has one scale, so that the columns can be compared."""
    groups = by_training(curves)
    figure.set_size_inches(size[0] * len(groups) + 0.8, size[1])
    axes = figure.subplots(rows, len(groups), sharex=True, sharey="row", squeeze=False)
    for column, (label, same) in zip(axes.T, groups.items(), strict=True):
        column[0].set_title(label)
        column[-1].set_xlabel("epoch")
        for one in column:
            for phase in load_record(same[0]).phases()[1:]:
                one.axvline(phase[0], color="0.5", linewidth=0.8, linestyle=":")
            one.grid(alpha=0.25)
    return [*zip(axes.T, groups.values(), strict=True)]


def _draw_weights(axes, record):
    epochs = record.percentiles["step"] / record.steps_per_epoch
    for name, color in (("p15", BLUE), ("p85", BLUE), ("p50", VERMILLION)):
        axes.plot(epochs, record.percentiles[name], color=color, linewidth=0.4, alpha=0.5, rasterized=True)
    axes.plot(epochs, record.percentiles["minimum"].min(axis=1), color="black", linewidth=1)
    axes.plot(epochs, record.percentiles["maximum"].max(axis=1), color="black", linewidth=1)


def _explain_weights(axes):
    lines = (("maximum, minimum", "black"), ("15th, 85th percentile", BLUE), ("50th percentile", VERMILLION))
    handles = [axes.plot([], [], color=color, label=text)[0] for text, color in lines]
    axes.legend(handles=handles, frameon=False, fontsize=7.5, loc="lower left")


def _draw_distance(axes, record, names):
    """A line for the mean over each twelfth of an epoch, and for the distance a band for the extremes of its steps."""
    styles = {"distance": (BLUE, "mean $D_t$ (band: extremes)"), "deviation": (VERMILLION, "SD[$D_t$]")}
    for name in names:
        values, (color, label) = getattr(record, name), styles[name]
        epochs = (np.arange(len(values)) + 0.5) / record.steps_per_epoch
        style = {"color": color, "label": label, "band": name == names[0]}
        plot.ranking_distance(values, axes, steps=epochs, window=record.window, **style)
    axes.set(xlabel="", ylabel="")  # they stand at the edges of the grid


def _of_test_images(same):
    return f"cross-entropy\non {same[0].summary['test_images']:,} test images"


def _draw_loss(axes, same):
    draw_band(axes, same, LOSS, "epoch", color=GREEN, label=None, by="epochs")
