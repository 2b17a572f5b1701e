"""Conv4 on CIFAR-10 at ten times the learning rate, dense and sparse: what short trainings at the paper's rate hide.

Claims: LaPerm has no disadvantage against Adam (Qiu and Suda 2020, section 5.1); with up to 70 % of the weights removed
it is no worse than with all, and with 50 % removed and k of 200 and more well above Adam with the zeros frozen (5.4).
`laperm_fig6`, `fig7` and `fig9` do not show them at laptop size, where trainings are some tens of times shorter than
the paper's, at its rate of 0.001. Is that why?

Command: `python -m scripts run laperm_rate --data DIR`; then `python -m scripts figure laperm_rate`.

Settings of `laperm_fig6` but for the rate, 0.01, which is not the paper's; it falls at the same fractions of the
training. Adam on a sparse network keeps its zeros. The laptop size is a quarter as wide, without dropout, has 7,000
images and 9 epochs, half of `laperm_fig6`'s; its runs with all weights are those of `laperm_low_precision`. The quick
size is a small Conv2 on digits.
"""

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_over
from scripts.laperm.runs import by_seed, final_values, grouped, only
from scripts.laperm.settings import ADAM, laperm, observed_by, removed
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import minus, table
from scripts.publishing.claims import Claim, in_points
from scripts.publishing.verdicts import no_worse
from scripts.running.observers import ZerosKept

_RATE = {"optimizer": {"learning_rate": 0.01}}


def _trainings(size, paper_sync_periods, percents):
    for p in percents:
        frozen = observed_by(ZerosKept()) if p else {}
        yield conv4_of_fig6(f"p = {p} %, Adam", size, _RATE, ADAM, removed(p), frozen)
        for k in sync_periods(size, paper_sync_periods):
            yield conv4_of_fig6(f"p = {p} %, k = {k}", size, _RATE, laperm(k), removed(p))


def _against_adam(curves):
    adam, found = grouped(only(curves, method="Adam"), "p"), {}
    for p, same in grouped(only(curves, method="LaPerm"), "p").items():
        found |= in_points(minus(final_values(same, "k"), by_seed(adam.get(p, [])), f"p = {p} %, k = {{}}"))
    return found


def _against_dense(curves):
    ours = grouped(only(curves, method="LaPerm"), "p")
    dense, found = final_values(ours.pop(0, []), "k"), {}
    for p, same in ours.items():
        found |= in_points(minus(final_values(same, "k"), dense, f"p = {p} %, k = {{}}"))
    return found


EXPERIMENT = Experiment(
    claim="Is it the learning rate that keeps LaPerm below Adam in short trainings, with all weights and with fewer?",
    in_paper=False,
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), (0, 50))),
        "laptop": tuple(_trainings("laptop", (200, 1000, 2000), (0, 50, 70))),
        "paper": tuple(_trainings("paper", (200, 1000, 2000), (0, 30, 50, 70))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_over(
        "rate 0.01, p % of weights removed; dashed: Adam",
        "k",
        "sync period k",
        lambda known: f"p = {known['p']} %",
    ),
    table=table({}),
    claims=(
        Claim("LaPerm is not worse than Adam, whose zeros are frozen (LaPerm minus Adam).", _against_adam, no_worse()),
        Claim(
            "With up to 70 % removed LaPerm is no worse than with all weights (minus p = 0 % with the same k).",
            _against_dense,
            no_worse(),
        ),
    ),
)
