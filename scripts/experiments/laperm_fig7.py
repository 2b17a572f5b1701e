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

from scripts.experiment import Experiment
from scripts.laperm.draw_accuracies import accuracies_by_network
from scripts.laperm.runs import final_means, in_epochs, mean_curve
from scripts.laperm.settings import ADAM, LOOKAHEAD, NETWORK_NAMES, conv, laperm
from scripts.laperm.sizes import laptop, laptop_sync_period, quick
from scripts.laperm.tables import differences, table
from scripts.publishing.results import by_label

_WIDTHS = {"conv2": 0.25, "conv4": 0.25, "conv13": 0.125}


def _trainings(network, sync_period, **changes):
    methods = {"Adam": ADAM, "Lookahead": LOOKAHEAD, f"LaPerm, k = {sync_period}": laperm(sync_period)}
    return tuple(
        conv(f"{NETWORK_NAMES[network]}, {name}", **{"model": network, **method, **changes})
        for name, method in methods.items()
    )


def _on_laptop(network):
    size = laptop(width=_WIDTHS[network], dropout=0.0)
    return _trainings(network, laptop_sync_period(1000), epochs=15, **size)


def _pairs(values, baseline):
    """Of each network what belongs to LaPerm and to the other optimizer."""
    pairs = {}
    for label, ours in values.items():
        network, *method = label.split(", ")
        if method[0] == "LaPerm" and f"{network}, {baseline}" in values:
            pairs[network] = (ours, values[f"{network}, {baseline}"])
    return pairs


def _against(baseline):
    return lambda curves: differences(_pairs(final_means(curves), baseline))


def _from_which_epoch_above(baseline):
    """The epoch after which LaPerm's mean held-out accuracy is no longer at or below the other's."""

    def find_epochs(curves):
        said = []
        for network, pair in _pairs(by_label(in_epochs(curves)), baseline).items():
            ours, other = (dict(zip(*mean_curve(same), strict=True)) for same in pair)
            below = [epoch for epoch in ours if epoch in other and ours[epoch] <= other[epoch]]
            later = [epoch for epoch in ours if epoch > max(below, default=0)]
            said.append(f"{network}: {f'{later[0]:g}' if later else 'never'}")
        return "; ".join(said) or None

    return find_epochs


FINDINGS = {
    "It starts slowly, then grows steeply (the epoch from which its mean held-out accuracy stays above Lookahead's).": (
        _from_which_epoch_above("Lookahead")
    ),
    "LaPerm is usually slightly below Adam (LaPerm minus Adam), and less so in larger networks.": _against("Adam"),
    "It is comparable to Lookahead (LaPerm minus Lookahead).": _against("Lookahead"),
}

EXPERIMENT = Experiment(
    claim="LaPerm trains three networks on CIFAR-10 about as well as Adam and Lookahead, though it changes no value.",
    trainings={
        "quick": tuple(t for n in ("conv2", "conv4") for t in _trainings(n, 20, epochs=4, **quick(model=n))),
        "laptop": tuple(t for network in _WIDTHS for t in _on_laptop(network)),
        "paper": tuple(t for network in _WIDTHS for t in _trainings(network, 1000, epochs=125)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_by_network("CIFAR-10: Adam, Lookahead, and LaPerm right after synchronizations"),
    table=table({}, FINDINGS),
)
