"""What the pictures of several papers share: colours, bands over seeds, axes and legends."""

import matplotlib.ticker
import numpy as np

from scripts.publishing.curves import SYNCHRONIZED, spread

# Distinguishable for all kinds of colour vision (Okabe and Ito 2008), and dark enough on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")


def draw_band(axes, curves, metric, when=SYNCHRONIZED, *, color, label, by="step", opacity=0.15, **style):
    """Draw the mean over the seeds as a line and the range from minimum to maximum as a band.

    Args:
        axes: the `Axes` of matplotlib.
        curves: list of `Curve`, the seeds of one training.
        metric: str.
        when: as in `Curve.values`.
        color: str.
        label: str, or None for none in the legend.
        by: as in `Curve.values`. Defaults to `"step"`.
        opacity: float, of the band. Defaults to 0.15.
        **style: more for `axes.plot`.
    """
    found = spread(curves, metric, when, by)
    axes.plot(found.index, found["mean"], color=color, label=label, **style)
    axes.fill_between(found.index, found["min"], found["max"], color=color, alpha=opacity, linewidth=0)


def legend_below(figure, axes, columns):
    """One legend for all panels, under them: of the lines of `axes`, one or several, each name once."""
    named = named_lines(*np.ravel(axes))
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=columns, frameon=False)


def named_lines(*panels):
    """What a legend of several panels names: dict from each name to the first line, or band, that has it."""
    named = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    return named


def percent_axis(axes):
    """Accuracies in percent, and a grid."""
    axes.yaxis.set_major_formatter(lambda accuracy, _: f"{100 * accuracy:.6g} %")
    axes.grid(alpha=0.3)


def epoch_axis(axes):
    """Whole epochs along the bottom."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
