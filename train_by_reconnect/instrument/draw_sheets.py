"""The weight profiles of a whole network on one sheet, a panel for each weight matrix."""

import collections
import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.figure
import matplotlib.lines
import matplotlib.patches
import numpy as np

from train_by_reconnect.plot.draw_profiles import BANDS, RANK, WEIGHT, draw_envelope
from train_by_reconnect.weights.envelope import envelope

if TYPE_CHECKING:
    from train_by_reconnect.weights.profiles import WeightProfile

PER_SHEET = 300
_MARK = "#d00000"


class ShownFigure(matplotlib.figure.Figure):
    """A figure that a notebook shows, also where nobody has imported pyplot."""

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()


def draw_sheets(
    profiles: "Sequence[WeightProfile]",
    title: str,
    marked: str | None = None,
    progress: "Callable[[Any], Iterable[WeightProfile]]" = iter,
) -> Iterator[matplotlib.figure.Figure]:
    """Draw all weight matrices of a network, one small panel each.

    Args:
        profiles: list of `WeightProfile`; each is computed when its turn comes and then forgotten.
        title: str.
        marked: str or None, the name of the profile to mark in red.
        progress: function that is given the list and iterates over it, e.g. `tqdm`. Defaults to `iter`.

    Yields:
        A `Figure` of matplotlib for each `PER_SHEET` matrices.

    Reference:
        Qiu and Suda 2020, Fig. 2 and 12.
    """
    drawn: list[Any] = []
    total = 0
    several = of_several_kernels(profiles)
    for profile in progress(profiles):
        drawn.append((profile, *envelope(profile.vectors)))
        if len(drawn) == PER_SHEET:
            total += len(drawn)
            yield draw_panels(drawn, f"{title} ({total - len(drawn) + 1} to {total})", marked, several)
            drawn = []
    if drawn:
        yield draw_panels(drawn, f"{title} (from {total + 1})" if total else title, marked, several)


def of_several_kernels(profiles: Iterable[Any]) -> set[str]:
    """The layers that have more than one kernel, whose panels name the variable."""
    layers = collections.Counter(profile.layer for profile in profiles)
    return {layer for layer, count in layers.items() if count > 1}


def draw_panels(
    drawn: Sequence[tuple[Any, np.ndarray, np.ndarray]], title: str, marked: str | None, several: set[str]
) -> matplotlib.figure.Figure:
    """One sheet: a panel for each kernel, of which its ranks and bands are given, as from `envelope`."""
    columns = min(len(drawn), max(3, min(8, round(len(drawn) ** 0.5))))
    rows = -(-len(drawn) // columns)
    width, height = max(6.4, 1.75 * columns + 0.4), 1.55 * rows + 1.15
    figure = ShownFigure(figsize=(width, height))
    figure.text(0.12 / width, 1 - 0.12 / height, title, fontsize=12, va="top")
    _bands_legend(figure, (0.12 / width, 1 - 0.36 / height), has_mark=marked is not None)
    grid = figure.add_gridspec(
        rows, columns, left=0.65 / width, right=1 - 0.1 / width, bottom=0.35 / height, top=1 - 1.1 / height
    )
    grid.update(wspace=0.42, hspace=0.62)
    figure.text(0.14 / width, 0.5, WEIGHT, rotation=90, va="center", fontsize=9)
    said = f"{RANK}, from the least weight to the greatest; under each name: weight vectors x weights of each"
    figure.text(0.5, 0.1 / height, said, ha="center", fontsize=min(9, 1.05 * width))
    for number, (profile, ranks, bands) in enumerate(drawn):
        axes = figure.add_subplot(grid[number])
        draw_envelope(axes, ranks, bands)
        units = math.prod(profile.shape[axis] for axis in profile.unit_axes)
        variable = f"{profile.name.split('/')[-1]}: " if profile.layer in several else ""
        size = f"{variable}{units} x {math.prod(profile.shape) // units}"
        axes.set_title(f"{_wrap(profile.layer)}\n{size}", fontsize=7, pad=2.5, linespacing=1.25)
        axes.set(xticks=[], yticks=_two_ticks(bands))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.2g}")
        axes.tick_params(labelsize=6.5, length=2, pad=1.5)
        for side, spine in axes.spines.items():
            spine.set(color="#999999", linewidth=0.5)
            if profile.name == marked:
                spine.set(color=_MARK, linewidth=1.8)
            elif side in ("top", "right"):
                spine.set_visible(False)
    return figure


def _two_ticks(bands: np.ndarray) -> list[float]:
    low, high = float(bands[0].min()), float(bands[-1].max())
    return [low, high] if high > low else [low]


def _wrap(name: str, width: int = 27) -> str:
    """A layer's name on at most two lines, broken after a `_` or `/`, or shortened in its middle."""
    if len(name) <= width:
        return name
    breaks = [place + 1 for place, letter in enumerate(name) if letter in "_/" and place < width]
    place = breaks[-1] if breaks and len(name) - breaks[-1] <= width else width
    rest = name[place:]
    if len(rest) > width:
        rest = f"{rest[: width // 2 - 1]}…{rest[-(width // 2) :]}"
    return f"{name[:place]}\n{rest}"


def bands_handles() -> list[Any]:
    """What a legend of the bands and their median holds."""
    handles: list[Any] = [matplotlib.patches.Patch(color=color, label=label) for _, _, color, label in BANDS]
    return [*handles, matplotlib.lines.Line2D([], [], color="black", linewidth=1, label="median")]


def _bands_legend(figure: matplotlib.figure.Figure, place: tuple[float, float], has_mark: bool) -> None:
    handles = bands_handles()
    if has_mark:
        handles.append(matplotlib.patches.Patch(facecolor="none", edgecolor=_MARK, linewidth=1.8, label="drawn alone"))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=place, ncols=5, fontsize=8, frameon=False, borderpad=0.1,
        columnspacing=1.2, handlelength=1.4,
    )  # fmt: skip
