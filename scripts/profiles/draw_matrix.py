"""The weight profile of one matrix: before and after sorting, from two angles, and how such a picture comes about.

Up to `MAX_POINTS` weights are drawn as points, in the four colours of the paper. Of a larger matrix the extremes of
groups of weight vectors are drawn, and the density of its weights: of all of them, never of a sample.
"""

import matplotlib.cm
import matplotlib.collections
import matplotlib.colors
import matplotlib.ticker
import numpy as np

from train_by_reconnect.instrument.statistics import density, ribbons

PAPER_COLORS = ("midnightblue", "gold", "darkgreen", "steelblue")  # cyclically, one for each weight vector
MAX_POINTS = 200_000
RANK, WEIGHT = "rank within the weight vector", "weight"
GROUPS = 48


def draw_pair(figure, profile):
    """Draw one weight matrix before and after sorting its weight vectors, each seen from two angles.

    Args:
        figure: the `Figure` of matplotlib, 9 by 7.5 inches or so.
        profile: `WeightProfile`.

    Reference:
        Qiu and Suda 2020, Fig. 1.
    """
    rows = profile.unsorted
    units, size = rows.shape
    as_points = rows.size <= MAX_POINTS
    figure.suptitle(f"{profile.name}: {units:,} weight vectors of {size:,} weights", x=0.02, ha="left", fontsize=12)
    norm = matplotlib.colors.LogNorm(max(1e-5, 0.5 / max(1, rows.size // min(256, size))), 1)
    for row, (what, x_label) in enumerate([("as they are", "place in the weight vector"), ("sorted", RANK)]):
        if row:
            rows.sort(axis=1)  # its own copy
        letters = "ab" if row == 0 else "cd"
        bottom = 0.09 if row else 0.55
        oblique = figure.add_axes((0.0, bottom - 0.02, 0.46, 0.37), projection="3d")
        front = figure.add_axes((0.55, bottom, 0.42 if as_points else 0.33, 0.34))
        if as_points:
            _scatter(oblique, front, rows)
        else:
            _ribbons(oblique, rows)
            shares = density(rows)
            front.pcolormesh(
                np.linspace(0, size, len(shares) + 1), np.linspace(rows.min(), rows.max(), shares.shape[1] + 1),
                np.where(shares > 0, shares, np.nan).T, norm=norm, cmap="viridis_r", rasterized=True,
            )  # fmt: skip
        _name_oblique(oblique, x_label)
        figure.text(0.03, bottom + 0.353, f"({letters[0]}) {what}, seen from the side", fontsize=10)
        front.set_title(f"({letters[1]}) {what}, seen from the front", fontsize=10, loc="left")
        front.set(xlabel=x_label, ylabel=WEIGHT)
        front.tick_params(labelsize=8)
    if not as_points:
        mapped = matplotlib.cm.ScalarMappable(norm, "viridis_r")
        together = -(-units // min(units, GROUPS))
        figure.text(
            0.02, 0.01, f"(a), (c): a ribbon reaches from the least to the greatest weight of {together} "
            "neighbouring weight vectors", fontsize=8,
        )  # fmt: skip
        bar = figure.colorbar(mapped, cax=figure.add_axes((0.905, 0.2, 0.016, 0.55)))
        bar.set_label("share of the weights at this place or rank", fontsize=9)
        bar.ax.tick_params(labelsize=8)


def _scatter(oblique, front, rows):
    units, size = rows.shape
    places = np.arange(size)
    dot = float(np.clip(2e4 / rows.size, 0.3, 9))
    colors = [PAPER_COLORS[unit % 4] for unit in range(units)]
    oblique.scatter(
        np.tile(places, units), np.repeat(np.arange(units), size), rows.ravel(), s=dot, c=np.repeat(colors, size),
        depthshade=False, linewidths=0, rasterized=True,
    )  # fmt: skip
    front.scatter(np.tile(places, units), rows.ravel(), s=dot, c=np.repeat(colors, size), linewidths=0, rasterized=True)


def _ribbons(oblique, rows):
    units, size = rows.shape
    low, high = ribbons(rows, GROUPS)
    places = np.linspace(0, size - 1, low.shape[1])
    depths = (np.arange(len(low)) + 0.5) * units / len(low)
    shapes = [
        np.column_stack([np.r_[places, places[::-1]], np.r_[least, greatest[::-1]]])
        for least, greatest in zip(low, high, strict=True)
    ]
    colors = [PAPER_COLORS[group % 4] for group in range(len(shapes))]
    drawn = matplotlib.collections.PolyCollection(shapes, facecolors=colors, alpha=0.85, linewidths=0)
    drawn.set_rasterized(True)
    oblique.add_collection3d(drawn, zs=depths, zdir="y")
    least, greatest = float(low.min()), float(high.max())
    if least == greatest:
        least, greatest = least - 1, greatest + 1
    oblique.set(xlim=(0, size), ylim=(0, units), zlim=(least, greatest))


def _name_oblique(axes, x_label):
    axes.view_init(elev=18, azim=-62)
    axes.set_xlabel(x_label, fontsize=8, labelpad=0)
    axes.set_ylabel("weight vector", fontsize=8, labelpad=0)
    axes.set_zlabel(WEIGHT, fontsize=8, labelpad=2)
    axes.tick_params(labelsize=7, pad=0)
    axes.set_box_aspect((1.3, 1, 0.85), zoom=1.12)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_major_locator(matplotlib.ticker.MaxNLocator(4))


def draw_steps(figure, profile, vectors=4, weights=24):
    """Draw how a weight profile comes about, in four steps, with the first few weights of the first few vectors.

    Args:
        figure: the `Figure` of matplotlib, 11 by 3.2 inches or so.
        profile: `WeightProfile`.
        vectors: int, the number of weight vectors at most. Defaults to 4.
        weights: int, the number of weights of each at most. Defaults to 24.

    Reference:
        Qiu and Suda 2020, Fig. 11.
    """
    given = profile.unsorted[:vectors, :weights]
    ordered = np.sort(given, axis=1)
    limit = float(np.abs(given).max()) or 1.0
    shape = f"the first {given.shape[1]} weights of {given.shape[0]} weight vectors"
    figure.suptitle(f"{profile.name}: {shape}", x=0.01, ha="left", fontsize=11)
    for column, (rows, title) in enumerate([(given, "(a) given weight vectors"), (ordered, "(b) each sorted")]):
        axes = figure.add_axes((0.045 + 0.235 * column, 0.17, 0.165, 0.6))
        image = axes.imshow(rows.T, aspect="auto", cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest")
        axes.set_title(title, fontsize=10, loc="left")
        axes.set(xticks=range(len(rows)), xlabel="weight vector", ylabel=RANK if column else "place in the vector")
        for unit, label in enumerate(axes.get_xticklabels()):
            label.set_color(PAPER_COLORS[unit % 4])
            label.set_fontweight("bold")
    bar = figure.colorbar(image, cax=figure.add_axes((0.452, 0.17, 0.01, 0.6)))
    bar.set_label(WEIGHT, labelpad=-2)
    oblique = figure.add_axes((0.528, 0.1, 0.222, 0.72), projection="3d")
    front = figure.add_axes((0.84, 0.17, 0.15, 0.6))
    _scatter(oblique, front, ordered)
    _name_oblique(oblique, "rank")
    oblique.set_zlabel("")  # the next panel has the same
    figure.text(0.54, 0.795, "(c) a plot for each", fontsize=10)
    front.set_title("(d) seen from the front", fontsize=10, loc="left")
    front.set(xlabel=RANK, ylabel=WEIGHT)
