"""The first thing to run: Adam, Lookahead and LaPerm side by side on handwritten digits, in a minute on two cores.

Claim: a small network learns about as well when its weights are only ever rearranged. The table says for each run
whether the final weights are a permutation of the initial ones, weight vector by weight vector; the picture shows the
weight profiles of the last layer before and after training, which of LaPerm are the same.

Command: `python -m scripts run quickstart`

The data set is scikit-learn's `digits` (1,797 images of 8 x 8), which needs no download. The curve is of 157 held-out
training images; the 360 test images are looked at once, at the end. The network is `lenet_300_100` at half its width:
50 to 150 weights a weight vector. All methods have a rate of 0.003, and LaPerm synchronizes once an epoch: k = 40.
"""

from scripts.experiment import Experiment
from scripts.laperm.observers import SnapshotsKept
from scripts.laperm.snapshots import load_snapshots
from scripts.publishing.curves import by_training
from scripts.publishing.figures import COLORS, draw_band
from scripts.publishing.headlines import Headline, accuracy
from scripts.publishing.names import subject
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Decay
from scripts.running.training import Training, changed
from train_by_reconnect import plot

_METHODS = {
    "Adam": {},
    "Lookahead (k = 6)": {"around": "lookahead"},
    "LaPerm (k = 40)": {"around": "laperm", "arguments": {"sync_period": 40, "skip_bias": False}},
}

_LAYER, _START_AND_END = "output", 10**9  # steps between snapshots: the start and the end are kept in any case
_LEAST_SHOWN = 0.5  # of the accuracy, unless a run ends below


def _trainings(epochs):
    adam = Training(
        "Adam",
        # 1,280 images: an epoch of 40 steps, which are made 20 at a time.
        Images("digits", validation=157),
        Network("lenet_300_100", {"width": 0.5}),
        epochs=epochs,
        batch_size=32,
        optimizer=Optimizer(learning_rate=0.003, schedule=Decay(0.95)),
        observers=(Permutation(), SnapshotsKept(_LAYER, _START_AND_END)),
        steps_at_once=True,
    )
    return tuple(changed(adam, label=label, optimizer=method) for label, method in _METHODS.items())


def _draw(figure, curves):
    figure.set_size_inches(11, 4.8)
    groups = by_training(curves)
    grid = figure.add_gridspec(len(groups), 2, width_ratios=(5, 3))
    axes, first = figure.add_subplot(grid[:, 0]), None
    for row, (label, same) in enumerate(groups.items()):
        draw_band(axes, same, "val_accuracy", color=COLORS[[*_METHODS].index(label)], label=label)
        panel = figure.add_subplot(grid[row, 1], sharex=first, sharey=first)
        first = first or panel
        _draw_profiles(panel, label, same[0])
    panel.set_xlabel("rank within the weight vector")
    figure.align_ylabels()
    axes.set(xlabel="step", ylabel="accuracy on held-out images")
    if all(curve.values("val_accuracy").iloc[-1] > _LEAST_SHOWN for curve in curves):
        axes.set_ylim(_LEAST_SHOWN, 1)
    axes.set_title(f"{subject(curves)}, half as wide: mean and range over seeds", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)


def _draw_profiles(axes, label, curve):
    """The weight profile of the last layer before and after the training."""
    _, rows = load_snapshots(curve.folder / "snapshots.npz")
    plot.profile_change(rows[0], rows[-1], axes, unit_axes=(0,))
    axes.set(xlabel="")
    axes.set_title(f"{label}: weights of the last layer", loc="left", fontsize=9)
    axes.get_legend().set_visible(axes.get_subplotspec().is_first_row())
    axes.tick_params(labelbottom=axes.get_subplotspec().is_last_row())


EXPERIMENT = Experiment(
    claim="Does a small network learn handwritten digits about as well when training only rearranges its weights?",
    headlines=(
        Headline("8 x 8 digits, half a LeNet: LaPerm, which only permutes its weights", accuracy("LaPerm (k = 40)")),
        Headline("the same, Adam", accuracy("Adam")),
    ),
    in_paper=False,
    trainings={"quick": _trainings(epochs=1), "laptop": _trainings(epochs=40)},
    seeds={"quick": (0,), "laptop": (0, 1, 2)},
    draw=_draw,
)
