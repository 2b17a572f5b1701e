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
best epoch is one after that. Prune and flip, which masks and signs together: as free pruning, and twice with scores
that start so that about as many are removed as by those that are told a fraction (tried with one seed); how many are
also flipped is in `changed` of its curves. The laptop size has 10 epochs, which favours what learns fast.
"""

from scripts.connectivities.network import SignedMaskNetwork
from scripts.connectivities.observers import MagnitudePruned
from scripts.connectivities.settings import DIGITS, method_of, pruned_half_way, training
from scripts.experiment import Experiment
from scripts.publishing.claims import Claim, Remark, in_points
from scripts.publishing.curves import ends
from scripts.publishing.figures import COLORS
from scripts.publishing.names import subject
from scripts.publishing.tables import markdown_table, mean_min_max, percent, points
from scripts.publishing.verdicts import no_worse
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Cosine
from scripts.running.task import Classification

_LENET, _BOTH = "lenet_300_100", "prune and flip"
_BERNOULLI = {
    "network": {"mode": "bernoulli"},
    "optimizer": Optimizer("momentum", 100.0, Cosine()),
    "task": Classification(evaluations=10),  # a mask is drawn for each
}
_EDGE_POPUP = {"optimizer": Optimizer("momentum", 0.1, Cosine()), "batch_size": 128}
_STYLES = {
    "baseline": (COLORS[0], "o"),
    "free pruning": (COLORS[1], "s"),
    "minimal pruning": (COLORS[2], "v"),
    "Bernoulli supermask": (COLORS[3], "P"),
    "edge-popup": (COLORS[4], "X"),
    "magnitude": (COLORS[5], "^"),
    _BOTH: (COLORS[6], "*"),
}

_TOLD = (0.5, 0.75, 0.9)
# Of prune and flip, by what is to be removed: over how wide a range scores mask, and how many do at the start. Wider
# ranges than these two remove hardly more, and learn less: 80 % with 6 and 0.97.
_REMOVED = {0.5: (0.5, 0.55), 0.75: (2.0, 0.92)}

_PEERS = ("Bernoulli supermask", "edge-popup", "magnitude")


def _trainings(epochs, *changes, width=1.0):
    def make(label, method, *own):
        return training(label, method, _LENET, epochs, *own, *changes, width=width)

    def edge_popup(sparsity):
        network = {"network": {"mode": "edge_popup", "sparsity": sparsity}}
        return make(f"edge-popup {100 * sparsity:g} %", "free pruning", _EDGE_POPUP, network)

    dense = make("dense", "baseline")

    def prune_and_flip(label, **own):
        start = dense.network
        arguments = (start.name, start.arguments, start.initializer, start.initializer_arguments)
        return make(label, "free pruning", {"network": SignedMaskNetwork(*arguments, **own)})

    return (
        dense,
        make("free pruning", "free pruning"),
        make("free pruning, rescaled", "free pruning", {"network": {"rescale": True}}),
        make("minimal pruning", "minimal pruning"),
        make("Bernoulli supermask", "free pruning", _BERNOULLI),
        *(edge_popup(sparsity) for sparsity in _TOLD),
        *(pruned_half_way(dense, f"magnitude {100 * sparsity:g} %", sparsity) for sparsity in _TOLD),
        prune_and_flip(_BOTH),
        *(
            prune_and_flip(f"{_BOTH}, about {100 * removed:g} %", masked_range=wide, masked_at_start=start)
            for removed, (wide, start) in _REMOVED.items()
        ),
    )


def _fields(training):
    network, pruned = training.network, training.part(MagnitudePruned)
    starts = {start: removed for removed, (_, start) in _REMOVED.items()}
    told = starts.get(getattr(network, "masked_at_start", None)) or getattr(network, "sparsity", None)
    return {
        "method": method_of(training),
        "rescale": getattr(network, "rescale", False),
        "told": pruned.sparsity if pruned else told or 0.0,
    }


def _runs(curves):
    """Pairs of what is the same of one training, as tuple, and its runs, as data frame."""
    columns = ["label", "method", "rescale", "test_accuracy_at_best", "changed", "removed"]
    runs = ends(curves, _fields).reindex(columns=columns)
    # What only masks has removed what it has changed, and the training of all weights nothing.
    runs["removed"] = runs["removed"].fillna(runs["changed"]).fillna(0)
    return runs.groupby(["label", "method", "rescale"], sort=False)


def _draw(figure, curves):
    axes = figure.subplots()
    for (label, method, rescale), same in _runs(curves):
        accuracy = same["test_accuracy_at_best"]
        color, marker = _STYLES[method]
        axes.errorbar(
            same["removed"].mean(),
            accuracy.mean(),
            yerr=[[accuracy.mean() - accuracy.min()], [accuracy.max() - accuracy.mean()]],
            fmt="D" if rescale else marker,
            color=color,
            ms=8,
            capsize=3,
            label=label,
        )
    axes.set(xlabel="fraction of weights removed", ylabel="test accuracy", xlim=(-0.03, 1))
    axes.set_title(f"{subject(curves)}: mean and range", loc="left")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False)


def _table(curves):
    lines = [
        [label, len(same), *mean_min_max(same["test_accuracy_at_best"]), percent(same["removed"].mean())]
        for (label, _, _), same in _runs(curves)
    ]
    head = ["method", "seeds", "test accuracy: mean", "min", "max", "removed: mean"]
    return markdown_table(head, lines) + "\n\nAccuracies are those of each run's best epoch on held-out images."


def _against_peers(curves):
    """Free pruning minus each peer that is told how many weights to remove, and minus the Bernoulli supermask."""
    runs = ends(curves, _fields)
    values = runs.pivot(index="label", columns="seed", values="test_accuracy_at_best")
    methods = runs.drop_duplicates("label").set_index("label")
    ours = methods.index[(methods["method"] == "free pruning") & ~methods["rescale"].astype(bool)]
    peers = methods.index[methods["method"].isin(_PEERS)]
    return in_points(values.loc[ours[0]] - values.loc[peers]) if len(ours) else {}


def _at_equal_numbers(curves):
    """Prune and flip minus the peers that are told the same fraction, the means over the seeds, in points."""
    runs = ends(curves, _fields)
    means = runs[runs["told"] > 0].groupby(["told", "method"])["test_accuracy_at_best"].mean().unstack("method")
    said = [
        f"{percent(told)}: {points(row[_BOTH] - row[peer])} against {peer}"
        for told, row in means.iterrows()
        for peer in ("edge-popup", "magnitude")
        if {_BOTH, peer} <= set(row.dropna().index)
    ]
    return ", ".join(said)


EXPERIMENT = Experiment(
    claim="Free pruning reaches what its peers reach that are told how many weights to remove.",
    trainings={
        "quick": _trainings(2, DIGITS, width=0.1),
        "laptop": _trainings(10),
        "paper": _trainings(100),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    table=_table,
    claims=(
        Claim("Free pruning is no worse than its peers (free pruning minus each).", _against_peers, no_worse()),
        Remark("Mask and sign together, at about equal numbers of removed weights, in points.", _at_equal_numbers),
    ),
)
