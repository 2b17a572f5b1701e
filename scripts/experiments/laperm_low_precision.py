"""Conv4 on CIFAR-10: reconnecting initial weights of few bits, or of one magnitude.

Asked by review 1: "What if you initialize with low-precision weights? Or binary 0-1 weights? Does LAPerm allow one to
learn such networks? Would the sync period be even more critical for these tasks?" The paper has shared weights in dense
networks only (section 5.5).

Command: `python -m scripts run laperm_low_precision --data DIR`; then `python -m scripts figure laperm_low_precision`.

Settings of `laperm_fig6`, with the He uniform weights rounded before training: to 8 bits, to 4 bits, to the signs times
one constant for each kernel, or to that constant where they are positive and 0 elsewhere (see
`train_by_reconnect.reduce_precision`). Biases are not rounded. Equal weights keep their order, so that what is permuted
are the places of each value. The laptop size is a quarter as wide, without dropout, has 7,000 images and 9 epochs, half
of `laperm_fig6`'s. The quick size is a small Conv2 on digits.
"""

import statistics

from scripts.draw_laperm import accuracies_over
from scripts.experiment import Experiment
from scripts.laperm_runs import final_means, number_in
from scripts.laperm_settings import ADAM, laperm
from scripts.laperm_sizes import conv4_of_fig6, sync_periods
from scripts.laperm_tables import best_over_worst_sync_period, differences, table
from scripts.markdown import percent
from scripts.results import by_label

_FULL = "32 bits"
_PRECISIONS = {_FULL: None, "8 bits": 8, "4 bits": 4, "+c and -c": "signs", "0 and c": "binary"}


def _trainings(size, paper_sync_periods=(50, 200, 1000), precisions=tuple(_PRECISIONS)):
    yield conv4_of_fig6(f"{_FULL}, Adam alone", size, **ADAM)
    for name in precisions:
        for k in sync_periods(size, paper_sync_periods):
            yield conv4_of_fig6(f"{name}, k = {k}", size, weight_precision=_PRECISIONS[name], **laperm(k))


def _against_full(curves):
    means = final_means(curves)
    pairs = {}
    for label, mean in means.items():
        full = f"{_FULL}, k = {number_in(label, 'k')}"
        if full in means and label != full:
            pairs[label] = (mean, means[full])
    return differences(pairs)


def _moved(curves):
    """How many weights LaPerm moved: where many are equal, one has to pass the gap to the next value within k steps."""
    measured = by_label([c for c in curves if number_in(c.label, "k") and "moved" in c.summary])
    return "; ".join(
        f"{label}: {percent(statistics.mean(curve.summary['moved'] for curve in same))}"
        for label, same in measured.items()
    )


EXPERIMENT = Experiment(
    claim="Can weights of few bits, or of one magnitude, be reconnected? The paper does so in dense networks only.",
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), (_FULL, "4 bits", "0 and c"))),
        "laptop": tuple(_trainings("laptop", (200, 1000, 2000))),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_over("Conv4 on CIFAR-10: initial weights of few values; dashed: Adam", "k", "sync period k"),
    table=table(
        {},
        {
            "The paper does not say what low precision costs (minus 32 bits with the same k).": _against_full,
            "Nor whether k matters more then (best minus worst k).": best_over_worst_sync_period,
            "Nor how many weights are moved (share of the kernels' weights with another value than at first).": _moved,
        },
    ),
)
