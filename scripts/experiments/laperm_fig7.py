"""Conv2, Conv4 and Conv13 on CIFAR-10: reconnection against optimizers that change the values too.

Claim: LaPerm that synchronizes once an epoch starts slowly and ends nearly as high as Adam and Lookahead, and compares
the better the larger the network (Qiu and Suda 2020, section 5.2, Fig. 7).

Command: `python -m scripts run laperm_fig7 --data DIR`; then `python -m scripts figure laperm_fig7`.

Settings of A.5.3 and Table 1: k = 1000, He uniform, 125 epochs, the rate multiplied by 0.6 at every 10th. Table 1 gives
Conv4 "90 or 125" epochs; here it has 125, and in Fig. 6 the 90 that its caption says. Unlike the paper, 5,000 training
images are held out for the curves, so that an epoch has 900 steps, and the test set is looked at once. The laptop size
is a quarter as wide (Conv13: an eighth), without dropout (which would leave such networks too little), has 7,000
images and 15 epochs; k is the steps of an epoch, as the paper's is.
"""

import pandas as pd

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_by_network
from scripts.laperm.runs import final_values, grouped, only
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv, laperm
from scripts.laperm.sizes import QUICK, laptop, laptop_sync_period
from scripts.laperm.tables import minus, table
from scripts.publishing.claims import Claim, Ours, in_points
from scripts.publishing.curves import mean_curve
from scripts.publishing.names import NETWORK_NAMES
from scripts.publishing.tables import points
from scripts.publishing.verdicts import ABOVE, BELOW, SLIGHTLY_BELOW, no_worse

_WIDTHS = {"conv2": 0.25, "conv4": 0.25, "conv13": 0.125}


def _trainings(network, sync_period, epochs, *size):
    methods = {"Adam": ADAM, "Lookahead": LOOKAHEAD, f"LaPerm, k = {sync_period}": laperm(sync_period)}
    return tuple(
        conv(f"{NETWORK_NAMES[network]}, {name}", network, epochs, *size, {"network": {"name": network}}, method)
        for name, method in methods.items()
    )


def _on_laptop(network):
    return _trainings(network, laptop_sync_period(1000), 15, laptop(width=_WIDTHS[network], dropout=0.0))


def _minus(baseline, curves):
    ours, other = (final_values(only(curves, method=method), "network") for method in ("LaPerm", baseline))
    return minus(ours, other)


def _against(baseline):
    return lambda curves: in_points(_minus(baseline, curves))


def _growth(curves):
    """The difference to Adam of the last network, which is the largest, minus that of the first."""
    differences = _minus("Adam", curves)
    if len(differences) < 2:
        return {}
    smallest, largest = differences.index[[0, -1]]
    growth = differences.loc[[largest]] - differences.loc[smallest]
    return in_points(growth.rename({largest: f"{largest} minus {smallest}"}))


def _start_against(baseline):
    """By how much LaPerm's held-out accuracy is above the other's at first, and from which epoch it stays above it."""

    def measure(curves):
        found = {}
        for network, same in grouped(curves, "network").items():
            methods = grouped(same, "method")
            if {"LaPerm", baseline} <= methods.keys():
                pair = [methods[method] for method in ("LaPerm", baseline)]
                ours, other = (mean_curve(runs, by="epochs") for runs in pair)
                below = ours[ours <= other.reindex(ours.index)].index
                later = ours.index[ours.index > max(below, default=0)]
                first = (ours - other).dropna().index[0]
                each = [
                    pd.Series({curve.seed: curve.values("val_accuracy", by="epochs").get(first) for curve in runs})
                    for runs in pair
                ]
                start = (each[0] - each[1]).dropna()
                since = f"above from epoch {later[0]:g} on" if len(later) else "never above"
                found[network] = Ours(tuple(start), f"{points(start.mean())} points at first, {since}")
        return found

    return measure


CLAIMS = (
    Claim(
        "It starts slowly, then grows steeply (mean held-out accuracy, LaPerm minus Lookahead).",
        _start_against("Lookahead"),
        BELOW,
    ),
    Claim("LaPerm is usually slightly below Adam (LaPerm minus Adam).", _against("Adam"), SLIGHTLY_BELOW, most=True),
    Claim("The larger the network, the better LaPerm compares (the same difference).", _growth, ABOVE),
    Claim("It ends no lower than Lookahead (LaPerm minus Lookahead).", _against("Lookahead"), no_worse()),
)

EXPERIMENT = Experiment(
    claim="LaPerm trains three networks on CIFAR-10 about as well as Adam and Lookahead, though it changes no value.",
    trainings={
        "quick": tuple(t for n in ("conv2", "conv4") for t in _trainings(n, 20, 4, QUICK)),
        "laptop": tuple(t for network in _WIDTHS for t in _on_laptop(network)),
        "paper": tuple(t for network in _WIDTHS for t in _trainings(network, 1000, 125)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_by_network("Adam, Lookahead, and LaPerm right after synchronizations"),
    table=table({}),
    claims=CLAIMS,
)
