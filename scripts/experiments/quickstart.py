"""The first thing to run: Adam, Lookahead and LaPerm side by side on handwritten digits, in a minute on two cores.

Claim: a small network learns about as well when its weights are only ever rearranged. The table says for each run
whether the final weights are a permutation of the initial ones, weight vector by weight vector.

Command: `python -m scripts run quickstart`

The data set is scikit-learn's `digits` (1,797 images of 8 x 8), which needs no download. The curve is of 157 held-out
training images; the 360 test images are looked at once, at the end. The network is `lenet_300_100` at half its width:
50 to 150 weights a weight vector. All methods have a rate of 0.003, and LaPerm synchronizes once an epoch: k = 40.
"""

from scripts.experiment import Experiment
from scripts.publishing.figures import COLORS, draw_band
from scripts.publishing.names import subject
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Decay
from scripts.running.training import Training, changed

_METHODS = {
    "Adam": {},
    "Lookahead (k = 6)": {"around": "lookahead"},
    "LaPerm (k = 40)": {"around": "laperm", "arguments": {"sync_period": 40, "skip_bias": False}},
}

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
        observers=(Permutation(),),
        steps_at_once=True,
    )
    return tuple(changed(adam, label=label, optimizer=method) for label, method in _METHODS.items())


def _draw(figure, curves):
    axes = figure.subplots()
    for label, color in zip(_METHODS, COLORS, strict=False):
        same = [curve for curve in curves if curve.label == label]
        if same:
            draw_band(axes, same, "val_accuracy", color=color, label=label)
    axes.set(xlabel="step", ylabel="accuracy on held-out images")
    if all(curve.values("val_accuracy").iloc[-1] > _LEAST_SHOWN for curve in curves):
        axes.set_ylim(_LEAST_SHOWN, 1)
    axes.set_title(f"{subject(curves)}, half as wide: mean and range over seeds", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)


EXPERIMENT = Experiment(
    claim="Does a small network learn handwritten digits about as well when training only rearranges its weights?",
    in_paper=False,
    trainings={"quick": _trainings(epochs=1), "laptop": _trainings(epochs=40)},
    seeds={"quick": (0,), "laptop": (0, 1, 2)},
    draw=_draw,
)
