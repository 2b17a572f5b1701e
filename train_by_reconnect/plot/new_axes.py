"""Where a picture goes: the axes that are given, or new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Distinguishable for all kinds of colour vision (Okabe and Ito 2008), and dark enough on white.
BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"


def axes_or_new(ax: Axes | None) -> Axes:
    """The same axes, or those of a new figure; an ImportError says what to do without matplotlib."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "`train_by_reconnect.plot` needs matplotlib, which is not installed. Run `pip install "
            '"train-by-reconnect[plot]"`.'
        ) from error
    return plt.subplots(layout="constrained")[1] if ax is None else ax
