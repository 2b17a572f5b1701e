"""Conv4 on CIFAR-10: the sync period k.

Claim: the larger k, the slower the start and the better the end; k = 1 is clearly worse than all others; with large k
the accuracy falls sharply at synchronizations early on, and hardly any is lost at last. With half of the weights
removed at random nothing is lost, and k of 200 or more is well above Adam with the zeros frozen. A single
synchronization at the very end gives 13.8 % (Qiu and Suda 2020, section 5.2, 5.4 and A.5.3, Fig. 6). Review 2 asks
besides which predictions change when the weights are reconnected.

Command: `python -m scripts run laperm_fig6 --data DIR`; then `python -m scripts figure laperm_fig6`.

Settings of A.5.3: He uniform, batch 50, 90 epochs, the rate multiplied by 0.6 at every 10th. The paper's k = 90,000 is
all of its steps; ours is all of ours, so that the accuracy just before it is seen too. Unlike the paper, 5,000 training
images are held out for the curves, so that an epoch has 900 steps, and the test set is looked at once; training
accuracies are of 30,000 random training images, as in the paper. The laptop size is a quarter as wide, without
dropout (which would leave such a network too little), has 7,000 images, 18 epochs and five k, which synchronize as
often in an epoch as the paper's 50, 200, 1000 and 2000, and k = 1, which stays what it is. The quick size is a small
Conv2 on digits. The overnight size is half as wide, with dropout and all images; see there for what is cut.
"""

from scripts.experiment import Experiment
from scripts.laperm.draw_sync_periods import draw, draw_training
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv, laperm, observed_by, removed
from scripts.laperm.sizes import LAPTOP_STEPS, QUICK, laptop, laptop_sync_period
from scripts.laperm.sync_answers import answers, draw_answers
from scripts.laperm.sync_period_findings import CLAIMS, FROZEN, ONCE
from scripts.laperm.tables import table
from scripts.publishing.claims import Remark
from scripts.running.observers import ZerosKept

_PAPER_SYNC_PERIODS = (1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def _trainings(dense, sparse, epochs, steps, *size):
    def training(label, *changes):
        return conv(label, "conv4", epochs, *size, *changes, paper_epochs=90)

    from_both_sides = {"evaluation": {"before": True, "compare": True}}
    return (
        *(training(f"k = {k}", laperm(k), from_both_sides) for k in dense),
        training(ONCE, laperm(steps * epochs), from_both_sides),
        *(training(f"p = 50 %, k = {k}", laperm(k), removed(50)) for k in sparse),
        training(FROZEN, ADAM, removed(50), observed_by(ZerosKept())),
    )


def _on_laptop():
    dense = tuple(map(laptop_sync_period, (1, 50, 200, 1000, 2000)))
    return _trainings(dense, dense[1:], 18, LAPTOP_STEPS, laptop(width=0.25, dropout=0.0))


def _overnight():
    """Conv4 where it has learned, in ten hours of two cores, by an estimate.

    Cut from the paper's: half of the filters and units, 25 of 90 epochs, the rate dropping at the same fractions of
    them; five of ten k with all weights and one with half of them removed; no single synchronization at the end;
    training accuracies of 5,000 images. Other rates than the paper's are tried in `equal_budget`.
    """

    def training(label, *changes):
        size = {"network": {"arguments": {"width": 0.5}}, "evaluation": {"train_images": 5000}}
        return conv(label, "conv4", 25, size, *changes, paper_epochs=90)

    from_both_sides = {"evaluation": {"before": True, "compare": True}}
    return (
        training("Adam", ADAM),
        training("Lookahead", LOOKAHEAD),
        *(training(f"k = {k}", laperm(k), from_both_sides) for k in (1, 20, 100, 1000, 2000)),
        *(training(f"p = {p} %, k = 1000", laperm(1000), removed(p)) for p in (50, 70)),
        training(FROZEN, ADAM, removed(50), observed_by(ZerosKept())),
    )


EXPERIMENT = Experiment(
    claim="The larger the sync period k, the slower the start and the better the end, also with half of the weights "
    "removed; one synchronization at the very end destroys what was learned.",
    trainings={
        "quick": _trainings((1, 10, 20), (10, 20), 6, 20, QUICK, {"evaluation": {"every": 10}}),
        "laptop": _on_laptop(),
        "overnight": _overnight(),
        "paper": _trainings(_PAPER_SYNC_PERIODS, _PAPER_SYNC_PERIODS, 90, 900),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "overnight": (0, 1), "paper": (0, 1, 2)},
    draw=draw,
    more_pictures={"laperm_fig6_training": draw_training, "laperm_fig6_answers": draw_answers},
    table=table({ONCE: "13.8 %, mean"}),
    claims=(
        *CLAIMS,
        Remark(
            "Which answers the last synchronization changes, the paper does not say (review 2; held-out images).",
            answers,
        ),
    ),
)
