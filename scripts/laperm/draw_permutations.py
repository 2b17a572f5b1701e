"""Pictures of what a synchronization does to weight vectors: cycles on a circle, and arrows between two matrices."""

import itertools

import matplotlib.lines
import matplotlib.patches
import matplotlib.path
import numpy as np

from scripts.publishing.figures import COLORS
from train_by_reconnect import cycles, permutation_between

BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE, _ = COLORS
# A colour for each cycle; where they run out, the next kind of line begins them again.
CYCLE_STYLES = tuple(itertools.product(("-", "--", ":"), (BLUE, VERMILLION, GREEN, PURPLE, SKY, ORANGE)))
ARROW_COLORS = (GREEN, ORANGE)


def rank_permutation(before, after):
    """The permutation of ranks between two states of a weight vector.

    Args:
        before: array of shape (size,).
        after: array of shape (size,), the same values in another order.

    Returns:
        Int array of shape (size,): where the r-th smallest weight was before is now the one of rank `result[r]`.

    Example:

    >>> rank_permutation(np.array([0.2, 0.1, 0.3]), np.array([0.3, 0.1, 0.2])).tolist()
    [0, 2, 1]
    """
    order = np.argsort(before, kind="stable")
    return permutation_between(before[order], after[order])


def draw_cycles(axes, permutation):
    """Draw a permutation of n ranks as arrows between n points on a circle, each cycle in a style of its own.

    The points go counterclockwise from the right in ascending order. Cycles with more points come first in the order
    of the styles; a fixed point is a point without an arrow. Short arrows bend inwards so that they can be seen.

    Args:
        axes: the `Axes` of matplotlib.
        permutation: int array of shape (n,).

    Returns:
        List of pairs of a length and a line, to make a legend of, the longest cycle first.
    """
    size = len(permutation)
    angles = 2 * np.pi * np.arange(size) / size
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    longest_first = sorted((cycle for cycle in cycles(permutation) if len(cycle) > 1), key=len, reverse=True)
    handles = []
    for cycle, (line, color) in zip(longest_first, itertools.cycle(CYCLE_STYLES), strict=False):
        for start in cycle:
            axes.add_patch(_arc(points[start], points[permutation[start]], line, color))
        handles.append((len(cycle), matplotlib.lines.Line2D([], [], color=color, linestyle=line)))
    axes.scatter(*points.T, s=7, color="black", zorder=3)
    axes.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    axes.axis("off")
    for text, angle in (("smallest weight", 0.0), ("median", np.pi), ("largest", -2 * np.pi / size)):
        x, y = 1.05 * np.cos(angle), 1.05 * np.sin(angle)
        vertical = {"smallest weight": "bottom", "largest": "top"}.get(text, "center")
        axes.text(x, y, text, fontsize=8, ha="right" if x < 0 else "left", va=vertical)
    return handles


def _arc(start, end, line, color):
    middle = (start + end) / 2
    distance = np.linalg.norm(end - start)
    bend = middle * max(0.0, 1 - 1.2 * distance)
    path = matplotlib.path.Path([start, bend, end], [1, 3, 3])
    return matplotlib.patches.FancyArrowPatch(
        path=path, arrowstyle="-|>", mutation_scale=6, linewidth=1, linestyle=line, color=color, shrinkA=1, shrinkB=2
    )


def draw_cycle_lengths(axes, permutations):
    """Draw how many cycles of each length there are, beside what uniformly drawn permutations would have.

    Args:
        axes: the `Axes` of matplotlib.
        permutations: list of int arrays of one shape (n,).
    """
    size = len(permutations[0])
    counts = np.zeros(size + 1)
    for permutation in permutations:
        for cycle in cycles(permutation):
            counts[len(cycle)] += 1 / len(permutations)
    lengths = np.arange(1, size + 1)
    axes.plot(lengths, 1 / lengths, color="black", linestyle="--", label="uniform draw: 1 / length")
    there = np.flatnonzero(counts)
    axes.scatter(there, counts[there], color=BLUE, s=22, label=f"mean of {len(permutations)} weight vectors")
    axes.set(
        xscale="log", yscale="log", xlabel="length of a cycle (1: the rank stays)", ylabel="cycles in a weight vector"
    )
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)


def draw_reconnection(figure, before, after, *, shared_columns=False, titles=("before", "after"), line=None, seed=0):
    """Draw two states of weights as two pictures, and an arrow from where a weight was to where it is now.

    Each arrow is green or orange at random, so that neighbours can be told apart. A weight that stays has none.

    Args:
        figure: the `Figure` of matplotlib.
        before: array of shape (rows, columns).
        after: array of the same shape: its values are those of `before` permuted.
        shared_columns: bool, whether every column is a weight vector of its own, or the whole array is one. Defaults
            to `False`.
        titles: pair of str, above the first picture and below the second.
        line: pair of the width and the opacity of an arrow. Defaults to what suits their number.
        seed: int, of the colours and bends of the arrows.
    """
    grid = figure.add_gridspec(2, 2)
    first, second = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 1])
    limit = np.abs(before).max()
    for axes, values, title in ((first, before, titles[0]), (second, after, titles[1])):
        image = axes.imshow(values, cmap="gray", vmin=-limit, vmax=limit)
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, y=1.0 if axes is first else -0.1)
    second.set_zorder(1)
    colorbar = figure.colorbar(
        image, ax=figure.add_subplot(grid[0, 1], frameon=False, xticks=[], yticks=[]), shrink=0.7
    )
    colorbar.set_label("weight")
    random, moves = np.random.default_rng(seed), list(_moves(before, after, shared_columns))
    width, opacity = line or ((0.5, 0.3) if len(moves) > 400 else (1.0, 0.8))
    for (old_row, old_column), (new_row, new_column) in moves:
        arrow = matplotlib.patches.ConnectionPatch(
            (old_column, old_row),
            (new_column, new_row),
            coordsA=first.transData,
            coordsB=second.transData,
            color=random.choice(ARROW_COLORS),
            linewidth=width,
            alpha=opacity,
            arrowstyle="->",
            mutation_scale=5,
            connectionstyle=f"arc3,rad={random.uniform(-0.15, 0.15):.3f}",
        )
        arrow.set_in_layout(False)
        second.add_artist(arrow)


def _moves(before, after, shared_columns):
    """Pairs of the old and the new (row, column) of every weight that moved."""
    columns = [[column] for column in range(before.shape[1])] if shared_columns else [list(range(before.shape[1]))]
    for of_vector in columns:
        places = [(row, column) for row in range(before.shape[0]) for column in of_vector]
        permutation = permutation_between(before[:, of_vector].ravel(), after[:, of_vector].ravel())
        yield from (
            (places[origin], place)
            for place, origin in zip(places, permutation, strict=True)
            if places[origin] != place
        )
