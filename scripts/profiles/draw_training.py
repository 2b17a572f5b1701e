"""How the profile of one weight matrix changes during a training: a strip of pictures and an animation.

Two things are drawn of each moment. The *profile*: the spread of the sorted weight vectors, which is all that is left
when locations are forgotten. And the *locations*: each weight at the rank it had at the start. At step 0 the two are
the same; where training moves weights past each other, the points leave the profile.
"""

import dataclasses

import keras
import matplotlib.animation
import matplotlib.figure
import matplotlib.lines
import matplotlib.patches
import numpy as np
import tqdm

from scripts.publishing.figures import COLORS
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.optimizer import Optimizer
from scripts.running.training import Training, changed
from train_by_reconnect import KernelSnapshots, plot

_MAX_POINTS = 4_000
_POINT_COLOR, _FIRST_COLOR = COLORS[1], COLORS[5]
SYNC_PERIOD = 20


@dataclasses.dataclass(frozen=True)
class Recording:
    """One training, seen through one kernel.

    Args:
        label: str.
        steps: list of ints, the optimizer step of each snapshot; the first is 0.
        rows: list of arrays of shape (units, size), the weight vectors at these steps.
        accuracy: float in [0, 1], of the test images at the end.
        sync_period: int, or None for an optimizer that does not synchronize.
    """

    label: str
    steps: list
    rows: list
    accuracy: float
    sync_period: int | None = None

    def when(self, index):
        """What moment a snapshot shows, as text.

        Args:
            index: int, of the snapshot.

        Returns:
            Str, e.g. `"step 35, 15 after a sync"`.
        """
        step = self.steps[index]
        # `fit` ends with a synchronization, whatever the number of steps.
        since = step % self.sync_period if self.sync_period and index < len(self.steps) - 1 else 0
        return f"step {step}, {since} after a sync" if since else f"step {step}"


def record(layer, epochs=40, every=5, seed=0):
    """Train `conv2` at half its width on digits with Adam and with LaPerm, from the same initial weights.

    Args:
        layer: str, a layer of `conv2`, as in `KernelSnapshots`.
        epochs: int, of 40 steps each. Defaults to 40.
        every: int, steps between snapshots. Defaults to 5.
        seed: int. Defaults to 0.

    Returns:
        List of two `Recording`.

    Raises:
        ValueError: there is no such layer.
    """
    adam = Training(
        "Adam", Images("digits"), Network("conv2", {"width": 0.5, "dropout": 0.0}), epochs=epochs, batch_size=36
    )
    synchronized = Optimizer(around="laperm", arguments={"sync_period": SYNC_PERIOD, "skip_bias": False})
    recordings, bar = [], tqdm.tqdm(total=2 * epochs, desc="training", unit="epoch", disable=None)
    progress = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: bar.update())
    for training in (adam, changed(adam, label=f"LaPerm, k = {SYNC_PERIOD}", optimizer=synchronized)):
        prepared, snapshots = training.prepare(seed), KernelSnapshots(layer, every)
        prepared.model.fit(
            prepared.batches(0), steps_per_epoch=prepared.steps_per_epoch, epochs=epochs, verbose=0,
            shuffle=False, callbacks=[snapshots, progress],
        )  # fmt: skip
        accuracy = prepared.evaluate_test()["accuracy"]
        period = training.optimizer.sync_period
        recordings.append(Recording(training.label, snapshots.steps, snapshots.rows, accuracy, period))
    bar.close()
    return recordings


