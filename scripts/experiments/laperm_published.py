"""The networks that LaPerm's authors published, evaluated by the code that evaluates ours.

Claim: the accuracies that the authors state for their weights (Qiu and Suda 2020, sections 5.1, 5.4 and 5.5).

Command: `python -m scripts run laperm_published --data DIR`; then `python -m scripts figure laperm_published`. DIR
holds the data sets and the authors' files, from the folder `pretrained` of their repository ihsuy/Train-by-Reconnect.

Nothing is trained. Images are scaled as the authors scaled them, which differs from network to network. The ResNet50s
stand in the table of `laperm_fig8` too, once they have been evaluated into the same folder of results.
"""

import pandas as pd

from models.published import PUBLISHED
from scripts.experiment import Experiment
from scripts.laperm.published_weights import PublishedWeights, published_network
from scripts.publishing.figures import COLORS
from scripts.publishing.headlines import Headline, accuracy
from scripts.publishing.tables import frame_table, percent

_NETWORKS = tuple(map(published_network, PUBLISHED))


_HEADLINES = ("F1", "F2", "Conv7")


def _stated(training):
    return PUBLISHED[training.part(PublishedWeights).name].paper_accuracy


def _draw(figure, curves):
    axes, rows = figure.subplots(), range(len(curves))
    axes.plot(
        [_stated(curve.training) for curve in curves],
        rows,
        "o",
        color=COLORS[0],
        fillstyle="none",
        markersize=9,
        label="stated",
    )
    axes.plot([curve.summary["test_accuracy"] for curve in curves], rows, "s", color=COLORS[1], label="here")
    axes.set_yticks(rows, [curve.label for curve in curves])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda accuracy, _: f"{100 * accuracy:.6g} %")
    axes.set(xlabel="test accuracy")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle("The weights that LaPerm's authors published", x=0.01, ha="left")


def _table(curves):
    lines = [
        {
            "network": curve.label,
            "test accuracy": percent(curve.summary["test_accuracy"]),
            "paper": percent(_stated(curve.training)),
            "test images": f"{curve.summary['test_images']:,}",
            "training images": percent(curve.summary["train_accuracy"]),
        }
        for curve in curves
    ]
    return f"{frame_table(pd.DataFrame(lines))}\n\nAccuracies on training images are of 5,000 of them, drawn at random."


EXPERIMENT = Experiment(
    claim="The weights that the authors published have the accuracies that the authors state.",
    trainings={"quick": _NETWORKS[:1], "paper": _NETWORKS},
    seeds={"quick": (0,), "paper": (0,)},
    headlines=tuple(
        Headline(
            f"{training.label} network, its published weights", accuracy(training.label), percent(_stated(training))
        )
        for training in _NETWORKS
        if training.part(PublishedWeights).name in _HEADLINES
    ),
    default_size="paper",
    draw=_draw,
    rows=lambda curves: [],  # nothing is trained, so nothing is evaluated on the way
    table=_table,
)
