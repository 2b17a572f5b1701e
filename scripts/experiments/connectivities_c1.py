"""LeNet on MNIST: five ways to train, three initializations; the LeNet column of Table 1, Fig. 1, 6 and C.1.

Claim: which connections there are, or which signs they have, can be trained instead of the weights, and reaches what
training the weights reaches; with under a tenth of the connections changed it comes within about a point of that (Ivan
and Florian 2020, sections 2.2 and 3).

Command: `python -m scripts run connectivities_c1 --jit --data DIR`; then `python -m scripts figure connectivities_c1`.

Settings of table A.2 and the authors' split and scaling. The paper does not say how many epochs there are, nor of which
images its curves are. Ours are of 5,000 held-out training images, and the test set is looked at twice, after the last
epoch and with the weights of the best held-out one. The minimal objectives average over the whole network, as the paper
says; the table has them with the mean over layers of the authors' code too. The laptop size has 40 epochs and 3 seeds.
"""

from scripts.connectivities.draw_accuracies import METHODS, drawing, table
from scripts.connectivities.settings import DIGITS, all_methods, training
from scripts.connectivities.table_1 import claims
from scripts.experiment import Experiment
from scripts.publishing.verdicts import at_most, number

_FIGURE = ("lenet_300_100", "mnist")
_LIMITS = (0.96, 0.988)
_HE_CONSTANT = ("signed_he_constant",)
_PRUNING = ("baseline", "free pruning", "minimal pruning")
_FLIPPING = ("baseline", "free flipping", "minimal flipping")


def _trainings(epochs):
    by_layer = (
        training(f"{method} by layer, He constant", method, "lenet_300_100", epochs, {"network": {"average": "layer"}})
        for method in ("minimal pruning", "minimal flipping")
    )
    return (*all_methods("lenet_300_100", epochs), *by_layer)


EXPERIMENT = Experiment(
    claim="LeNet learns MNIST as well by masks or signs of fixed random weights as by its weights.",
    trainings={
        "quick": all_methods("lenet_300_100", 2, DIGITS, initializers=_HE_CONSTANT, width=0.1),
        "laptop": _trainings(40),
        "paper": _trainings(100),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing(tuple(METHODS), *_FIGURE, _LIMITS),
    more_pictures={
        "connectivities_fig1": drawing(_PRUNING, *_FIGURE, _LIMITS, ", pruning"),
        "connectivities_fig6": drawing(_FLIPPING, *_FIGURE, _LIMITS, ", sign flipping"),
    },
    table=table(
        {
            "baseline, He constant": "97.96 %, best initialization and epoch",
            "free pruning, He constant": "98.05 %; about 45 % removed",
            "minimal pruning, He constant": "96.83 %; less than 8 % removed",
            "free flipping, He constant": "98.14 %",
            "minimal flipping, He constant": "97.22 %",
        }
    ),
    claims=claims(
        {
            "baseline": 0.9796,
            "free pruning": 0.9805,
            "minimal pruning": 0.9683,
            "free flipping": 0.9814,
            "minimal flipping": 0.9722,
        },
        {"free pruning": number(0.45, origin=None), "minimal pruning": at_most(0.08), "minimal flipping": at_most(0.1)},
    ),
)
