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
from scripts.laperm.runs import by_seed, only
from scripts.laperm.settings import laperm_resnet, resnet50
from scripts.laperm.sizes import LAPTOP_RESNET50, OVERNIGHT_RESNET, QUICK
from scripts.laperm.tables import table
from scripts.publishing.claims import Claim, Ours
from scripts.publishing.tables import points
from scripts.publishing.verdicts import ABOVE, number

# With batch normalization, which the experiment is about.
_QUICK = {"network": {"arguments": {"width": 1 / 8, "dropout": 0.0}}}


def _trainings(sync_period, epochs, *size):
    return (
        resnet50("LaPerm", epochs, *size, laperm_resnet(sync_period)),
        resnet50("LaPerm, gamma-beta reset", epochs, *size, laperm_resnet(sync_period, skip_batch_norm=False)),
    )


def _cost(curves):
    reset, kept = (only(curves, norm_reset=is_reset) for is_reset in (True, False))
    each = (by_seed(reset) - by_seed(kept)).dropna()
    if each.empty:
        return {}
    return {"": Ours(tuple(each), f"{points(each.mean())} points; seed by seed {', '.join(map(points, each))}")}


EXPERIMENT = Experiment(
    claim="Resetting what batch normalization has learned at every synchronization costs about one point.",
    trainings={
        "quick": _trainings(10, 5, QUICK, _QUICK),
        "laptop": _trainings(72, 20, LAPTOP_RESNET50),
        # Fewer blocks and epochs, as in `laperm_fig8`.
        "overnight": _trainings(800, 20, OVERNIGHT_RESNET),
        "paper": _trainings(800, 200),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "overnight": (0, 1), "paper": (0, 1, 2)},
    draw=accuracies("gamma and beta kept, or reset at each synchronization"),
    table=table({}, sync_period=False),
    claims=(
        Claim("The reset costs about 1 point.", _cost, number(-0.01)),
        Claim(
            "Before the first drop of the rate LaPerm is unstable (mean change of the held-out accuracy from one "
            "evaluation to the next, before and after the drop).",
            changes_between_evaluations,
            ABOVE,
        ),
    ),
)
