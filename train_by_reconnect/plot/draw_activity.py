"""Where active parameters are: a weight matrix as a rectangle, coloured by how often each weight was active."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from train_by_reconnect.plot.new_axes import axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar

MOST_BLOCKS = 96
_COLOR_MAP, _MOST = "PuOr_r", 30.0


def activity(frequency: np.ndarray, percent: float, ax: Axes | None = None, *, bar: bool = True) -> Axes:
    """Draw how often each weight of a kernel was among the most active ones, beside what an even spread would give.

    The most active alpha % are alpha % of all parameters: spread evenly, each would be active in alpha % of the epochs.
    The colour says how many times as often it was, from a thirtieth or less to thirty times or more; white is even.
    Inputs go downwards and outputs to the right, as in `tiles`.

    Args:
        frequency: array in [0, 1] of a kernel's shape, one of `ActivityMap.frequencies(percent)`; or a matrix.
        percent: float above 0, alpha.
        ax: `Axes` of matplotlib. Defaults to None: new ones.
        bar: bool, whether a bar beside the picture says what the colours mean. Defaults to `True`.

    Returns:
        The `Axes`; its `images[0]` is what a bar of colours for several pictures takes.

    Raises:
        ValueError: `percent` is not above 0, or the array is neither a matrix nor the kernel of a 2D convolution.
        ImportError: there is no matplotlib.

    Example:

    >>> drawn = activity(np.array([[0.1, 0.0], [0.3, 0.1]]), 10, bar=False).images[0].get_array()
    >>> drawn.round(2).tolist()
    [[1.0, 0.03], [3.0, 1.0]]

    Reference:
        Li and Banerjee 2021, section 5, Fig. 5 and 6.
    """
    if not percent > 0:
        raise ValueError(f"`percent` must be above 0. Received: percent={percent}. Pass the one that was counted.")
    # A weight that never was active has no logarithm: it gets the colour of the least.
    times = np.clip(tiles(frequency) * 100 / percent, 1 / _MOST, _MOST)
    ax = axes_or_new(ax)
    import matplotlib.colors

    norm = matplotlib.colors.LogNorm(1 / _MOST, _MOST)
    image = ax.imshow(times, cmap=_COLOR_MAP, norm=norm, aspect="auto", interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    if bar:
        name_times(ax.figure.colorbar(image, ax=ax))
    return ax


def name_times(bar: Colorbar) -> None:
    """Label a bar of colours for several pictures of `activity`.

    Args:
        bar: `Colorbar` of matplotlib, e.g. of `figure.colorbar(axes.images[0], ax=all_axes)`.

    Example:

    >>> axes = activity(np.ones((2, 2)), 50, bar=False)
    >>> bar = axes.figure.colorbar(axes.images[0], ax=axes)
    >>> name_times(bar)
    >>> bar.ax.get_ylabel()
    'times as often active as if evenly spread'
    """
    ticks = {1 / 30: "1/30 or less", 0.1: "1/10", 1 / 3: "1/3", 1: "even", 3: "3", 10: "10", 30: "30 or more"}
    bar.set_ticks([*ticks], labels=[*ticks.values()])
    bar.ax.minorticks_off()
    bar.set_label("times as often active as if evenly spread")


def tiles(kernel: np.ndarray, most: int = MOST_BLOCKS) -> np.ndarray:
    """A kernel as a rectangle of a limited number of blocks, each the mean of its weights.

    Inputs go downwards and outputs to the right. A convolution is laid out in tiles: the kernel from an input channel
    to a filter is the tile in that channel's row and that filter's column.

    Args:
        kernel: array of shape (inputs, units) or (height, width, channels, filters).
        most: int, the number of rows and of columns at most; blocks have nearly equal sizes. Defaults to 96.

    Returns:
        Array of shape (rows, columns).

    Raises:
        ValueError: the array has neither two nor four axes.

    Example:

    >>> tiles(np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]), 2)
    array([[0. , 1. ],
           [0. , 0.5]])
    """
    kernel = np.asarray(kernel)
    if kernel.ndim == 4:
        height, width, channels, filters = kernel.shape
        kernel = kernel.transpose(2, 0, 3, 1).reshape(channels * height, filters * width)
    if kernel.ndim != 2:
        raise ValueError(
            "A kernel to draw must be a matrix or the kernel of a 2D convolution. Received: an array of shape "
            f"{kernel.shape}. Reshape it to a matrix with the inputs in the rows."
        )
    for axis, size in enumerate(kernel.shape):
        starts = np.arange(min(size, most)) * size // min(size, most)
        sizes = np.diff(np.append(starts, size))
        kernel = np.add.reduceat(kernel, starts, axis) / np.expand_dims(sizes, 1 - axis)
    return kernel
