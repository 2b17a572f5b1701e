"""Conv7 on MNIST: the initial weights decide the last tenth of a point, and going back to them costs nothing.

Claim: LaPerm from He's initializations, uniform or normal, ends about 0.1 points above LaPerm from Glorot's; from
weights that Adam has trained, shuffled within each weight vector (N_S), it stops improving half way; from He's it is as
good as Adam and Lookahead, 0.24 % error at best (Qiu and Suda 2020, section 5.1, Fig. 5).

Command: `python -m scripts run laperm_fig5 --data DIR`; then `python -m scripts figure laperm_fig5`.

Settings of 5.1 and A.5.2: k = 20, batch 50, 45 epochs, the rate multiplied by 0.95 after each, Lookahead with its
default k = 6 and step size 0.5; biases, He uniform in all runs, are synchronized too. Adam and Lookahead start from He
normal. N_S has the weights of the epoch in which Adam was best on held-out images. Unlike the paper, whose validation
images are the test images, curves are of 5,000 held-out training images, and the test set is looked at once, after the
last synchronization. The laptop size is half as wide, for 9 epochs, over which the rate falls to the same tenth; the
synchronizations of an epoch are the paper's. The quick size is a small Conv2 on digits.
"""

import statistics

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies
from scripts.laperm.initial_weights import ShuffledBestOf
from scripts.laperm.runs import final_mean, final_means, grouped, only
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv7, laperm, observed_by
from scripts.laperm.sizes import QUICK
from scripts.laperm.tables import differences, table
from scripts.publishing.curves import by_training, mean_curve
from scripts.publishing.tables import percent, points
from scripts.running.observers import BestEpochKept

_LAPTOP = {"network": {"arguments": {"width": 0.5}}, "evaluation": {"train_images": 5000, "every": 550}}


def _trainings(epochs, sync_period, size):
    def training(label, *changes):
        return conv7(label, epochs, size, *changes)

    def drawn(initializer):
        return {"network": {"initializer": initializer}}

    ours, he_normal = laperm(sync_period), drawn("he_normal")
    adam = training("Adam", ADAM, he_normal, observed_by(BestEpochKept()))
    return (
        training("LaPerm, He uniform", ours),
        training("LaPerm, He normal", ours, he_normal),
        training("LaPerm, Glorot uniform", ours, drawn("glorot_uniform")),
        training("LaPerm, Glorot normal", ours, drawn("glorot_normal")),
        adam,
        training("Lookahead", LOOKAHEAD, he_normal),
        training("LaPerm, weights of Adam, shuffled", ours, {"initial_weights": (ShuffledBestOf(adam),)}),
    )


def _he_against_glorot(curves):
    groups, said = grouped(only(curves, method="LaPerm"), "start"), []
    for name in ("uniform", "normal"):
        if {f"he_{name}", f"glorot_{name}"} <= groups.keys():
            he, glorot = ([c.final("test_accuracy") for c in groups[f"{who}_{name}"]] for who in ("he", "glorot"))
            difference = points(statistics.mean(he) - statistics.mean(glorot))
            said.append(
                f"{name}: {difference} points, lowest seed of one minus highest of the other "
                f"{points(min(he) - max(glorot))}"
            )
    return "; ".join(said)


def _against_baselines(curves):
    ours, others = final_mean(only(curves, method="LaPerm", start="he_uniform")), final_means(curves, "method")
    return None if ours is None else differences(ours - others.drop("LaPerm"))


def _second_half(curves):
    """How much a start gains in the second half, on held-out images."""
    gains = {}
    for start in ("he_normal", "glorot_normal", "shuffled"):
        for label, same in by_training(only(curves, method="LaPerm", start=start)).items():
            means = mean_curve(same, by="epochs")
            before = means[means.index <= means.index[-1] / 2]
            if len(before):
                gains[label] = means.iloc[-1] - before.iloc[-1]
    return differences(gains)


def _lowest_error(curves):
    errors = {label: 1 - max(c.final("test_accuracy") for c in same) for label, same in by_training(curves).items()}
    return "; ".join(f"{label}: {percent(error)}" for label, error in errors.items())


FINDINGS = {
    "He's initializations end about 0.1 points above Glorot's.": _he_against_glorot,
    "LaPerm is not worse than Adam and Lookahead (He uniform minus each).": _against_baselines,
    "From shuffled weights of Adam it stops improving after the 25th of 45 epochs (held-out images, gain over the "
    "second half).": _second_half,
    "The lowest test error is about 0.24 %.": _lowest_error,
}

EXPERIMENT = Experiment(
    claim="Conv7 learns MNIST although every 20 steps all its weights go back to their random initial values; He's "
    "initial values end a little above Glorot's.",
    trainings={
        "quick": _trainings(4, 10, QUICK),
        "laptop": _trainings(9, 20, _LAPTOP),
        "paper": _trainings(45, 20, {}),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=accuracies("Conv7 on MNIST: initial weights, right after synchronizations (k = 20)", zoom=True),
    table=table(
        {"LaPerm, He uniform": "99.76 %, best epoch of the best of 5 runs of 45 epochs, chosen on the test set"},
        FINDINGS,
        sync_period=False,
    ),
)
