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

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies, accuracies_over
from scripts.laperm.fields import fields
from scripts.laperm.observers import SyncPeriodFollowsRate
from scripts.laperm.runs import final_values, only
from scripts.laperm.settings import laperm, observed_by
from scripts.laperm.sizes import conv4_of_fig6, sync_periods
from scripts.laperm.tables import differences, minus, table
from scripts.publishing.claims import Claim, Remark, in_points
from scripts.publishing.verdicts import ABOVE

_KEPT, _RESET = "state kept", "state reset"
_IS_KEPT, _IS_RESET, _IS_TIED = {"state_reset": False, "tied": False}, {"state_reset": True}, {"tied": True}


def _trainings(size, paper_sync_periods=(50, 200, 1000)):
    constant = sync_periods(size, paper_sync_periods)
    for k in constant:
        yield conv4_of_fig6(f"{_KEPT}, k = {k}", size, laperm(k))
    for k in constant:
        yield conv4_of_fig6(f"{_RESET}, k = {k}", size, laperm(k, reset_inner_state=True))
    for k in constant[:-1]:
        label = f"tied to the rate, k = {k} at first"
        yield conv4_of_fig6(label, size, laperm(k), observed_by(SyncPeriodFollowsRate()))


def _against_kept(**wanted):
    """Those of some kind minus those with the same k that is constant and leaves the state alone."""

    def differ(curves):
        found, kept = (final_values(only(curves, **kind), "k") for kind in (wanted, _IS_KEPT))
        return differences(minus(found, kept, "k = {}").mean(axis=1))

    return differ


def _best_tied_against_best_constant(curves):
    tied, kept = (final_values(only(curves, **kind), "k") for kind in (_IS_TIED, _IS_KEPT))
    if tied.empty or kept.empty:
        return {}
    best, constant = (values.mean(axis=1).idxmax() for values in (tied, kept))
    name = f"tied, k = {best} at first, minus constant k = {constant}"
    return in_points((tied.loc[[best]] - kept.loc[constant]).rename({best: name}))


def _constant_or_tied(training):
    """What the legend says of k."""
    known = fields(training)
    return training.label if known["tied"] else f"constant, k = {known['k']}"


def _draw_reset(figure, curves):
    what = "Adam's state at a synchronization"
    draw = accuracies_over(what, "k", "sync period k", lambda known: _RESET if known["state_reset"] else _KEPT)
    draw(figure, only(curves, tied=False))


EXPERIMENT = Experiment(
    claim="Does a sync period help that grows as the learning rate falls, or an inner optimizer that forgets? The "
    "paper names the first as future work.",
    in_paper=False,
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000))),
        "laptop": tuple(_trainings("laptop")),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies(
        "k constant, or tied to the rate",
        chosen=lambda curves: only(curves, state_reset=False),
        name_of=_constant_or_tied,
    ),
    more_pictures={"laperm_synchronization_reset": _draw_reset},
    table=table({}),
    claims=(
        Claim(
            "A schedule for k can be better (tied to the rate, best of both).",
            _best_tied_against_best_constant,
            ABOVE,
        ),
        Remark("The same k at first, tied minus constant.", _against_kept(**_IS_TIED)),
        Remark("The paper keeps the state (reset minus kept).", _against_kept(**_IS_RESET)),
    ),
)
