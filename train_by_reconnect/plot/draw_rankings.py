"""Ranking distances over the steps of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from train_by_reconnect.plot.new_axes import axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST = 1e-7  # a step may leave every rank as it is, and zero has no place on a logarithmic axis


def ranking_distance(
    distances: Sequence[Mapping[str, Any]] | np.ndarray,
    ax: Axes | None = None,
    *,
    steps: np.ndarray | None = None,
    window: int = 1,
    band: bool = True,
    **style: Any,
) -> Axes:
    """Draw ranking distances, divided by the size of a weight vector, over the steps, on a logarithmic axis.

    Args:
        distances: `RankingMonitor.distances`, of which each kernel has a line for its `mean_ratio`; or an array of
            distances, which is one line.
        ax: `Axes` of matplotlib. Defaults to None: new ones.
        steps: array of numbers, when those of an array were measured. Defaults to None: 1, 2, 3 and so on.
        window: int, at least 1, of how many measurements in a row a line is the mean; the last ones that fill no
            window are left out. Defaults to 1.
        band: bool, whether a band shows the range within each window. Defaults to `True`.
        **style: more for `Axes.plot`, e.g. `color`.

    Returns:
        The `Axes`.

    Raises:
        ValueError: there are fewer distances than a window has.
        ImportError: there is no matplotlib.

    Example:

    >>> rows = [{"kernel": "dense/kernel", "step": step, "mean_ratio": 0.1 / step} for step in (1, 2, 3)]
    >>> ranking_distance(rows).lines[0].get_ydata().round(3).tolist()
    [0.1, 0.05, 0.033]

    Reference:
        Qiu and Suda 2020, section 3, Fig. 3.
    """
    series: dict[str | None, tuple[np.ndarray, np.ndarray]] = {}
    if isinstance(distances, np.ndarray):
        series[None] = (np.arange(1, len(distances) + 1) if steps is None else np.asarray(steps), distances)
    else:
        for name in dict.fromkeys(row["kernel"] for row in distances):
            rows = [row for row in distances if row["kernel"] == name]
            series[name] = (np.array([row["step"] for row in rows]), np.array([row["mean_ratio"] for row in rows]))
    shortest = min((len(values) for _, values in series.values()), default=0)
    if not 1 <= window <= shortest:
        raise ValueError(
            "`window` must be from 1 to the number of measurements of a kernel. Received: "
            f"window={window}, with {shortest} measurements. Leave it out, or measure more often."
        )
    ax = axes_or_new(ax)
    for name, (when, values) in series.items():
        when, values = (each[: len(each) // window * window].reshape(-1, window) for each in (when, values))
        (line,) = ax.plot(when.mean(axis=1), values.mean(axis=1), **{"linewidth": 1, "label": name, **style})
        if band and window > 1:
            low, high = np.maximum(values.min(axis=1), _LEAST), values.max(axis=1)
            ax.fill_between(when.mean(axis=1), low, high, color=line.get_color(), alpha=0.25, linewidth=0)
    ax.set(yscale="log", xlabel="step", ylabel="ranking distance / size of a weight vector")
    if len(series) > 1:
        ax.legend(frameon=False)
    return ax
