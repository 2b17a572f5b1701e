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

import statistics

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_over
from scripts.laperm.fields import fields
from scripts.laperm.initial_weights import ReducePrecision
from scripts.laperm.runs import final_mean, only
from scripts.laperm.settings import ADAM, laperm
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import best_over_worst_sync_period, differences, table
from scripts.publishing.claims import Remark
from scripts.publishing.curves import by_training
from scripts.publishing.tables import percent

_NAMES = {None: "32 bits", 8: "8 bits", 4: "4 bits", "signs": "+c and -c", "binary": "0 and c"}
_USUAL_RATE, _FAST_RATE = 0.001, 0.01


def _name(known):
    """What is said of the initial weights."""
    return _NAMES[known["precision"]]


def _name_and_rate(known):
    """The same, and the rate where that is not the usual one."""
    return _name(known) + (f" at rate {_FAST_RATE}" if known["rate"] == _FAST_RATE else "")


def _trainings(size, paper_sync_periods, precisions=tuple(_NAMES), fast=(None, "signs", "binary")):
    for some, rate in ((precisions, _USUAL_RATE), (fast, _FAST_RATE)):
        at_rate = {"optimizer": {"learning_rate": rate}}
        name = _name_and_rate({"precision": None, "rate": rate})
        yield conv4_of_fig6(f"{name}, Adam alone", size, at_rate, ADAM)
        for precision in some:
            start = {"initial_weights": (ReducePrecision(precision),) if precision else ()}
            name = _name_and_rate({"precision": precision, "rate": rate})
            for k in sync_periods(size, paper_sync_periods):
                yield conv4_of_fig6(f"{name}, k = {k}", size, start, at_rate, laperm(k))


def _against_full(curves):
    found = {}
    for label, same in by_training(only(curves, method="LaPerm")).items():
        known = fields(same[0].training)
        full = only(curves, precision=None, k=known["k"], rate=known["rate"])
        if full and known["precision"]:
            found[label] = final_mean(same) - final_mean(full)
    return differences(found)


def _moved(curves):
    """How many weights LaPerm moved."""
    measured = by_training([curve for curve in only(curves, method="LaPerm") if "moved" in curve.summary])
    return "; ".join(
        f"{label}: {percent(statistics.mean(curve.summary['moved'] for curve in same))}"
        for label, same in measured.items()
    )


def _drawing(rate):
    what = f"initial weights of few values, at a rate of {rate}; dashed: Adam"
    draw = accuracies_over(what, "k", "sync period k", _name, tuple(_NAMES.values()))
    return lambda figure, curves: draw(figure, only(curves, rate=rate))


EXPERIMENT = Experiment(
    claim="Can weights of few bits, or of one magnitude, be reconnected? The paper does so in dense networks only.",
    in_paper=False,
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), (None, 4, "binary"), (None, "binary"))),
        "laptop": tuple(_trainings("laptop", (200, 1000, 2000))),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=_drawing(_USUAL_RATE),
    more_pictures={"laperm_low_precision_rate": _drawing(_FAST_RATE)},
    table=table({}),
    claims=(
        Remark("The paper does not say what low precision costs (minus 32 bits with the same k).", _against_full),
        Remark("Nor whether k matters more then (best minus worst k).", best_over_worst_sync_period(_name_and_rate)),
        Remark(
            "Nor how many weights are moved (share of the kernels' weights with another value than at first).", _moved
        ),
    ),
)
