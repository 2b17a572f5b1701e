"""Conv4 on CIFAR-10: five ways to train, three initializations; the Conv4 column of Table 1 and Fig. C.3.

Claim: masks and signs of fixed random weights reach nearly what training the weights reaches, flipping more than
pruning; the minimal variants lose several points and change under a tenth of the connections (Ivan and Florian 2020,
sections 2.2 and 3).

Command: `python -m scripts run connectivities_c3 --data DIR`; then `python -m scripts figure connectivities_c3`.

Settings of table A.2 and the authors' split and scaling; epochs and curves as in `connectivities_c1`. The laptop size
is a quarter as wide, on the first 10,000 training images, for 15 epochs, from the He constant initialization only.
"""

from scripts.connectivities.draw_accuracies import METHODS, drawing, table
from scripts.connectivities.settings import DIGITS, all_methods
from scripts.connectivities.table_1 import FEW, claims
from scripts.experiment import Experiment

_FIGURE = ("conv4", "cifar10")
_LIMITS = (0.2, 0.8)
_HE_CONSTANT = ("signed_he_constant",)

EXPERIMENT = Experiment(
    claim="Conv4 learns CIFAR-10 nearly as well by masks or signs of fixed random weights as by its weights.",
    trainings={
        "quick": all_methods("conv4", 2, DIGITS, initializers=_HE_CONSTANT, width=1 / 16),
        "laptop": all_methods("conv4", 15, {"data": {"limit": 10_000}}, initializers=_HE_CONSTANT, width=0.25),
        "paper": all_methods("conv4", 50),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing(tuple(METHODS), *_FIGURE, _LIMITS),
    table=table(
        {
            "baseline, He constant": "76.04 %, best initialization and epoch",
            "free pruning, He constant": "74.68 %",
            "minimal pruning, He constant": "70.06 %",
            "free flipping, He constant": "75.54 %",
            "minimal flipping, He constant": "69.02 %",
        }
    ),
    claims=claims(
        {
            "baseline": 0.7604,
            "free pruning": 0.7468,
            "minimal pruning": 0.7006,
            "free flipping": 0.7554,
            "minimal flipping": 0.6902,
        },
        FEW,
    ),
)
