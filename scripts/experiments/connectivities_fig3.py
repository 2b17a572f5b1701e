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

from scripts.connectivities.settings import NETWORK_NAMES, training
from scripts.experiment import Experiment
from scripts.publishing.markdown import markdown_table, mean_min_max
from scripts.publishing.results import COLORS, draw_band

_KINDS = {
    "baseline": ("baseline", {}, COLORS[0], "-"),
    "free pruning": ("free pruning", {}, COLORS[1], "-"),
    "free pruning, weights removed": ("free pruning", {"remove_weights": True}, COLORS[6], "--"),
}
_NARROW = {"train_limit": 10_000, "model_arguments": {"width": 0.25}}


def _trainings(model, epochs, **changes):
    return tuple(
        training(f"{NETWORK_NAMES[model]}: {kind}", method, model, epochs, **own, **changes)
        for kind, (method, own, _, _) in _KINDS.items()
    )


def _draw(figure, curves):
    names = [name for name in NETWORK_NAMES.values() if any(curve.label.startswith(name) for curve in curves)]
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for kind, (_, _, color, line) in _KINDS.items():
            same = [curve for curve in curves if curve.label == f"{name}: {kind}"]
            if same:
                draw_band(axes, same, "val_accuracy", ("epoch",), color, kind, by="epoch", linestyle=line)
        axes.set_title(name, loc="left")
        axes.set(xlabel="epoch", ylabel="held-out accuracy")
        axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)


def _table(curves):
    lines = []
    for label in dict.fromkeys(curve.label for curve in curves):
        same = [curve.summary for curve in curves if curve.label == label]
        different = [summary["different_without_weights"] for summary in same if "different_without_weights" in summary]
        images = same[0]["test_images"]
        cells = [
            *(label, len(same)),
            *mean_min_max([summary["test_accuracy_at_best"] for summary in same]),
            f"{', '.join(map(str, different))} of {images:,}" if different else "-",
        ]
        lines.append(cells)
    head = [
        *("training", "seeds", "test accuracy, best held-out epoch: mean", "min", "max"),
        "test images classified otherwise without weights",
    ]
    return markdown_table(head, lines)


EXPERIMENT = Experiment(
    claim="Weights of +-1 on scaled images are the same network as He constant weights: their masks train alike.",
    trainings={
        "quick": _trainings("lenet_300_100", 2, dataset="digits", validation=200, model_arguments={"width": 0.1}),
        "laptop": (*_trainings("lenet_300_100", 10), *_trainings("conv2", 15, **_NARROW)),
        "paper": tuple(t for model in ("conv2", "conv4", "conv6") for t in _trainings(model, 50)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    table=_table,
)
