"""Conv4 on CIFAR-10: reconnecting initial weights of few bits, or of one magnitude.

Asked by review 1: "What if you initialize with low-precision weights? Or binary 0-1 weights? Does LAPerm allow one to
learn such networks? Would the sync period be even more critical for these tasks?" The paper has shared weights in dense
networks only (section 5.5).

Command: `python -m scripts run laperm_low_precision --data DIR`; then `python -m scripts figure laperm_low_precision`.

Settings of `laperm_fig6`, with the He uniform weights rounded before training: to 8 bits, to 4 bits, to the signs times
one constant for each kernel, or to that constant where they are positive and 0 elsewhere (see
`train_by_reconnect.reduce_precision`). Biases are not rounded. Equal weights keep their order, so that what is permuted
are the places of each value. A weight takes another value only if it passes the gap between the two within k steps, for
which Adam's usual ones may be too short; so 32 bits and the weights of one magnitude are trained at ten times the rate
too, 0.01. The laptop size is a quarter as wide, without dropout, has 7,000 images and 9 epochs, half of
`laperm_fig6`'s. The quick size is a small Conv2 on digits.
"""

import dataclasses
import statistics

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_over
from scripts.laperm.runs import final_means, number_in
from scripts.laperm.settings import ADAM, laperm
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import best_over_worst_sync_period, differences, table
from scripts.publishing.markdown import percent
from scripts.publishing.results import by_label

_FULL = "32 bits"
_PRECISIONS = {_FULL: None, "8 bits": 8, "4 bits": 4, "+c and -c": "signs", "0 and c": "binary"}
_AT_FAST_RATE, _FAST_RATE = " at rate 0.01", 0.01


def _trainings(size, paper_sync_periods, precisions=tuple(_PRECISIONS), fast=(_FULL, "+c and -c", "0 and c")):
    for names, at_rate, rate in ((precisions, "", 1e-3), (fast, _AT_FAST_RATE, _FAST_RATE)):
        yield conv4_of_fig6(f"{_FULL}{at_rate}, Adam alone", size, learning_rate=rate, **ADAM)
        for name in names:
            for k in sync_periods(size, paper_sync_periods):
                settings = {"weight_precision": _PRECISIONS[name], "learning_rate": rate, **laperm(k)}
                yield conv4_of_fig6(f"{name}{at_rate}, k = {k}", size, **settings)


def _against_full(curves):
    means = final_means(curves)
    pairs = {}
    for label, mean in means.items():
        name = label.split(", ")[0].removesuffix(_AT_FAST_RATE)
        full = label.replace(name, _FULL, 1)
        if full in means and label != full:
            pairs[label] = (mean, means[full])
    return differences(pairs)


def _moved(curves):
    """How many weights LaPerm moved."""
    measured = by_label([c for c in curves if number_in(c.label, "k") and "moved" in c.summary])
    return "; ".join(
        f"{label}: {percent(statistics.mean(curve.summary['moved'] for curve in same))}"
        for label, same in measured.items()
    )


def _drawing(is_fast, rate):
    title = f"Conv4 on CIFAR-10: initial weights of few values, at a rate of {rate}; dashed: Adam"
    draw = accuracies_over(title, "k", "sync period k", tuple(_PRECISIONS))

    def draw_some(figure, curves):
        chosen = [curve for curve in curves if (_AT_FAST_RATE in curve.label) == is_fast]
        draw(figure, [dataclasses.replace(c, label=c.label.replace(_AT_FAST_RATE, "")) for c in chosen])

    return draw_some


EXPERIMENT = Experiment(
    claim="Can weights of few bits, or of one magnitude, be reconnected? The paper does so in dense networks only.",
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), (_FULL, "4 bits", "0 and c"), (_FULL, "0 and c"))),
        "laptop": tuple(_trainings("laptop", (200, 1000, 2000))),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=_drawing(False, 0.001),
    more_pictures={"laperm_low_precision_rate": _drawing(True, _FAST_RATE)},
    table=table(
        {},
        {
            "The paper does not say what low precision costs (minus 32 bits with the same k).": _against_full,
            "Nor whether k matters more then (best minus worst k).": best_over_worst_sync_period,
            "Nor how many weights are moved (share of the kernels' weights with another value than at first).": _moved,
        },
    ),
)
