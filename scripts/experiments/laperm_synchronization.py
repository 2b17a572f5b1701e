"""Conv4 on CIFAR-10: k that follows the learning rate, and an inner optimizer that forgets at synchronizations.

Claims: "Adjusting the sync period w.r.t. the learning rate would also be an interesting direction" (Qiu and Suda 2020,
section 7); "a schedule designed for k can further improve the performance" (A.5.0). Whether the moments of Adam, which
belong to the weights before a synchronization, should survive it, the paper does not ask: it keeps them.

Command: `python -m scripts run laperm_synchronization --data DIR`; then
`python -m scripts figure laperm_synchronization`.

Settings of `laperm_fig6`. Where k is tied to the rate, it is multiplied by whatever the rate is divided by, 60 in the
end, so that the weights go about as far between synchronizations in every epoch. Where the inner optimizer forgets, its
moments and the number of its steps are reset (`reset_inner_state` of `LaPerm`). The laptop size is a quarter as wide,
without dropout, has 7,000 images and 9 epochs, half of `laperm_fig6`'s. The quick size is a small Conv2 on digits.
"""

import dataclasses

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies, accuracies_over
from scripts.laperm.runs import final_means, number_in
from scripts.laperm.settings import laperm
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import differences, table

_KEPT, _RESET, _TIED = "state kept", "state reset", "tied to the rate"


def _trainings(size, paper_sync_periods=(50, 200, 1000)):
    constant = sync_periods(size, paper_sync_periods)
    for k in constant:
        yield conv4_of_fig6(f"{_KEPT}, k = {k}", size, **laperm(k))
    for k in constant:
        yield conv4_of_fig6(f"{_RESET}, k = {k}", size, **laperm(k, reset_inner_state=True))
    for k in constant[:-1]:
        label = f"{_TIED}, k = {k} at first"
        yield conv4_of_fig6(label, size, sync_period_follows_rate=True, **laperm(k))


def _pairs(curves, first, second):
    means = {(label.split(", ")[0], number_in(label, "k")): mean for label, mean in final_means(curves).items()}
    return {
        f"k = {k}": (mean, means[second, k])
        for (name, k), mean in means.items()
        if name == first and (second, k) in means
    }


def _tied_to_the_rate(curves):
    means = final_means(curves)
    constant = [mean for label, mean in means.items() if label.startswith(_KEPT)]
    tied = {label.split(", ")[1]: mean for label, mean in means.items() if label.startswith(_TIED)}
    return differences({label: (mean, max(constant)) for label, mean in tied.items() if constant})


def _parts(*names):
    return lambda curves: [curve for curve in curves if curve.label.split(", ")[0] in names]


def _constant_or_tied(curves):
    chosen = _parts(_KEPT, _TIED)(curves)
    return [dataclasses.replace(curve, label=curve.label.replace(_KEPT, "constant")) for curve in chosen]


def _draw_reset(figure, curves):
    chosen = _parts(_KEPT, _RESET)(curves)
    accuracies_over("Conv4 on CIFAR-10: Adam's state at a synchronization", "k", "sync period k")(figure, chosen)


EXPERIMENT = Experiment(
    claim="A sync period that grows as the learning rate falls, and an inner optimizer that forgets: neither is in the "
    "paper, which names the first as future work.",
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000))),
        "laptop": tuple(_trainings("laptop")),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies("Conv4 on CIFAR-10: k constant, or tied to the rate", chosen=_constant_or_tied),
    more_pictures={"laperm_synchronization_reset": _draw_reset},
    table=table(
        {},
        {
            "A schedule for k can be better (tied to the rate minus the best constant k).": _tied_to_the_rate,
            "The same k at first, tied minus constant.": lambda curves: differences(_pairs(curves, _TIED, _KEPT)),
            "The paper keeps the state (reset minus kept).": lambda curves: differences(_pairs(curves, _RESET, _KEPT)),
        },
    ),
)
