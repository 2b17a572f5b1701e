"""Conv7 on MNIST: every 20 batches all weights go back to uniform random values, and it costs nothing.

Claim: LaPerm from He's uniform initialization reaches about 99.7 % on MNIST, as Adam and Lookahead do (Qiu and Suda
2020, section 5.1, Fig. 5).

Command: `python -m scripts run laperm_fig5 --data DIR`; then `python -m scripts figure laperm_fig5`.

Settings of 5.1 and A.5.2: k = 20, batch 50, learning rate 1e-3 x 0.95 per epoch, the augmentation of A.5.2, biases
synchronized too. Unlike the paper, whose validation images are the test images, the curve is of 5,000 held-out training
images, and the test set is looked at once, after the last synchronization. The laptop size has 10 of the 45 epochs.
The other initializations and the baselines of the figure are not declared yet.
"""

from scripts.augment import Augmentation
from scripts.experiment import Experiment
from scripts.results import COLORS, draw_band
from scripts.training import Training

HE_UNIFORM = "LaPerm, He uniform"


def _trainings(**changes):
    settings = {
        "epochs": 45,
        "batch_size": 50,
        "optimizer_arguments": {"sync_period": 20, "skip_bias": False},
        "learning_rate_decay": 0.95,
        "augmentation": Augmentation(rotation=10, width_shift=0.1, height_shift=0.1, zoom=0.1),
        "validation": 5000,
        "evaluate_every": 220,
    }
    return (Training(HE_UNIFORM, "conv7", "mnist", **{**settings, **changes}),)


def _draw(figure, curves):
    axes = figure.subplots()
    draw_band(axes, curves, "val_accuracy", ("after",), COLORS[0], HE_UNIFORM)
    axes.set(xlabel="step", ylabel="accuracy on 5,000 held-out images", ylim=(0.97, 1))
    axes.set_title("Conv7 on MNIST, right after synchronizations (k = 20)", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)


EXPERIMENT = Experiment(
    claim="Conv7 learns MNIST although every 20 steps all its weights go back to their random initial values.",
    trainings={
        "quick": _trainings(epochs=1, train_limit=5400, model_arguments={"width": 0.25}, evaluate_every=1),
        "laptop": _trainings(epochs=10),
        "paper": _trainings(),
    },
    seeds={"quick": (0,), "laptop": (0,), "paper": tuple(range(5))},
    draw=_draw,
    paper={HE_UNIFORM: "99.76 %, best epoch of the best of 5 runs of 45 epochs, chosen on the test set"},
)
