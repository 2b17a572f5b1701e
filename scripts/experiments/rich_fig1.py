"""Few components of a stochastic gradient are large: VGG-5 on MNIST, ResNet-18 on CIFAR-10; Fig. 1.

Claim: sorted by their absolute values, the components of the gradient of a mini-batch are near zero but for a small
portion, throughout the training (Li and Banerjee 2021, Fig. 1).

Command: `python -m scripts run rich_fig1 --data DIR`; then `python -m scripts figure rich_fig1`.

The networks have the paper's numbers of parameters at paper size; for VGG-5 this takes batch normalization and 3x3
kernels everywhere. The paper does not say at which steps it takes the gradients: here they are those of one random
mini-batch before the first step and after some epochs. VGG-5 is trained with Adam at a usual learning rate of 0.001,
not the printed 0.1. The laptop size is a quarter as wide, for 10 epochs of 5,000 images and 15 of 4,000; the quick size
is a ReLU-Net.
"""

import statistics

from scripts.experiment import Experiment
from scripts.publishing.markdown import markdown_table, percent
from scripts.publishing.results import COLORS
from scripts.rich.gradient_training import FRACTIONS, GRADIENTS, GradientTraining, rank_of
from scripts.running.files import read_csv

_VGG, _RESNET = "VGG-5 on MNIST", "ResNet-18 on CIFAR-10"
_PAPER = {_VGG: "3,646,154", _RESNET: "11,173,962"}


def _vgg(epochs, after, **changes):
    settings = {
        "dataset": "mnist",
        "learning_rate": 0.001,
        "gradients_after": after,
        "model_arguments": {"batch_norm": True, "inner_kernel_size": 3},
    }
    return GradientTraining(_VGG, "vgg5", epochs=epochs, **{**settings, **changes})


def _resnet(epochs, after, **changes):
    settings = {
        "dataset": "cifar10",
        "learning_rate": 0.01,
        "optimizer": "nesterov",
        "halve_every": 30,
        "gradients_after": after,
        "train_limit": None,
    }
    return GradientTraining(_RESNET, "resnet18", epochs=epochs, **{**settings, **changes})


def _sorted(curves):
    """Dict from a label to a dict from the epoch to a dict from the rank to the mean row over the seeds."""
    means = {}
    for label in dict.fromkeys(curve.label for curve in curves):
        same = {}
        for row in _rows([curve for curve in curves if curve.label == label]):
            same.setdefault(row["epoch"], {}).setdefault(row["rank"], []).append(row)
        means[label] = {
            epoch: {
                rank: {key: statistics.mean(row[key] for row in rows) for key in ("magnitude", "norm_share")}
                for rank, rows in by_rank.items()
            }
            for epoch, by_rank in same.items()
        }
    return means


def _rows(curves):
    return [
        {"label": curve.label, "seed": curve.seed, **row}
        for curve in curves
        for row in read_csv(curve.folder / GRADIENTS)
    ]


def _draw(figure, curves):
    networks = _sorted(curves)
    figure.set_size_inches(4.8 * len(networks) + 0.4, 6.4)
    columns = figure.subplots(2, len(networks), squeeze=False).T
    for column, (label, epochs) in zip(columns, networks.items(), strict=True):
        largest = 0
        for (epoch, by_rank), color in zip(epochs.items(), COLORS, strict=False):
            magnitudes = [row["magnitude"] for row in by_rank.values()]
            largest = max(largest, magnitudes[0])
            percents = [100 * rank / max(by_rank) for rank in by_rank]
            column[0].plot(percents, magnitudes, color=color, label=f"after epoch {epoch}" if epoch else "at first")
            column[1].plot(list(by_rank), magnitudes, color=color)
        column[0].set_title(f"{label}: {max(by_rank):,} components", fontsize=10, loc="left")
        column[0].set(xlabel="rank of the component, % of all", ylim=(0, None))
        column[1].set(xscale="log", yscale="log", xlabel="rank of the component", ylim=(largest / 1e6, 2 * largest))
        column[1].set_title("the same, both axes logarithmic", fontsize=10, loc="left")
        for axes in column:
            axes.grid(alpha=0.3)
            axes.set_ylabel("absolute value")
        column[0].legend(frameon=False, loc="upper right")
    figure.suptitle("Sorted absolute components of a stochastic gradient", x=0.01, ha="left")


def _table(curves):
    head = [
        *("network", "seeds", "components (paper)", "after epoch", "largest"),
        *(f"at {100 * fraction:g} %, of the largest" for fraction in FRACTIONS),
        *("squared norm in the largest 1 %", "in the largest 10 %"),
    ]
    lines = []
    for label, epochs in _sorted(curves).items():
        seeds = sum(curve.label == label for curve in curves)
        for epoch, by_rank in epochs.items():
            count, largest = max(by_rank), by_rank[1]["magnitude"]
            at = {fraction: by_rank[rank_of(fraction, count)] for fraction in FRACTIONS}
            cells = [
                *(label, seeds, f"{count:,} ({_PAPER.get(label, '-')})", epoch, f"{largest:.2g}"),
                *(percent(row["magnitude"] / largest) for row in at.values()),
                *(percent(at[fraction]["norm_share"]) for fraction in (0.01, 0.1)),
            ]
            lines.append(cells)
    note = "Absolute values at 1 %: of the component below which 99 % of all are. Means."
    return f"{markdown_table(head, lines)}\n\n{note}"


EXPERIMENT = Experiment(
    claim="Most components of a stochastic gradient are near zero, and only a small portion is significant.",
    trainings={
        # The digits' 8 by 8 pixels are too few for VGG-5, and nothing of ResNet-18 is quick.
        "quick": (
            GradientTraining("ReLU-Net on digits", "relu_net", "digits", 2, 0.001, train_limit=300, validation=100),
        ),
        "laptop": (
            _vgg(
                10,
                (0, 1, 3, 10),
                train_limit=5000,
                validation=1000,
                model_arguments={"batch_norm": True, "inner_kernel_size": 3, "width": 0.25},
            ),
            _resnet(15, (0, 1, 5, 15), train_limit=4000, validation=1000, model_arguments={"width": 0.25}),
        ),
        "paper": (_vgg(100, (0, 1, 10, 100)), _resnet(180, (0, 1, 30, 180))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    rows=_rows,
    table=_table,
)