def draw_strip(figure, recordings, layer, count=6):
    """Draw a row of moments for each training, from the initialization to the end.

    Args:
        figure: the `Figure` of matplotlib, 13 by 5.5 inches or so.
        recordings: list of `Recording` with the same steps.
        layer: str, for the title.
        count: int, the number of moments at most. Defaults to 6.
    """
    shown = moments(len(recordings[0].steps), count)
    panels = figure.subplots(len(recordings), len(shown), sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(left=0.065, right=0.99, top=0.78, bottom=0.1, wspace=0.08, hspace=0.42)
    _head(figure, f"{layer}: the weight profile during a training on digits")
    for recording, row in zip(recordings, panels, strict=True):
        for index, axes in zip(shown, row, strict=True):
            _draw_moment(axes, recording, index)
            axes.set_title(recording.when(index), fontsize=9, loc="left", pad=3)
        row[0].set_ylabel("weight")
        row[0].set_ylim(*_limits(recordings))
        row[0].annotate(
            f"{recording.label} (test accuracy {100 * recording.accuracy:.1f} %)", (0, 1), (0, 17),
            "axes fraction", "offset points", fontsize=10, fontweight="bold",
        )  # fmt: skip
    figure.supxlabel("rank within the weight vector", fontsize=10)


def animate(recordings, layer, frames=36):
    """Draw the trainings side by side, one frame after another.

    Args:
        recordings: list of `Recording` with the same steps.
        layer: str, for the title.
        frames: int, the number of moments at most; they are closer at the start. Defaults to 36.

    Returns:
        `matplotlib.animation.FuncAnimation`, whose `save` writes it.
    """
    figure = matplotlib.figure.Figure(figsize=(8, 4.4), dpi=80)
    matplotlib.backends.backend_agg.FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(recordings), sharey=True, squeeze=False)[0]
    figure.subplots_adjust(left=0.1, right=0.985, top=0.76, bottom=0.13, wspace=0.06)
    _head(figure, f"{layer}: the weight profile during a training on digits")
    figure.supxlabel("rank within the weight vector", fontsize=10)

    def frame(index):
        for recording, axes in zip(recordings, panels, strict=True):
            axes.clear()
            _draw_moment(axes, recording, index)
            axes.set_ylim(*_limits(recordings))
            axes.set_title(f"{recording.label}: {recording.when(index)}", fontsize=10, loc="left")
        panels[0].set_ylabel("weight")

    shown = moments(len(recordings[0].steps), frames)
    return matplotlib.animation.FuncAnimation(figure, frame, [*shown, *[shown[-1]] * 6], init_func=lambda: None)


def moments(snapshots, count):
    """Which snapshots to show: closer together at the start, where the weights change fastest.

    Args:
        snapshots: int, how many there are.
        count: int, how many to show at most, at least 2.

    Returns:
        Ascending list of ints, with the first and the last snapshot.

    Example:

    >>> moments(181, 6)
    [0, 2, 7, 22, 63, 180]
    """
    if snapshots <= count:
        return list(range(snapshots))
    return sorted(set((np.geomspace(1, snapshots, count).round().astype(int) - 1).tolist()))


def _limits(recordings):
    low = min(float(rows.min()) for recording in recordings for rows in recording.rows)
    high = max(float(rows.max()) for recording in recordings for rows in recording.rows)
    return low - 0.03 * (high - low), high + 0.03 * (high - low)


def _draw_moment(axes, recording, index):
    first, rows = recording.rows[0], recording.rows[index]
    axes.set_rasterization_zorder(1)
    shown = max(1, min(len(rows), _MAX_POINTS // rows.shape[1]))  # whole weight vectors
    ranks = np.argsort(np.argsort(first[:shown], axis=1, kind="stable"), axis=1)
    axes.scatter(ranks.ravel(), rows[:shown].ravel(), s=1.5, color=_POINT_COLOR, linewidths=0, alpha=0.5, zorder=0)
    plot.profile(rows, axes, unit_axes=(0,))
    axes.set(xlabel="", ylabel="")  # once, for all panels
    axes.plot(np.median(np.sort(first, axis=1), axis=0), color=_FIRST_COLOR, linewidth=1.2, linestyle=(0, (4, 4)))
    axes.tick_params(labelsize=8)


def _head(figure, title):
    height = figure.get_figheight()
    figure.text(0.01, 1 - 0.1 / height, title, fontsize=12, va="top")
    handles = [
        matplotlib.patches.Patch(color=COLORS[0], label="the profile: sorted weight vectors"),
        matplotlib.lines.Line2D([], [], color=_FIRST_COLOR, linestyle="--", label="its median at step 0"),
        matplotlib.lines.Line2D(
            [],
            [],
            color=_POINT_COLOR,
            marker="o",
            markersize=4,
            linewidth=0,
            label="weights, each at its rank of step 0",
        ),
    ]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.005, 1 - 0.32 / height), ncols=3, fontsize=9, frameon=False
    )
