"""Conv4 on CIFAR-10 from sparse random weights, with k = 1000 and k = 2000.

Claim: a larger k than that of `laperm_fig9`, 2000, ends higher, the more so the more weights are removed (Qiu and Suda
2020, A.5.0, Fig. 15).

Command: `python -m scripts run laperm_fig15 --data DIR`; then `python -m scripts figure laperm_fig15`.

Settings of A.5.4, as in `laperm_fig9`, for 125 epochs. Which p the paper has it does not say; here they are ten.
Unlike the paper, 5,000 training images are held out for the curves, and the test set is looked at once. The laptop size
is a quarter as wide, without dropout, and has 7,000 images, 15 epochs and five p; the two k synchronize as often in an
epoch as the paper's.
"""

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_by_sparsity
from scripts.laperm.runs import final_values, grouped
from scripts.laperm.settings import conv, laperm, removed
from scripts.laperm.sizes import QUICK, laptop, laptop_sync_period
from scripts.laperm.tables import minus, table
from scripts.publishing.claims import Claim, in_points
from scripts.publishing.verdicts import ABOVE


def _trainings(sync_periods, percent, epochs, *size):
    return tuple(
        conv(f"k = {k}, p = {p} %", "conv4", epochs, *size, removed(p), laperm(k))
        for k in sync_periods
        for p in percent
    )


def _larger_minus_smaller(curves):
    values = {k: final_values(same, "p") for k, same in grouped(curves, "k").items()}
    return in_points(minus(values[max(values)], values[min(values)], "p = {} %")) if len(values) > 1 else {}


EXPERIMENT = Experiment(
    claim="Synchronizing half as often reconnects sparse networks to a higher accuracy.",
    trainings={
        "quick": _trainings((10, 20), (0, 90), 4, QUICK),
        "laptop": _trainings(
            tuple(map(laptop_sync_period, (1000, 2000))),
            (0, 30, 50, 70, 90),
            15,
            laptop(width=0.25, dropout=0.0),
        ),
        "paper": _trainings((1000, 2000), range(0, 100, 10), 125),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_by_sparsity(
        "pruned at random before training, then reconnected", lambda known: f"k = {known['k']}"
    ),
    table=table({}),
    claims=(Claim("The larger k ends higher (minus the smaller).", _larger_minus_smaller, ABOVE),),
)
