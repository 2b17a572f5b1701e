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

from scripts.experiment import Experiment
from scripts.publishing.curves import by_training, written
from scripts.publishing.figures import COLORS
from scripts.publishing.tables import markdown_table, percent
from scripts.rich.settings import adam, balanced, nesterov, section_3
from scripts.rich.sorted_gradients import FRACTIONS, GRADIENTS, SortedGradients, rank_of
from scripts.running.training import changed

_VGG = section_3(
    "VGG-5 on MNIST",
    balanced("mnist"),
    ("vgg5", {"batch_norm": True, "inner_kernel_size": 3}),
    adam(),
    epochs=100,
    observers=(SortedGradients((0, 1, 10, 100)),),
)
_RESNET = section_3(
    "ResNet-18 on CIFAR-10",
    balanced("cifar10", limit=None),
    ("resnet18", {}),
    nesterov(),
    epochs=180,
    observers=(SortedGradients((0, 1, 30, 180)),),
)
# The digits' 8 by 8 pixels are too few for VGG-5, and nothing of ResNet-18 is quick.
_QUICK = section_3(
    "ReLU-Net on digits",
    balanced("digits", limit=300, validation=100),
    ("relu_net", {}),
    adam(),
    epochs=2,
    observers=(SortedGradients(),),
)
_PAPER = {_VGG.label: "3,646,154", _RESNET.label: "11,173,962"}


def _sorted(curves):
    """Dict from a label to a dict from the epoch to the mean components over the seeds, by their rank."""
    means = {}
    for label, same in by_training(curves).items():
        rows = _rows(same)
        means[label] = {
            epoch: of_epoch.groupby("rank")[["magnitude", "norm_share"]].mean()
            for epoch, of_epoch in rows.groupby("epoch")
        }
    return means


def _rows(curves):
    return written(curves, GRADIENTS)


def _draw(figure, curves):
    networks = _sorted(curves)
    figure.set_size_inches(4.8 * len(networks) + 0.4, 6.8)
    columns = figure.subplots(2, len(networks), sharex=True, sharey="row", squeeze=False).T
    for (above, below), (label, epochs) in zip(columns, networks.items(), strict=True):
        count = max(map(_count, epochs.values()))
        for (epoch, components), color in zip(epochs.items(), COLORS, strict=False):
            shares = components.index / count
            said = f"after epoch {epoch}" if epoch else "at first"
            above.plot(shares, components["magnitude"] / _largest(components), color=color, label=said)
            below.plot(shares, components["norm_share"], color=color)
        above.set_title(f"{label}: {count:,} components", fontsize=10, loc="left")
        above.set(xscale="log", yscale="log", ylim=(1e-5, 1.5))
        above.legend(frameon=False, loc="lower left")
        below.set(xlabel="the largest components, of all", ylim=(0, 1.03))
        below.set_xticks([10.0**power for power in range(-5, 1)])
        below.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
        for axes in (above, below):
            axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
            axes.grid(alpha=0.3)
    columns[0][0].set_ylabel("absolute value, of the largest one")
    columns[0][1].set_ylabel("what they have of the squared norm")
    figure.suptitle("Sorted absolute components of a stochastic gradient", x=0.01, ha="left")


def _count(components):
    return components.index.max()


def _largest(components):
    return components["magnitude"].max()


def _table(curves):
    head = [
        *("network", "seeds", "components", "paper: components", "after epoch", "largest"),
        *(f"at {100 * fraction:g} %, of the largest" for fraction in FRACTIONS),
        *("squared norm in the largest 1 %", "in the largest 10 %"),
    ]
    lines = []
    for label, epochs in _sorted(curves).items():
        seeds = len(by_training(curves)[label])
        for epoch, components in epochs.items():
            count, largest = _count(components), _largest(components)
            at = components.loc[[rank_of(fraction, count) for fraction in FRACTIONS]]
            cells = [
                *(label, seeds, f"{count:,}", _PAPER.get(label, "-"), epoch, f"{largest:.2g}"),
                *(percent(magnitude / largest) for magnitude in at["magnitude"]),
                *(percent(components.loc[rank_of(fraction, count), "norm_share"]) for fraction in (0.01, 0.1)),
            ]
            lines.append(cells)
    note = "Absolute values at 1 %: of the component below which 99 % of all are. Means."
    return f"{markdown_table(head, lines)}\n\n{note}"


EXPERIMENT = Experiment(
    claim="Most components of a stochastic gradient are near zero, and only a small portion is significant.",
    trainings={
        "quick": (_QUICK,),
        "laptop": (
            changed(
                _VGG,
                data=balanced("mnist", limit=5000, validation=1000),
                network={"arguments": {**_VGG.network.arguments, "width": 0.25}},
                epochs=10,
                observers=(SortedGradients((0, 1, 3, 10)),),
            ),
            changed(
                _RESNET,
                data=balanced("cifar10", limit=4000, validation=1000),
                network={"arguments": {"width": 0.25}},
                epochs=15,
                observers=(SortedGradients((0, 1, 5, 15)),),
            ),
        ),
        "paper": (_VGG, _RESNET),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=_draw,
    rows=_rows,
    table=_table,
)
