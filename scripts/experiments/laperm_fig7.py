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
from scripts.laperm.fields import NETWORK_NAMES
from scripts.laperm.runs import final_means, grouped, only
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv, laperm
from scripts.laperm.sizes import QUICK, laptop, laptop_sync_period
from scripts.laperm.tables import differences, minus, table
from scripts.publishing.curves import mean_curve

_WIDTHS = {"conv2": 0.25, "conv4": 0.25, "conv13": 0.125}


def _trainings(network, sync_period, epochs, *size):
    methods = {"Adam": ADAM, "Lookahead": LOOKAHEAD, f"LaPerm, k = {sync_period}": laperm(sync_period)}
    return tuple(
        conv(f"{NETWORK_NAMES[network]}, {name}", network, epochs, *size, {"network": {"name": network}}, method)
        for name, method in methods.items()
    )


def _on_laptop(network):
    return _trainings(network, laptop_sync_period(1000), 15, laptop(width=_WIDTHS[network], dropout=0.0))


def _against(baseline):
    def differ(curves):
        ours, other = (final_means(only(curves, method=method), "network") for method in ("LaPerm", baseline))
        return differences(minus(ours, other))

    return differ


def _from_which_epoch_above(baseline):
    """The epoch after which LaPerm's mean held-out accuracy is no longer at or below the other's."""

    def find_epochs(curves):
        said = []
        for network, same in grouped(curves, "network").items():
            methods = grouped(same, "method")
            if {"LaPerm", baseline} <= methods.keys():
                ours, other = (mean_curve(methods[method], by="epochs") for method in ("LaPerm", baseline))
                below = ours[ours <= other.reindex(ours.index)].index
                later = ours.index[ours.index > max(below, default=0)]
                said.append(f"{network}: {f'{later[0]:g}' if len(later) else 'never'}")
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
        "quick": tuple(t for n in ("conv2", "conv4") for t in _trainings(n, 20, 4, QUICK)),
        "laptop": tuple(t for network in _WIDTHS for t in _on_laptop(network)),
        "paper": tuple(t for network in _WIDTHS for t in _trainings(network, 1000, 125)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=accuracies_by_network("CIFAR-10: Adam, Lookahead, and LaPerm right after synchronizations"),
    table=table({}, FINDINGS),
)
