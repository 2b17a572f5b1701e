"""Conv2 on CIFAR-10: five ways to train, three initializations; the Conv2 column of Table 1 and Fig. C.4.

Claim: masks and signs of fixed random weights reach nearly what training the weights reaches, flipping more than
pruning; the minimal variants lose several points and change under a tenth of the connections (Ivan and Florian 2020,
sections 2.2 and 3).

Command: `python -m scripts run connectivities_c4 --data DIR`; then `python -m scripts figure connectivities_c4`.

Settings of table A.2 and the authors' split and scaling; epochs and curves as in `connectivities_c1`. The laptop size
is half as wide, for 10 epochs, from the He constant initialization only. The overnight size, by an
estimate nine hours of two cores, is as wide as the paper's, with all images: cut are the other two initializations, and
the last 15 of 50 epochs.
"""

from scripts.connectivities.draw_accuracies import METHODS, drawing, table
from scripts.connectivities.settings import DIGITS, all_methods
from scripts.connectivities.table_1 import FEW, claims
from scripts.experiment import Experiment

_FIGURE = ("conv2", "cifar10")
_LIMITS = (0.5, 0.75)
_HE_CONSTANT = ("signed_he_constant",)

EXPERIMENT = Experiment(
    claim="Conv2 learns CIFAR-10 nearly as well by masks or signs of fixed random weights as by its weights.",
    trainings={
        "quick": all_methods("conv2", 2, DIGITS, initializers=_HE_CONSTANT, width=1 / 16),
        "laptop": all_methods("conv2", 10, initializers=_HE_CONSTANT, width=0.5),
        "overnight": all_methods("conv2", 35, initializers=_HE_CONSTANT),
        "paper": all_methods("conv2", 50),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "overnight": (0, 1), "paper": tuple(range(5))},
    draw=drawing(tuple(METHODS), *_FIGURE, _LIMITS),
    table=table(
        {
            "baseline, He constant": "69.41 %, best initialization and epoch",
            "free pruning, He constant": "68.71 %",
            "minimal pruning, He constant": "66.08 %",
            "free flipping, He constant": "68.94 %",
            "minimal flipping, He constant": "65.46 %",
        }
    ),
    claims=claims(
        {
            "baseline": 0.6941,
            "free pruning": 0.6871,
            "minimal pruning": 0.6608,
            "free flipping": 0.6894,
            "minimal flipping": 0.6546,
        },
        FEW,
    ),
)
