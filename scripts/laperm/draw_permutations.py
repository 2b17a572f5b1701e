"""Pictures of what a training by LaPerm does to weight vectors: where the weights went, and how long the cycles are."""

import matplotlib.lines
import matplotlib.patches
import numpy as np

from scripts.publishing.figures import COLORS
from train_by_reconnect import cycles, permutation_between, plot

BLUE, VERMILLION = COLORS[:2]


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


def draw_reconnection(figure, before, after, titles=("before", "after"), share=0.1):
    """Draw two states of a weight vector as two pictures, and where its largest weights went, as arrows.

    An arrow has the colour of its weight's sign. A weight that stays has none.

    Args:
        figure: the `Figure` of matplotlib.
        before: array of shape (rows, columns), the weight vector laid out like the images that it looks at.
        after: array of the same shape: its values are those of `before` permuted.
        titles: pair of str, above the first picture and below the second.
        share: float in [0, 1], of how many weights the arrows are drawn: those with the largest absolute values.
            Defaults to 0.1.
    """
    grid = figure.add_gridspec(2, 2)
    first, second = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 1])
    limit = np.abs(before).max()
    for axes, values, title in ((first, before, titles[0]), (second, after, titles[1])):
        image = axes.imshow(values, cmap="gray", vmin=-limit, vmax=limit)
        axes.set(xticks=[], yticks=[])
        axes.set_title(title, y=1.0 if axes is first else -0.1)
    second.set_zorder(1)
    corner = figure.add_subplot(grid[0, 1], frameon=False, xticks=[], yticks=[])
    figure.colorbar(image, ax=corner, shrink=0.7).set_label("weight")
    count, said = round(share * before.size), {VERMILLION: "positive", BLUE: "negative"}
    for (old_row, old_column), (new_row, new_column) in moves_of_largest(before, after, count):
        arrow = matplotlib.patches.ConnectionPatch(
            (old_column, old_row),
            (new_column, new_row),
            coordsA=first.transData,
            coordsB=second.transData,
            color=VERMILLION if before[old_row, old_column] > 0 else BLUE,
            linewidth=0.8,
            alpha=0.6,
            arrowstyle="->",
            mutation_scale=6,
            connectionstyle="arc3,rad=0.06",
        )
        arrow.set_in_layout(False)
        second.add_artist(arrow)
    handles = [matplotlib.lines.Line2D([], [], color=color, label=sign) for color, sign in said.items()]
    title = f"the {count} largest weights\nof {before.size}, which move"
    corner.legend(handles=handles, title=title, loc="upper left", frameon=False)


def moves_of_largest(before, after, count):
    """Pairs of the old and the new (row, column) of the weights with the largest absolute values, if they moved."""
    origins = permutation_between(before.ravel(), after.ravel())
    columns = before.shape[1]
    largest = np.argsort(-np.abs(after.ravel()), kind="stable")[:count].tolist()
    return [
        (divmod(int(origins[place]), columns), divmod(place, columns)) for place in largest if origins[place] != place
    ]


def draw_vectors(figure, before, after, titles):
    """Draw for every weight vector of a matrix, a panel each, where each of its weights went.

    Args:
        figure: the `Figure` of matplotlib.
        before: array of shape (size, units): each column is a weight vector.
        after: array of the same shape, the columns permuted each for itself.
        titles: list of str, of the panels.
    """
    columns = min(5, len(titles))
    rows = -(-len(titles) // columns)
    figure.set_size_inches(2.1 * columns, 3.1 * rows + 0.6)
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    limit = float(np.abs(before).max())
    for number, (axes, title) in enumerate(zip(panels, titles, strict=False)):
        plot.permutation(before[:, number], after[:, number], axes, limit=limit)
        axes.set_title(title, fontsize=10)
        if number % columns:
            axes.set_ylabel("")
    for axes in panels[len(titles) :]:
        axes.axis("off")
    figure.colorbar(panels[0].images[0], ax=list(panels), shrink=0.6, aspect=30).set_label("weight")
