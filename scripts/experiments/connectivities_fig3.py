"""Weight removal: masks of a network whose weights are all +-1, on scaled images; Fig. 3.

Claim: free pruning learns the same with He constant weights and with weights of +-1 on images multiplied by the product
of the layers' magnitudes, as the two networks are one function of their masks (Ivan and Florian 2020, section 2.3).

Command: `python -m scripts run connectivities_fig3 --data DIR`; then `python -m scripts figure
connectivities_fig3`.

Settings of table A.2. The two networks start from the same signs and scores and see the same batches, so only rounding
tells them apart, which chance then enlarges. The table counts the test images that a network trained with its weights
classifies otherwise once they are removed. The laptop size is LeNet for 10 epochs, and Conv2 a quarter as wide on the
first 10,000 training images for 15 epochs; the paper size has Conv2, Conv4 and Conv6.
"""

from scripts.connectivities.settings import DIGITS, method_of, training
from scripts.experiment import Experiment
from scripts.publishing.claims import Claim, in_points
from scripts.publishing.curves import by_training, ends
from scripts.publishing.figures import COLORS, draw_band, legend_below
from scripts.publishing.headlines import Headline, accuracy
from scripts.publishing.names import NETWORK_NAMES, subject
from scripts.publishing.tables import markdown_table, mean_min_max
from scripts.publishing.verdicts import as_good

# Of each curve the method, what is changed in it, the colour and the line.
_KINDS = {
    "baseline": ("baseline", {}, COLORS[0], "-"),
    "free pruning": ("free pruning", {}, COLORS[1], "-"),
    "free pruning, weights removed": ("free pruning", {"network": {"remove_weights": True}}, COLORS[6], "--"),
}


_METRIC = "test_accuracy_at_best"


def _trainings(network, epochs, *changes, width=1.0):
    return tuple(
        training(f"{NETWORK_NAMES[network]}: {kind}", method, network, epochs, own, *changes, width=width)
        for kind, (method, own, _, _) in _KINDS.items()
    )


def _kind(training):
    removed = ", weights removed" if getattr(training.network, "remove_weights", False) else ""
    return f"{method_of(training)}{removed}"


def _draw(figure, curves):
    names = list(dict.fromkeys(curve.training.network.name for curve in curves))
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        shown = [curve for curve in curves if curve.training.network.name == name]
        for kind, (_, _, color, line) in _KINDS.items():
            same = [curve for curve in shown if _kind(curve.training) == kind]
            if same:
                draw_band(axes, same, "val_accuracy", "epoch", color=color, label=kind, by="epoch", linestyle=line)
        axes.set_title(subject(shown), loc="left")
        axes.set(xlabel="epoch", ylabel="held-out accuracy")
        axes.grid(alpha=0.3)
    legend_below(figure, axes, columns=3)


def _table(curves):
    lines = []
    for label, same in by_training(curves).items():
        summaries = [curve.summary for curve in same]
        different = [each["different_without_weights"] for each in summaries if "different_without_weights" in each]
        cells = [
            *(label, len(same)),
            *mean_min_max([summary[_METRIC] for summary in summaries]),
            f"{', '.join(map(str, different))} of {summaries[0]['test_images']:,}" if different else "-",
        ]
        lines.append(cells)
    head = [
        *("training", "seeds", "test accuracy, best held-out epoch: mean", "min", "max"),
        "test images classified otherwise without weights",
    ]
    return markdown_table(head, lines)


def _removed_against_kept(curves):
    """Free pruning of weights of +-1 minus that of He constant weights, for each network."""
    runs = ends(curves, lambda training: {"network": NETWORK_NAMES[training.network.name], "kind": _kind(training)})
    values = runs.pivot(index=["kind", "network"], columns="seed", values=_METRIC)
    kept, removed = (values[values.index.get_level_values("kind") == kind].droplevel("kind") for kind in [*_KINDS][1:])
    return in_points(removed - kept)


EXPERIMENT = Experiment(
    claim="Weights of +-1 on scaled images are the same network as He constant weights: their masks train alike.",
    trainings={
        "quick": _trainings("lenet_300_100", 2, DIGITS, width=0.1),
        "laptop": (
            *_trainings("lenet_300_100", 10),
            *_trainings("conv2", 15, {"data": {"limit": 10_000}}, width=0.25),
        ),
        "paper": tuple(t for network in ("conv2", "conv4", "conv6") for t in _trainings(network, 50)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    table=_table,
    headlines=(
        Headline(
            "MNIST, LeNet: a mask over random weights that are never trained", accuracy("LeNet: free pruning", _METRIC)
        ),
        Headline("the same, all weights 1 or -1", accuracy("LeNet: free pruning, weights removed", _METRIC)),
        Headline("the same network, trained as usual", accuracy("LeNet: baseline", _METRIC)),
    ),
    claims=(
        Claim("Without weights the network learns the same (removed minus kept).", _removed_against_kept, as_good()),
    ),
)
