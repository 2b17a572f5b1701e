"""ResNet50 on CIFAR-10 without what batch normalization knows: gamma and beta are reset at every synchronization.

Claim: resetting gamma to 1 and beta to 0 at each synchronization costs about one point: the weights' locations hold
most of what was learned (Qiu and Suda 2020, A.5.6, Fig. 16).

Command: `python -m scripts run laperm_fig16 --data DIR`; then `python -m scripts figure laperm_fig16`.

Settings of A.5.4 and A.5.6, as in `laperm_fig8`: k = 800, all weights, three repeats. The moving means and variances
of batch normalization are not reset: the paper says gamma and beta only. Unlike the paper, 5,000 training images are
held out for the curves, and the test set is looked at once. The laptop size is a quarter as wide and
has 4,500 images and 20 epochs, as in `laperm_fig8`; k synchronizes as often in an epoch as the paper's.
"""

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies
from scripts.laperm.resnet_findings import changes_between_evaluations
from scripts.laperm.runs import final, final_means
from scripts.laperm.settings import laperm_resnet, resnet50
from scripts.laperm.sizes import laptop_of_resnet50, quick
from scripts.laperm.tables import points, table
from scripts.publishing.results import by_label

USUAL, RESET = "LaPerm", "LaPerm, gamma-beta reset"


def _trainings(sync_period, **changes):
    return (
        resnet50(USUAL, **laperm_resnet(sync_period), **changes),
        resnet50(RESET, **laperm_resnet(sync_period, skip_batch_norm=False), **changes),
    )


def _cost(curves):
    means, groups = final_means(curves), by_label(curves)
    if means.keys() != {USUAL, RESET}:
        return None
    at_end = {label: {curve.seed: final(curve, "test_accuracy") for curve in same} for label, same in groups.items()}
    each = [at_end[RESET][seed] - value for seed, value in at_end[USUAL].items() if seed in at_end[RESET]]
    return f"{points(means[RESET] - means[USUAL])} points; seed by seed {', '.join(map(points, each))}"


EXPERIMENT = Experiment(
    claim="Resetting what batch normalization has learned at every synchronization costs about one point.",
    trainings={
        "quick": _trainings(10, epochs=5, **quick(model_arguments={"width": 1 / 8, "dropout": 0.0})),
        "laptop": _trainings(72, **laptop_of_resnet50()),
        "paper": _trainings(800),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies("ResNet50 on CIFAR-10: gamma and beta kept, or reset at each synchronization"),
    table=table(
        {},
        {
            "The reset costs about 1 point.": _cost,
            "Before the first drop of the rate LaPerm is unstable (mean change of the held-out accuracy from one "
            "evaluation to the next, before and after the drop).": changes_between_evaluations,
        },
    ),
)
