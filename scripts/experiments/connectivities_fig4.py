"""How unequal the signs may be: free pruning of networks whose weights are positive with probability p; Fig. 4.

Claim: accuracy is flat for 0.3 <= p <= 0.7 and 1 % lower at p = 0.1; LeNet is trainable even with p = 1, where all
weights are positive: about 95 % with about 65 % of them removed (Ivan and Florian 2020, section 2.4).

Command: `python -m scripts run connectivities_fig4 --jit --data DIR`; then `python -m scripts figure
connectivities_fig4`.

Free pruning from the He constant initialization, settings of table A.2. LeNet is trained with the masks of equation
(2), and with masks that are divided by the fraction of weights kept, an option of the authors' code that the paper does
not mention. The laptop size is LeNet for 30 epochs; the paper size has Conv2, Conv4 and Conv6 too.
"""

import statistics

from scripts.connectivities.settings import NETWORK_NAMES, training
from scripts.experiment import Experiment
from scripts.publishing.markdown import markdown_table, mean_min_max, percent
from scripts.publishing.results import COLORS, by_label

_ON_LENET = (0.0001, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 1.0)
_ON_LENET_RESCALED = (0.01, 0.1, 0.3, 0.5, 0.7, 1.0)
_ON_CONV = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_RESCALED = ", rescaled masks"
_PAPER = {
    "p = 0.01": "10 % lower than at 0.5",
    "p = 0.1": "1 % lower than at 0.5",
    "p = 0.3": "as at 0.5",
    "p = 0.7": "as at 0.5",
    "p = 1": "95 %, about 65 % removed",
}


def _trainings(model, probabilities, epochs, rescale=False, **changes):
    name = NETWORK_NAMES[model] + _RESCALED * rescale
    return tuple(
        training(f"{name}, p = {p:g}", "free pruning", model, epochs, positive=p, rescale=rescale, **changes)
        for p in probabilities
    )


def _on_lenet(epochs):
    return (
        *_trainings("lenet_300_100", _ON_LENET, epochs),
        *_trainings("lenet_300_100", _ON_LENET_RESCALED, epochs, rescale=True),
    )


def _by_probability(curves, network):
    """Pairs of p and the runs with it, ascending."""
    groups = {}
    for curve in curves:
        name, p = curve.label.split(", p = ")
        if name == network:
            groups.setdefault(float(p), []).append(curve)
    return sorted(groups.items())


def _draw(figure, curves):
    names = list(dict.fromkeys(curve.label.split(", p = ")[0] for curve in curves))
    columns = [[name for name in names if name.startswith("LeNet") == is_lenet] for is_lenet in (True, False)]
    columns = [column for column in columns if column]
    all_axes = figure.subplots(2, len(columns), sharex="col", squeeze=False)
    for (accuracy, removed), column in zip(all_axes.T, columns, strict=True):
        for name, color in zip(column, COLORS, strict=False):
            for axes, key in ((accuracy, "test_accuracy_at_best"), (removed, "changed")):
                points = [(p, [curve.summary[key] for curve in same]) for p, same in _by_probability(curves, name)]
                x = [p for p, _ in points]
                axes.plot(x, [statistics.mean(v) for _, v in points], "o-", ms=4, color=color, label=name)
                low, high = ([extreme(v) for _, v in points] for extreme in (min, max))
                axes.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
                axes.grid(alpha=0.3)
        accuracy.set(ylabel="test accuracy")
        accuracy.legend(frameon=False)
        removed.set(xlabel="probability p of a positive weight", ylabel="fraction removed", ylim=(0, None))
        if column[0].startswith("LeNet"):
            removed.set_xscale("log")
    figure.suptitle("Free pruning of weights of unequal signs: mean and range", x=0.01, ha="left")


def _table(curves):
    lines = []
    for label, same in by_label(curves).items():
        cells = [
            *(label, len(same)),
            *mean_min_max([curve.summary["test_accuracy_at_best"] for curve in same]),
            percent(statistics.mean(curve.summary["changed"] for curve in same)),
            _PAPER.get(label.split(", ")[-1], "-") if label.startswith("LeNet") else "-",
        ]
        lines.append(cells)
    head = ["training", "seeds", "test accuracy: mean", "min", "max", "removed: mean", "paper"]
    return markdown_table(head, lines) + "\n\nAccuracies are those of each run's best epoch on held-out images."


EXPERIMENT = Experiment(
    claim="Free pruning does not need as many negative as positive weights; LeNet learns even without negative ones.",
    trainings={
        "quick": _trainings(
            "lenet_300_100", (0.5, 1.0), 2, dataset="digits", validation=200, model_arguments={"width": 0.1}
        ),
        "laptop": _on_lenet(30),
        "paper": (
            *_on_lenet(100),
            *(t for model in ("conv2", "conv4", "conv6") for t in _trainings(model, _ON_CONV, 50)),
        ),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    table=_table,
)
