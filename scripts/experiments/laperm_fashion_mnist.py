"""Conv7 on Fashion-MNIST: another data set, harder than MNIST.

The paper has MNIST and CIFAR-10 only; a reader wants to know whether Fig. 5 is a matter of an easy data set.

Command: `python -m scripts run laperm_fashion_mnist --data DIR`; then `python -m scripts figure laperm_fashion_mnist`.

Settings of `laperm_fig5`, from He uniform; k = 20 as there, and k = 1000, one synchronization in about an epoch. The
images are mirrored too, as clothes may be. The laptop size is half as wide, for 9 epochs of 15,000 images; the quick
size is a small Conv2 on digits.
"""

import dataclasses

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies
from scripts.laperm.runs import final_means
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv7, laperm
from scripts.laperm.sizes import quick
from scripts.laperm.tables import differences, table

_BASELINES = ("Adam", "Lookahead")


def _trainings(all_k, **changes):
    changes = {"dataset": "fashion_mnist", **changes}
    if "augmentation" not in changes:
        changes["augmentation"] = dataclasses.replace(conv7("").augmentation, horizontal_flip=True)
    return (
        conv7("Adam", **{**ADAM, **changes}),
        conv7("Lookahead", **{**LOOKAHEAD, **changes}),
        *(conv7(f"LaPerm, k = {k}", **{**laperm(k), **changes}) for k in all_k),
    )


def _against(baseline):
    def differ(curves):
        means = final_means(curves)
        other = means.get(baseline)
        return other and differences({n: (mean, other) for n, mean in means.items() if n not in _BASELINES})

    return differ


EXPERIMENT = Experiment(
    claim="What LaPerm does on MNIST it does on Fashion-MNIST: it ends about where Adam and Lookahead do.",
    trainings={
        "quick": _trainings((10, 20), **quick(epochs=4)),
        "laptop": _trainings(
            (20, 300),
            epochs=9,
            model_arguments={"width": 0.5},
            train_limit=15_000,
            train_evaluation=5000,
            evaluate_every=300,
        ),
        "paper": _trainings((20, 1000)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=accuracies("Conv7 on Fashion-MNIST, LaPerm right after synchronizations", zoom=True),
    table=table(
        {},
        {
            "On MNIST LaPerm is not worse than Adam (minus Adam).": _against("Adam"),
            "Nor than Lookahead (minus Lookahead).": _against("Lookahead"),
        },
    ),
)
