"""Weight profiles: the spread of the sorted weight vectors of a kernel, alone or before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from train_by_reconnect.backend.rows import numpy_of, to_rows
from train_by_reconnect.backend.types import Axes as UnitAxes
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.plot.new_axes import BLUE, ORANGE, axes_or_new
from train_by_reconnect.weights.envelope import envelope
from train_by_reconnect.weights.finite import finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from train_by_reconnect.weights.profiles import WeightProfile

RANK, WEIGHT = "rank within the weight vector", "weight"
BANDS = ((0, 6, "#cfe3f0", "all weight vectors"), (1, 5, "#86b9da", "middle 90 %"), (2, 4, BLUE, "middle 50 %"))


def profile(kernel: WeightProfile | Tensor, ax: Axes | None = None, *, unit_axes: UnitAxes = (-1,)) -> Axes:
    """Draw the weight profile of a kernel: at each rank the spread over all of its weight vectors.

    The bands hold all weight vectors, the middle 90 % and the middle 50 % of them; the line is their median.

    Args:
        kernel: `WeightProfile`, or an array, tensor or variable of finite weights.
        ax: `Axes` of matplotlib. Defaults to None: new ones.
        unit_axes: tuple of ints, the axes of an array that number the neurons, as in `ranking`. Defaults to the last.

    Returns:
        The `Axes`.

    Raises:
        ValueError: a weight of an array is NaN or infinite, or there is none.
        ImportError: there is no matplotlib.

    Example:

    >>> profile(np.array([[0.1, 0.4], [0.3, 0.2]])).get_xlabel()
    'rank within the weight vector'

    Reference:
        Qiu and Suda 2020, section 2, Fig. 2.
    """
    vectors, ax = sorted_vectors(kernel, unit_axes), axes_or_new(ax)
    draw_envelope(ax, *envelope(vectors))
    ax.set(xlabel=RANK, ylabel=WEIGHT)
    return ax


def profile_change(
    before: WeightProfile | Tensor,
    after: WeightProfile | Tensor,
    ax: Axes | None = None,
    *,
    unit_axes: UnitAxes = (-1,),
) -> Axes:
    """Draw the weight profiles of a kernel at two times: before as an area, after as lines.

    Area and outer lines reach from the least to the greatest weight vector at each rank, the inner line is the median.
    A training that only permutes leaves the profile as it is: then the lines lie on the edges of the area.

    Args:
        before: as `kernel` of `profile`.
        after: the same kernel later.
        ax: as in `profile`.
        unit_axes: as in `profile`.

    Returns:
        The `Axes`.

    Raises:
        ValueError: a weight of an array is NaN or infinite, or there is none.
        ImportError: there is no matplotlib.

    Example:

    >>> kernel = np.random.default_rng(0).normal(size=(20, 5))
    >>> axes = profile_change(kernel, kernel[::-1])
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['before', 'after: median, extremes']
    """
    (ranks, old), (now_ranks, now) = (envelope(sorted_vectors(kernel, unit_axes)) for kernel in (before, after))
    ax = axes_or_new(ax)
    ax.fill_between(ranks, old[0], old[-1], color=ORANGE, alpha=0.45, linewidth=0, label="before")
    ax.plot(now_ranks, now[3], color=BLUE, linewidth=1.6, label="after: median, extremes")
    for extreme in (now[0], now[-1]):
        ax.plot(now_ranks, extreme, color=BLUE, linewidth=0.9)
    ax.set(xlabel=RANK, ylabel=WEIGHT)
    ax.legend(frameon=False, loc="upper left")
    return ax


def sorted_vectors(kernel: WeightProfile | Tensor, unit_axes: UnitAxes) -> np.ndarray:
    """The sorted weight vectors of a profile or an array: float array of shape (units, size)."""
    if hasattr(kernel, "vectors"):  # a `WeightProfile`
        return kernel.vectors
    value = finite(numpy_of(kernel), "`kernel`")
    rows = to_rows(value, unit_axes if value.ndim > 1 else (), np) if value.ndim else value.reshape(1, 1)
    return np.sort(rows, axis=1)


def draw_envelope(ax: Axes, ranks: np.ndarray, bands: np.ndarray) -> None:
    """Draw what `envelope` gives."""
    if len(ranks) == 1:  # a weight vector of one weight
        ranks, bands = np.array([-0.5, 0.5]), np.repeat(bands, 2, axis=1)
    for low, high, color, _ in BANDS:
        ax.fill_between(ranks, bands[low], bands[high], color=color, linewidth=0)
    ax.plot(ranks, bands[3], color="black", linewidth=0.8)
    ax.margins(x=0.02, y=0.05)
