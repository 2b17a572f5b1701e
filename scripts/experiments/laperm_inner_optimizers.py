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
from scripts.laperm.fields import INNER_NAMES
from scripts.laperm.runs import final_mean, final_means, grouped, only
from scripts.laperm.settings import laperm
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import best_over_worst_sync_period, differences, table
from scripts.publishing.claims import Remark

_RATES = {"adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-3, "sgd": 0.1, "momentum": 0.01}


def _trainings(size, paper_sync_periods=(50, 200, 1000), optimizers=tuple(_RATES)):
    for optimizer in optimizers:
        inner = {"optimizer": {"name": optimizer, "learning_rate": _RATES[optimizer]}}
        name = INNER_NAMES[optimizer]
        yield conv4_of_fig6(f"{name}, alone", size, inner)
        for k in sync_periods(size, paper_sync_periods):
            yield conv4_of_fig6(f"{name}, k = {k}", size, inner, laperm(k))


def _against_alone(curves):
    found = {}
    for name, same in grouped(curves, "inner").items():
        ours, alone = final_means(only(same, method="LaPerm"), "k"), final_mean(only(same, method=name))
        if len(ours) and alone is not None:
            found[name] = ours.max() - alone
    return differences(found)


EXPERIMENT = Experiment(
    claim="Does LaPerm work around other optimizers than Adam too, and how much does k matter then?",
    in_paper=False,
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), ("adamw", "momentum"))),
        "laptop": tuple(_trainings("laptop")),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_over(
        "LaPerm around five optimizers; dashed: alone",
        "k",
        "sync period k",
        lambda known: known["inner"],
    ),
    table=table({}),
    claims=(
        Remark(
            "The paper does not say how much k matters with other optimizers (best minus worst k).",
            best_over_worst_sync_period("inner"),
        ),
        Remark("Nor how LaPerm around them compares with them alone (best k minus alone).", _against_alone),
    ),
)
