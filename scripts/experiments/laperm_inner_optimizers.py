"""Conv4 on CIFAR-10: LaPerm around other optimizers than Adam, by the sync period k.

Asked by review 1: "LAPerm is only applied using Adam as the inner optimizer [...] Does using a different optimizer
affect sensitivity to the sync period k?" The paper has no such experiment.

Command: `python -m scripts run laperm_inner_optimizers --data DIR`; then
`python -m scripts figure laperm_inner_optimizers`.

Settings of `laperm_fig6`. The optimizers have Keras' defaults but for their rates: 0.001 of Adam, AdamW (weight decay
0.004) and RMSprop; 0.1 of SGD, and 0.01 with momentum 0.9, which goes as far. They were not tuned. "Alone" is the
inner optimizer without LaPerm, from the same weights. The laptop size is a quarter as wide, without dropout, has 7,000
images and 9 epochs, half of `laperm_fig6`'s. The quick size is a small Conv2 on digits.
"""

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_over
from scripts.laperm.runs import final_means, number_in
from scripts.laperm.settings import laperm
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import best_over_worst_sync_period, differences, table

_OPTIMIZERS = {
    "Adam": ("adam", 1e-3),
    "AdamW": ("adamw", 1e-3),
    "RMSprop": ("rmsprop", 1e-3),
    "SGD": ("sgd", 0.1),
    "SGD with momentum": ("momentum", 0.01),
}
_ALONE = "alone"


def _trainings(size, paper_sync_periods=(50, 200, 1000), optimizers=tuple(_OPTIMIZERS)):
    for name in optimizers:
        optimizer, rate = _OPTIMIZERS[name]
        yield conv4_of_fig6(f"{name}, {_ALONE}", size, optimizer=optimizer, learning_rate=rate)
        for k in sync_periods(size, paper_sync_periods):
            yield conv4_of_fig6(f"{name}, k = {k}", size, inner_optimizer=optimizer, learning_rate=rate, **laperm(k))


def _against_alone(curves):
    found = {}
    for label, mean in final_means(curves).items():
        found.setdefault(label.split(", ")[0], {})[number_in(label, "k")] = mean
    pairs = {
        name: (max(mean for k, mean in means.items() if k), means[None])
        for name, means in found.items()
        if None in means and len(means) > 1
    }
    return differences(pairs)


EXPERIMENT = Experiment(
    claim="LaPerm also works around other optimizers than Adam; how much k matters depends on them.",
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), ("AdamW", "SGD with momentum"))),
        "laptop": tuple(_trainings("laptop")),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_over("Conv4 on CIFAR-10: LaPerm around five optimizers; dashed: alone", "k", "sync period k"),
    table=table(
        {},
        {
            "The paper does not say how much k matters with other optimizers (best minus worst k).": (
                best_over_worst_sync_period
            ),
            "Nor how LaPerm around them compares with them alone (best k minus alone).": _against_alone,
        },
    ),
)
