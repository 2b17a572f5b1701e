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
from scripts.laperm.runs import final_means, number_in
from scripts.laperm.settings import conv, laperm
from scripts.laperm.sizes import laptop, laptop_sync_period, quick
from scripts.laperm.tables import differences, table


def _trainings(sync_periods, percent, **changes):
    return tuple(
        conv(
            f"k = {k}, p = {p} %",
            **{"model": "conv4", "sparsity": p / 100 if p else None, **laperm(k), **changes},
        )
        for k in sync_periods
        for p in percent
    )


def _larger_minus_smaller(curves):
    by_percent = {}
    for label, mean in final_means(curves).items():
        by_percent.setdefault(number_in(label, "p"), {})[number_in(label, "k")] = mean
    pairs = {f"p = {p} %": (m[max(m)], m[min(m)]) for p, m in by_percent.items() if len(m) > 1}
    return differences(pairs)


EXPERIMENT = Experiment(
    claim="Synchronizing half as often reconnects sparse networks to a higher accuracy.",
    trainings={
        "quick": _trainings((10, 20), (0, 90), epochs=4, **quick()),
        "laptop": _trainings(
            tuple(map(laptop_sync_period, (1000, 2000))),
            (0, 30, 50, 70, 90),
            epochs=15,
            **laptop(width=0.25, dropout=0.0),
        ),
        "paper": _trainings((1000, 2000), range(0, 100, 10), epochs=125),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_by_sparsity("Conv4 on CIFAR-10, pruned at random before training, then reconnected"),
    table=table({}, {"The larger k ends higher (minus the smaller).": _larger_minus_smaller}),
)
