"""Pictures of measured profiles: the sheet of all kernels, and one kernel beside its nulls."""

from typing import Any

import matplotlib.figure
import numpy as np

from train_by_reconnect.instrument.draw_sheets import (
    PER_SHEET,
    RANK,
    WEIGHT,
    ShownFigure,
    bands_handles,
    draw_envelope,
    draw_panels,
    of_several_kernels,
)
from train_by_reconnect.instrument.kernel_profiles import KernelProfile
from train_by_reconnect.instrument.measured import Measured
from train_by_reconnect.weights.profile_nulls import NULLS
from train_by_reconnect.weights.similarity import Similarity

_OWN, _NULLS = "#d00000", {"initializer": "#009E73", "gaussian": "#0072B2", "shuffled": "#E69F00"}


def sheet(profile: Measured, page: int = 1) -> matplotlib.figure.Figure:
    """All kernels, a small panel each.

    Args:
        profile: `Measured`.
        page: int from 1, of 300 kernels each.

    Returns:
        `Figure` of matplotlib.

    Raises:
        ValueError: there is no such page.
    """
    pages = -(-len(profile.kernels) // PER_SHEET)
    if page not in range(1, pages + 1):
        raise ValueError(f"`page` must be from 1 to {pages}. Received: page={page!r}. Pass 1 for the first kernels.")
    kernels = profile.kernels[(page - 1) * PER_SHEET : page * PER_SHEET]
    title = f"{profile.title}: {len(profile.kernels)} weight matrices" + (f", sheet {page} of {pages}" * (pages > 1))
    drawn = [(kernel, kernel.ranks, kernel.bands) for kernel in kernels]
    return draw_panels(drawn, title, None, of_several_kernels(profile.kernels))


def one_kernel(kernel: KernelProfile) -> matplotlib.figure.Figure:
    """The spread of one kernel's weight vectors, and each of its scores beside 90 % of the draws of each null.

    Args:
        kernel: `KernelProfile`.

    Returns:
        `Figure` of matplotlib.
    """
    figure = ShownFigure(figsize=(9.6, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    scores = kernel.scores
    figure.suptitle(f"{kernel.name}: {scores.units:,} weight vectors of {scores.size:,} weights", fontsize=11)
    draw_envelope(left, kernel.ranks, kernel.bands)
    drawn = "" if kernel.drawn_units == scores.units else f" ({kernel.drawn_units:,} vectors, chosen at random)"
    left.set(xlabel=f"{RANK}{drawn}", ylabel=WEIGHT)
    left.legend(handles=bands_handles(), loc="upper left", fontsize=8, frameon=False)
    places = {}
    for number, measure in enumerate(Similarity._fields):
        for offset, null in enumerate(NULLS):
            found = kernel.null(measure, null)
            place = number - 0.2 + 0.2 * offset
            places[null] = right.plot(
                [found.low, found.high], [place, place], color=_NULLS[null], linewidth=4, solid_capstyle="butt"
            )[0]
            right.plot([found.mean], [place], "|", color=_NULLS[null], markersize=9)
        own = getattr(scores.measures, measure)
        places["the weights"] = right.plot([own, own], [number - 0.33, number + 0.33], color=_OWN, linewidth=1.6)[0]
    right.set(yticks=range(len(Similarity._fields)), xlabel="score; of a null the mean and 90 % of draws")
    right.set_yticklabels(Similarity._fields)
    right.invert_yaxis()
    right.legend(places.values(), places.keys(), fontsize=8, frameon=False, loc="center left")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def comparison(
    rows: list[dict[str, Any]], title: str, columns: tuple[tuple[str, str], ...]
) -> matplotlib.figure.Figure:
    """How far each kernel is from its other self, a panel a measure.

    Args:
        rows: list of dicts with `name` and what `columns` names.
        title: str.
        columns: pairs of the name of a number and what to write above it.

    Returns:
        `Figure` of matplotlib.
    """
    height = max(2.6, 0.2 * len(rows) + 1.4)
    figure = ShownFigure(figsize=(2.2 * len(columns) + 3, height), layout="constrained")
    figure.suptitle(title, fontsize=11)
    all_axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for axes, (column, label) in zip(all_axes, columns, strict=True):
        values = np.array([row[column] for row in rows])
        axes.barh(range(len(rows)), np.where(np.isfinite(values), values, 0), color=_NULLS["gaussian"])
        for place in np.flatnonzero(~np.isfinite(values)):  # of weights that were all the same
            axes.text(0, place, " infinite", va="center", fontsize=7)
        axes.set_xlabel(label, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    all_axes[0].set(yticks=range(len(rows)))
    all_axes[0].set_yticklabels([row["name"] for row in rows], fontsize=7)
    all_axes[0].invert_yaxis()
    return figure
