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
from scripts.laperm.runs import by_seed, final_values, only
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv7, laperm
from scripts.laperm.sizes import QUICK
from scripts.laperm.tables import minus, table
from scripts.publishing.claims import Claim, in_points
from scripts.publishing.verdicts import no_worse

_MIRRORED = dataclasses.replace(conv7("", 45).data.augmentation, horizontal_flip=True)
_CLOTHES = {"data": {"name": "fashion_mnist", "augmentation": _MIRRORED}}
_LAPTOP = {
    "data": {"limit": 15_000},
    "network": {"arguments": {"width": 0.5}},
    "evaluation": {"train_images": 5000, "every": 300},
}


def _trainings(all_k, epochs, *size):
    return (
        conv7("Adam", epochs, _CLOTHES, *size, ADAM),
        conv7("Lookahead", epochs, _CLOTHES, *size, LOOKAHEAD),
        *(conv7(f"LaPerm, k = {k}", epochs, _CLOTHES, *size, laperm(k)) for k in all_k),
    )


def _against(baseline):
    def differ(curves):
        ours, other = only(curves, method="LaPerm"), only(curves, method=baseline)
        return in_points(minus(final_values(ours, "label"), by_seed(other)))

    return differ


EXPERIMENT = Experiment(
    claim="Does LaPerm end about where Adam and Lookahead do on Fashion-MNIST too, as the paper claims of MNIST?",
    in_paper=False,
    trainings={
        "quick": _trainings((10, 20), 4, QUICK),
        "laptop": _trainings((20, 300), 9, _LAPTOP),
        "paper": _trainings((20, 1000), 45),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=accuracies("LaPerm right after synchronizations", zoom=True),
    table=table({}),
    claims=(
        Claim("On MNIST LaPerm is not worse than Adam (minus Adam).", _against("Adam"), no_worse()),
        Claim("Nor is it worse than Lookahead (minus Lookahead).", _against("Lookahead"), no_worse()),
    ),
)
