"""All networks from sparse random weights: how much may be removed before training.

Claim: reconnected by LaPerm, all networks of Table 1 reach with up to 70 % of their weights removed at random about
what they reach with all of them, and much less with 90 % removed (Qiu and Suda 2020, section 5.4, Fig. 9).

Command: `python -m scripts run laperm_fig9 --data DIR`; then `python -m scripts figure laperm_fig9`.

Settings of A.5.4 and `laperm_fig5`, `laperm_fig7` and `laperm_fig8`: He uniform, at most 20 % of the first layer
removed; biases and normalization layers are left alone. The paper sweeps k "over a sparse grid" from 200 to 1000 and
takes the largest that does not diverge within 50 epochs: here 200, 500 and 1000, and the picture shows the largest one
whose held-out accuracy in the 50th epoch is above 20 %. Which p the paper has it does not say; here they are ten.
Unlike the paper, 5,000 training images are held out for the curves, and the test set is looked at once. The laptop size
leaves out ResNet50, whose sparse networks are in `laperm_fig8`; the others are a quarter as wide (Conv7: half, Conv13:
an eighth), without dropout, and have 7,000 images, 15 epochs, four p and the one k of a synchronization an epoch.
"""

import functools

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_by_sparsity
from scripts.laperm.runs import largest_sync_periods_that_learn
from scripts.laperm.settings import conv, conv7, laperm, laperm_resnet, removed, resnet50
from scripts.laperm.sizes import QUICK, laptop, laptop_sync_period
from scripts.laperm.tables import minus_dense, table
from scripts.publishing.claims import Claim
from scripts.publishing.names import NETWORK_NAMES
from scripts.publishing.verdicts import CLEARLY_BELOW, as_good
from scripts.running.training import changed

_CONVS = ("conv2", "conv4", "conv13")
_SYNC_PERIODS = (200, 500, 1000)
_PERCENT = range(0, 100, 10)
_LAPTOP_PERCENT = (0, 50, 70, 90)
_chosen = functools.partial(largest_sync_periods_that_learn, epochs=50)


def _trainings(network, percent, sync_periods, epochs, *size):
    own = {"conv7": (conv7, laperm), "resnet50": (resnet50, laperm_resnet)}
    make, method = own.get(network, (functools.partial(conv, model=network), laperm))
    for p in percent:
        for k in sync_periods:
            label = f"{NETWORK_NAMES[network]}, p = {p} %, k = {k}"
            yield changed(make(label, epochs=epochs), *size, removed(p), method(k))


def _on_laptop():
    k = laptop_sync_period(1000)
    for network, width in (("conv7", 0.5), ("conv2", 0.25), ("conv4", 0.25), ("conv13", 0.125)):
        yield from _trainings(network, _LAPTOP_PERCENT, (k,), 15, laptop(width=width, dropout=0.0))


def _on_paper():
    for network, epochs in {"conv7": 45, **dict.fromkeys(_CONVS, 125), "resnet50": 200}.items():
        yield from _trainings(network, _PERCENT, _SYNC_PERIODS, epochs)


CLAIMS = (
    Claim(
        "With up to 70 % removed the accuracy is about that of all weights (minus p = 0 %).",
        minus_dense(range(1, 71), _chosen, "network"),
        as_good(),
    ),
    Claim(
        "With 90 % removed it is much lower (minus p = 0 %).",
        minus_dense(range(71, 100), _chosen, "network"),
        CLEARLY_BELOW,
    ),
)

EXPERIMENT = Experiment(
    claim="All networks are reconnected as well with up to 70 % of their random weights removed as with none removed.",
    trainings={
        "quick": (
            *_trainings("conv4", (0, 90), (10,), 4, QUICK, {"network": {"name": "conv4"}}),
            *_trainings("conv2", (0, 90), (10, 20), 4, QUICK),
        ),
        "laptop": tuple(_on_laptop()),
        "paper": tuple(_on_paper()),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_by_sparsity(
        "pruned at random before training, then reconnected", lambda known: known["network"], _chosen
    ),
    table=table({}),
    claims=CLAIMS,
)
