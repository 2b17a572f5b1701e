"""A regression: by how many degrees has a digit of MNIST been rotated?

Asked by review 2: "how does it translate to regression problems? In regression problems, I think some of the paper
observations would change since the exact value of the output is necessary." The authors answered by constraining their
claims to classification.

Command: `python -m scripts run laperm_regression --data DIR`; then `python -m scripts figure laperm_regression`.

Every image is rotated once by a uniform angle of up to 45 degrees either way; Conv2 with one linear output answers with
the angle and is trained on the squared error. The settings are those of Conv2 on CIFAR-10 (A.5.3) in all else: He
uniform, Adam at 0.001, the rate multiplied by 0.6 at the same fractions of all epochs, batch 50. With "output free" the
last layer is left to Adam and only what is below it is reconnected. The laptop size is a quarter as wide,
without dropout, has 7,000 images and 15 epochs. The quick size is a smaller network on digits.
"""

import dataclasses
import statistics

import pandas as pd

from scripts.experiment import Experiment
from scripts.laperm.angles import DEVIATION, LARGEST_ANGLE, asked_for_angles
from scripts.laperm.draw_accuracies import PANELS, style_of
from scripts.laperm.runs import final_mean, final_means, only
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv, laperm
from scripts.laperm.sizes import QUICK, laptop, sync_periods
from scripts.publishing.curves import by_training
from scripts.publishing.figures import draw_band, epoch_axis, legend_below
from scripts.publishing.names import subject
from scripts.publishing.tables import frame_table
from scripts.running.images import Images

_DIGITS_OF_MNIST = {"data": Images("mnist", validation=5000)}


def _trainings(size, paper_sync_periods, epochs, *smaller):
    def training(label, method):
        return asked_for_angles(conv(label, "conv2", epochs, _DIGITS_OF_MNIST, *smaller, method))

    all_k = sync_periods(size, paper_sync_periods)
    yield training("Adam", ADAM)
    yield training("Lookahead", LOOKAHEAD)
    for k in all_k:
        yield training(f"LaPerm, k = {k}", laperm(k))
    yield training(f"LaPerm, k = {all_k[-1]}, output free", laperm(all_k[-1], unit_axes={"^angle/": None}))


def _in_degrees(curve):
    """The same run with its errors in degrees."""
    rows = curve.rows.copy()
    errors = rows.columns.intersection(["val_error", "train_error"])
    rows[errors] *= LARGEST_ANGLE
    return dataclasses.replace(curve, rows=rows)


def _draw(figure, curves):
    figure.set_size_inches(10, 5)
    panels = figure.subplots(1, 2, sharey=True)
    groups = by_training([*map(_in_degrees, curves)])
    for axes, (metric, name) in zip(panels, PANELS.items(), strict=True):
        error = metric.replace("accuracy", "error")
        for number, (label, same) in enumerate(groups.items()):
            draw_band(axes, same, error, label=label, by="epochs", **style_of(same[0].training, number))
        axes.axhline(DEVIATION, color="0.3", linestyle=":", linewidth=1, label="always the answer 0")
        axes.set_title(name, loc="left", fontsize=10)
        epoch_axis(axes)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.grid(alpha=0.3, which="both")
    panels[0].set_ylim(top=1.5 * DEVIATION)  # worse is not worth looking at
    panels[0].set_ylabel("error in degrees (root mean square)")
    legend_below(figure, panels[0], 4)
    title = f"{subject(curves)}, the angle of a rotated digit: LaPerm right after synchronizations"
    figure.suptitle(title, x=0.01, ha="left")


def _table(curves):
    said = [
        frame_table(pd.DataFrame([_line(same) for same in by_training(curves).values()], dtype=object)),
        f"Errors are roots of mean squares; always to answer 0 has {DEVIATION:.1f} degrees.",
    ]
    ours, adam = (only(curves, method=method) for method in ("LaPerm", "Adam"))
    if adam:
        ratios = final_means(ours, "label", "test_error") / final_mean(adam, "test_error")
        text = "; ".join(f"{label}: {ratio:.2f}" for label, ratio in ratios.items())
        said.append(f"The paper has no regression. LaPerm's test error as a multiple of Adam's:\n\n- {text}.")
    return "\n\n".join(said)


def _line(same):
    """The cells of the runs of one training."""
    test, train = ([LARGEST_ANGLE * curve.final(f"{part}_error") for curve in same] for part in ("test", "train"))
    return {
        "training": same[0].label,
        "seeds": len(same),
        "test error in degrees: mean": f"{statistics.mean(test):.2f}",
        "min": f"{min(test):.2f}",
        "max": f"{max(test):.2f}",
        "training images": f"{statistics.mean(train):.2f}",
        "permutation": f"{sum(curve.summary['is_permutation'] for curve in same)} of {len(same)}",
    }


EXPERIMENT = Experiment(
    claim="Does LaPerm learn a regression, where exact values matter: the angle of a rotated digit? The paper's "
    "claims are about classification.",
    in_paper=False,
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), 4, QUICK)),
        "laptop": tuple(_trainings("laptop", (50, 200, 1000), 15, laptop(width=0.25, dropout=0.0))),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000), 125)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=_draw,
    table=_table,
)
