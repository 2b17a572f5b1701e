"""Permutations: where each weight of a weight vector went, and the cycles of a permutation."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from train_by_reconnect.plot.new_axes import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION, axes_or_new
from train_by_reconnect.weights.permutations import cycles as cycles_of
from train_by_reconnect.weights.permutations import permutation_between

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOR_MAP = "PuOr"
# A colour for each cycle; where they run out, the next kind of line begins them again.
_STYLES = tuple(itertools.product(("-", "--", ":"), (BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE)))
_NAMED = 10


def permutation(
    before: npt.ArrayLike, after: npt.ArrayLike, ax: Axes | None = None, *, limit: float | None = None
) -> Axes:
    """Draw where each weight of a weight vector went: a line from its place before to its place after.

    Left and right stand the weights, one below the other. A line has the colour of its weight: brown is negative,
    violet positive, white zero.

    Args:
        before: array of shape (size,), a weight vector.
        after: array of the same shape, the same values in another order.
        ax: `Axes` of matplotlib. Defaults to None: new ones.
        limit: float, the absolute value with the darkest colour. Defaults to None: that of the largest weight.

    Returns:
        The `Axes`.

    Raises:
        ValueError: the two do not hold the same values.
        ImportError: there is no matplotlib.

    Example:

    >>> permutation([0.5, -1.0, 2.0], [2.0, -1.0, 0.5]).get_ylabel()
    'place in the weight vector'

    Reference:
        Qiu and Suda 2020, section 4, Fig. 4.
    """
    old, new = np.asarray(before, float), np.asarray(after, float)
    origin = permutation_between(old, new)
    ax = axes_or_new(ax)
    import matplotlib.collections
    import matplotlib.colors

    most = limit or float(np.abs(old).max(initial=0)) or 1.0
    norm = matplotlib.colors.Normalize(-most, most)
    # The largest weights are drawn last: they matter most.
    order = np.argsort(np.abs(new), kind="stable")
    ends = [((0.0, float(origin[place])), (1.0, float(place))) for place in order]
    lines = matplotlib.collections.LineCollection(ends, array=new[order], cmap=COLOR_MAP, norm=norm, linewidth=1.2)
    ax.add_collection(lines)
    for x, values in ((-0.12, old), (1.0, new)):
        ax.imshow(
            values[:, None], extent=(x, x + 0.12, len(values) - 0.5, -0.5), aspect="auto", cmap=COLOR_MAP, norm=norm
        )
    ax.set(xlim=(-0.12, 1.12), ylim=(len(old) - 0.5, -0.5), ylabel="place in the weight vector")
    ax.set_xticks([-0.06, 1.06], ["before", "after"])
    ax.set_facecolor("0.9")
    return ax


def cycles(permutation: npt.ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw a permutation of n ranks as arrows between n points on a circle, each cycle in a style of its own.

    The points go counterclockwise from the right in ascending order. Cycles with more points come first in the order
    of the styles; a fixed point is a point without an arrow. Short arrows bend inwards so that they can be seen. The
    legend names the ten longest cycles.

    Args:
        permutation: int array of shape (n,), as from `train_by_reconnect.permutation_between`.
        ax: `Axes` of matplotlib. Defaults to None: new ones.

    Returns:
        The `Axes`.

    Raises:
        ValueError: it is no permutation.
        ImportError: there is no matplotlib.

    Example:

    >>> axes = cycles([1, 2, 0, 4, 3, 5])
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['cycle of 3', 'cycle of 2']

    Reference:
        Qiu and Suda 2020, A.4, Fig. 14.
    """
    found = cycles_of(permutation)
    ax = axes_or_new(ax)
    import matplotlib.lines

    places = np.asarray(permutation)
    size = len(places)
    angles = 2 * np.pi * np.arange(size) / size
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    longest_first = sorted((cycle for cycle in found if len(cycle) > 1), key=len, reverse=True)
    handles = []
    for cycle, (line, color) in zip(longest_first, itertools.cycle(_STYLES), strict=False):
        for start in cycle:
            _draw_arc(ax, points[start], points[places[start]], line, color)
        handle = matplotlib.lines.Line2D([], [], color=color, label=f"cycle of {len(cycle)}")
        handle.set(linestyle=line)
        handles.append(handle)
    ax.scatter(points[:, 0], points[:, 1], s=7, color="black", zorder=3)
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    ax.axis("off")
    for text, angle in (("smallest weight", 0.0), ("median", np.pi), ("largest", -2 * np.pi / size)):
        x, y = 1.05 * np.cos(angle), 1.05 * np.sin(angle)
        vertical = {"smallest weight": "bottom", "largest": "top"}.get(text, "center")
        ax.text(x, y, text, fontsize=8, ha="right" if x < 0 else "left", va=vertical)
    if handles:
        named = handles[:_NAMED]
        title = f"the longest {len(named)} of {len(handles)} cycles"
        ax.legend(handles=named, title=title, loc="center", frameon=False, fontsize=9)
    return ax


def _draw_arc(ax: Axes, start: np.ndarray, end: np.ndarray, line: str, color: str) -> None:
    import matplotlib.patches
    import matplotlib.path

    bend = (start + end) / 2 * max(0.0, 1 - 1.2 * float(np.linalg.norm(end - start)))
    path = matplotlib.path.Path([start, bend, end], [1, 3, 3])
    ax.add_patch(
        matplotlib.patches.FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=6, linewidth=1, linestyle=line, color=color, shrinkA=1,
            shrinkB=2,
        )
    )  # fmt: skip
