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
from scripts.laperm.runs import final, final_means, in_epochs, mean_curve
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv7, laperm
from scripts.laperm.sizes import quick
from scripts.laperm.tables import differences, points, table
from scripts.publishing.markdown import percent
from scripts.publishing.results import by_label

HE_UNIFORM, HE_NORMAL = "LaPerm, He uniform", "LaPerm, He normal"
GLOROT_UNIFORM, GLOROT_NORMAL = "LaPerm, Glorot uniform", "LaPerm, Glorot normal"
SHUFFLED = "LaPerm, weights of Adam, shuffled"
_BASELINES = ("Adam", "Lookahead")


def _trainings(sync_period=20, **changes):
    common = {**laperm(sync_period), **changes}
    he_normal = {"kernel_initializer": "he_normal", **changes}
    return (
        conv7(HE_UNIFORM, **common),
        conv7(HE_NORMAL, kernel_initializer="he_normal", **common),
        conv7(GLOROT_UNIFORM, kernel_initializer="glorot_uniform", **common),
        conv7(GLOROT_NORMAL, kernel_initializer="glorot_normal", **common),
        conv7("Adam", **ADAM, keep_best=True, **he_normal),
        conv7("Lookahead", **LOOKAHEAD, **he_normal),
        conv7(SHUFFLED, starts_from="Adam", **common),
    )


def _he_against_glorot(curves):
    groups, said = by_label(curves), []
    for name, he, glorot in (("uniform", HE_UNIFORM, GLOROT_UNIFORM), ("normal", HE_NORMAL, GLOROT_NORMAL)):
        if {he, glorot} <= groups.keys():
            above, below = ([final(curve, "test_accuracy") for curve in groups[label]] for label in (he, glorot))
            difference = points(statistics.mean(above) - statistics.mean(below))
            said.append(
                f"{name}: {difference} points, lowest seed of one minus highest of the other "
                f"{points(min(above) - max(below))}"
            )
    return "; ".join(said)


def _against_baselines(curves):
    means = final_means(curves)
    return differences({n: (means[HE_UNIFORM], means[n]) for n in _BASELINES if {n, HE_UNIFORM} <= means.keys()})


def _second_half(curves):
    """How much a start gains in the second half, on held-out images."""
    gains = {}
    for label, same in by_label(in_epochs(curves)).items():
        epochs, means = mean_curve(same)
        before = [mean for epoch, mean in zip(epochs, means, strict=True) if epoch <= epochs[-1] / 2]
        if before and label in (SHUFFLED, GLOROT_NORMAL, HE_NORMAL):
            gains[label] = (means[-1], before[-1])
    return differences(gains)


def _lowest_error(curves):
    errors = {label: 1 - max(final(c, "test_accuracy") for c in same) for label, same in by_label(curves).items()}
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
        "quick": _trainings(sync_period=10, **quick(epochs=4)),
        "laptop": _trainings(epochs=9, model_arguments={"width": 0.5}, train_evaluation=5000, evaluate_every=550),
        "paper": _trainings(),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=accuracies("Conv7 on MNIST: initial weights, right after synchronizations (k = 20)", zoom=True),
    table=table(
        {HE_UNIFORM: "99.76 %, best epoch of the best of 5 runs of 45 epochs, chosen on the test set"}, FINDINGS
    ),
)
