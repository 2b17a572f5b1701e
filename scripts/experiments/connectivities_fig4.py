"""How unequal the signs may be: free pruning of networks whose weights are positive with probability p; Fig. 4.

Claim: accuracy is flat for 0.3 <= p <= 0.7 and 1 % lower at p = 0.1; LeNet is trainable even with p = 1, where all
weights are positive: about 95 % with about 65 % of them removed (Ivan and Florian 2020, section 2.4).

Command: `python -m scripts run connectivities_fig4 --jit --data DIR`; then `python -m scripts figure
connectivities_fig4`.

Free pruning from the He constant initialization, settings of table A.2. LeNet is trained with the masks of equation
(2), and with masks that are divided by the fraction of weights kept, an option of the authors' code that the paper does
not mention. The laptop size is LeNet for 30 epochs; the paper size has Conv2, Conv4 and Conv6 too.
"""

import pandas as pd

from scripts.connectivities.settings import DIGITS, training
from scripts.experiment import Experiment
from scripts.publishing.claims import Claim, Ours, in_points
from scripts.publishing.curves import ends
from scripts.publishing.figures import COLORS
from scripts.publishing.names import NETWORK_NAMES, subject
from scripts.publishing.tables import markdown_table, mean_min_max, percent
from scripts.publishing.verdicts import accuracy, as_good, number

_ON_LENET = (0.0001, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 1.0)
_ON_LENET_RESCALED = (0.01, 0.1, 0.3, 0.5, 0.7, 1.0)
_ON_CONV = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# By p, of LeNet.
_PAPER = {
    0.01: "10 % lower than at 0.5",
    0.1: "1 % lower than at 0.5",
    0.3: "as at 0.5",
    0.7: "as at 0.5",
    1.0: "95 %, about 65 % removed",
}


def _title(network, rescale):
    return NETWORK_NAMES[network] + (", rescaled masks" if rescale else "")


def _trainings(network, probabilities, epochs, *changes, rescale=False, width=1.0):
    return tuple(
        training(
            f"{_title(network, rescale)}, p = {p:g}", "free pruning", network, epochs,
            {"network": {"initializer_arguments": {"positive": p}, "rescale": rescale}}, *changes, width=width,
        )
        for p in probabilities
    )  # fmt: skip


def _on_lenet(epochs):
    return (
        *_trainings("lenet_300_100", _ON_LENET, epochs),
        *_trainings("lenet_300_100", _ON_LENET_RESCALED, epochs, rescale=True),
    )


def _fields(training):
    network = training.network
    return {
        "network": network.name,
        "rescale": network.rescale,
        "p": network.initializer_arguments["positive"],
    }


def _draw(figure, curves):
    runs = ends(curves, _fields)
    is_lenet = runs["network"] == "lenet_300_100"
    columns = [column for column in (runs[is_lenet], runs[~is_lenet]) if len(column)]
    all_axes = figure.subplots(2, len(columns), sharex="col", squeeze=False)
    for (above, below), column in zip(all_axes.T, columns, strict=True):
        for (which, same), color in zip(column.groupby(["network", "rescale"], sort=False), COLORS, strict=False):
            for axes, measure in ((above, "test_accuracy_at_best"), (below, "changed")):
                found = same.groupby("p")[measure].agg(["mean", "min", "max"])
                axes.plot(found.index, found["mean"], "o-", ms=4, color=color, label=_title(*which))
                axes.fill_between(found.index, found["min"], found["max"], color=color, alpha=0.2, linewidth=0)
                axes.grid(alpha=0.3)
        above.set(ylabel="test accuracy")
        above.legend(frameon=False)
        below.set(xlabel="probability p of a positive weight", ylabel="fraction removed", ylim=(0, None))
        if (column["network"] == "lenet_300_100").all():
            below.set_xscale("log")
    figure.suptitle(f"{subject(curves)}, free pruning of weights of unequal signs: mean and range", x=0.01, ha="left")


def _table(curves):
    lines = []
    for (label, network, p), same in ends(curves, _fields).groupby(["label", "network", "p"], sort=False):
        cells = [
            *(label, len(same)),
            *mean_min_max(same["test_accuracy_at_best"]),
            percent(same["changed"].mean()),
            _PAPER.get(p, "-") if network == "lenet_300_100" else "-",
        ]
        lines.append(cells)
    head = ["training", "seeds", "test accuracy: mean", "min", "max", "removed: mean", "paper"]
    return markdown_table(head, lines) + "\n\nAccuracies are those of each run's best epoch on held-out images."


def _on_lenet_by_p(curves, measure):
    """Data frame of what LeNet ended with: a row for each p and kind of masks, a column for each seed."""
    runs = ends(curves, _fields)
    lenets = runs[runs["network"] == "lenet_300_100"]
    return lenets.pivot(index=["rescale", "p"], columns="seed", values=measure)


def _kind(rescale):
    return "rescaled masks" if rescale else "masks"


def _against_half(*probabilities):
    """Minus p = 0.5 with the same masks."""

    def measure(curves):
        values, found = _on_lenet_by_p(curves, "test_accuracy_at_best"), {}
        for rescale, p in values.index:
            if p in probabilities and (rescale, 0.5) in values.index:
                found[f"{_kind(rescale)}, p = {p:g}"] = values.loc[(rescale, p)] - values.loc[(rescale, 0.5)]
        return in_points(pd.DataFrame(found).T)

    return measure


def _all_positive(curves):
    found = {}
    for name, column, stated in (
        ("accuracy", "test_accuracy_at_best", accuracy(0.95)),
        ("removed", "changed", number(0.65, origin=None)),
    ):
        values = _on_lenet_by_p(curves, column)
        for rescale in (False, True):
            if (rescale, 1.0) in values.index:
                each = values.loc[(rescale, 1.0)].dropna()
                found[f"{_kind(rescale)}, {name}"] = Ours(tuple(each), percent(each.mean()), stated)
    return found


_CLAIMS = (
    Claim("LeNet keeps its accuracy for 0.3 <= p <= 0.7 (minus p = 0.5).", _against_half(0.3, 0.7), as_good()),
    Claim("At p = 0.1 it drops by 1 % (minus p = 0.5).", _against_half(0.1), number(-0.01)),
    Claim("At p = 0.01 it drops by 10 % (minus p = 0.5).", _against_half(0.01), number(-0.1)),
    Claim("With positive weights only LeNet reaches 95 %, with about 65 % of them removed.", _all_positive),
)

EXPERIMENT = Experiment(
    claim="Free pruning does not need as many negative as positive weights; LeNet learns even without negative ones.",
    trainings={
        "quick": _trainings("lenet_300_100", (0.5, 1.0), 2, DIGITS, width=0.1),
        "laptop": _on_lenet(30),
        "paper": (
            *_on_lenet(100),
            *(t for network in ("conv2", "conv4", "conv6") for t in _trainings(network, _ON_CONV, 50)),
        ),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    table=_table,
    claims=_CLAIMS,
)
