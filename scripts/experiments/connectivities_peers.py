"""LeNet on MNIST by connectivity training and by its peers: what each reaches, and how many weights it removes.

Claim: free pruning removes as many weights as it likes, without a threshold to choose, and reaches what methods reach
that are told how many to remove (Ivan and Florian 2020, section 1, compares in words with Zhou et al. 2019 and
Ramanujan et al. 2019).

Command: `python -m scripts run connectivities_peers --data DIR`; then `python -m scripts figure
connectivities_peers`.

All start from He constant weights and train for equally many epochs. Ours: Adam, batch 25, as in `connectivities_c1`.
Edge-popup as its authors do: SGD with momentum 0.9, rate 0.1 falling as a cosine, batch 128, L2 of the scores. The
Bernoulli supermask: SGD with momentum 0.9 and rate 100, also falling here, batch 25 in place of the authors' 250, and
the mean of ten evaluations. Magnitude pruning: dense Adam, batch 25, pruned in one shot half way and trained on; its
best epoch is one after that. The laptop size has 10 epochs, which favours what learns fast.
"""

import statistics

from scripts.connectivities.settings import training
from scripts.experiment import Experiment
from scripts.publishing.markdown import markdown_table, mean_min_max, percent
from scripts.publishing.results import COLORS, by_label

_BERNOULLI = {"mode": "bernoulli", "optimizer": "sgd", "learning_rate": 100.0}
_EDGE_POPUP = {"mode": "edge_popup", "optimizer": "sgd", "learning_rate": 0.1, "batch_size": 128}
_METHODS = {
    "dense": ("baseline", {}, "o"),
    "free pruning": ("free pruning", {}, "s"),
    "free pruning, rescaled": ("free pruning", {"rescale": True}, "D"),
    "minimal pruning": ("minimal pruning", {}, "v"),
    "Bernoulli supermask": ("baseline", _BERNOULLI, "P"),
    "edge-popup 50 %": ("baseline", {**_EDGE_POPUP, "sparsity": 0.5}, "X"),
    "edge-popup 90 %": ("baseline", {**_EDGE_POPUP, "sparsity": 0.9}, "X"),
    "magnitude 50 %": ("baseline", {"sparsity": 0.5}, "^"),
    "magnitude 90 %": ("baseline", {"sparsity": 0.9}, "^"),
}


def _trainings(epochs, **changes):
    return tuple(
        training(label, method, "lenet_300_100", epochs, **own, **changes)
        for label, (method, own, _) in _METHODS.items()
    )


def _summaries(curves):
    return {label: [curve.summary for curve in same] for label, same in by_label(curves).items()}


def _draw(figure, curves):
    axes = figure.subplots()
    families = list(dict.fromkeys(label.split(" ")[0] for label in _METHODS))
    for label, same in _summaries(curves).items():
        removed = statistics.mean(summary.get("changed", 0) for summary in same)
        accuracy = [summary["test_accuracy_at_best"] for summary in same]
        mean = statistics.mean(accuracy)
        axes.errorbar(
            removed,
            mean,
            yerr=[[mean - min(accuracy)], [max(accuracy) - mean]],
            fmt=_METHODS[label][2],
            color=COLORS[families.index(label.split(" ")[0]) % len(COLORS)],
            ms=8,
            capsize=3,
            label=label,
        )
    axes.set(xlabel="fraction of weights removed", ylabel="test accuracy", xlim=(-0.03, 1))
    axes.set_title("LeNet on MNIST: mean and range", loc="left")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False)


def _table(curves):
    lines = []
    for label, same in _summaries(curves).items():
        cells = [
            *(label, len(same)),
            *mean_min_max([summary["test_accuracy_at_best"] for summary in same]),
            percent(statistics.mean(summary.get("changed", 0) for summary in same)),
        ]
        lines.append(cells)
    head = ["method", "seeds", "test accuracy: mean", "min", "max", "removed: mean"]
    return markdown_table(head, lines) + "\n\nAccuracies are those of each run's best epoch on held-out images."


EXPERIMENT = Experiment(
    claim="Free pruning reaches what its peers reach that are told how many weights to remove.",
    trainings={
        "quick": _trainings(2, dataset="digits", validation=200, model_arguments={"width": 0.1}),
        "laptop": _trainings(10),
        "paper": _trainings(100),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    table=_table,
)
