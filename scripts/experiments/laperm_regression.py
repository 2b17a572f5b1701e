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

from scripts.experiment import Experiment
from scripts.laperm.angles import DEVIATION, LARGEST_ANGLE, AngleTraining
from scripts.laperm.draw_accuracies import PANELS, epoch_axis, legend_below, style_of
from scripts.laperm.runs import SYNCHRONIZED, final, in_epochs
from scripts.laperm.settings import ADAM, LOOKAHEAD, conv, laperm
from scripts.laperm.sizes import laptop, quick, sync_periods
from scripts.publishing.markdown import markdown_table
from scripts.publishing.results import by_label, draw_band

_FREE = {"unit_axes": {"^angle/": None}}


def _trainings(size, paper_sync_periods, **changes):
    all_k = sync_periods(size, paper_sync_periods)
    yield _training("Adam", **ADAM, **changes)
    yield _training("Lookahead", **LOOKAHEAD, **changes)
    for k in all_k:
        yield _training(f"LaPerm, k = {k}", **laperm(k), **changes)
    yield _training(f"LaPerm, k = {all_k[-1]}, output free", **laperm(all_k[-1], **_FREE), **changes)


def _training(label, epochs=125, **changes):
    settings = {"model": "conv2", "dataset": "mnist", "scaling": "unit", "augmentation": None}
    declared = conv(label, epochs=epochs, **{**settings, **changes})
    return AngleTraining(**vars(declared))


def _degrees(curve):
    """The same run with its errors in degrees."""
    errors = ("val_error", "train_error")
    rows = [{**row, **{e: LARGEST_ANGLE * row[e] for e in errors if e in row}} for row in curve.rows]
    return dataclasses.replace(curve, rows=rows)


def _draw(figure, curves):
    figure.set_size_inches(10, 5)
    panels = figure.subplots(1, 2, sharey=True)
    groups = by_label(in_epochs([*map(_degrees, curves)]))
    for axes, (metric, name) in zip(panels, PANELS.items(), strict=True):
        error = metric.replace("accuracy", "error")
        for number, (label, same) in enumerate(groups.items()):
            draw_band(axes, same, error, SYNCHRONIZED, label=label, **style_of(label, number))
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
    figure.suptitle("The angle of a rotated digit: LaPerm right after synchronizations", x=0.01, ha="left")


def _table(curves):
    head = ["training", "seeds", "test error in degrees: mean", "min", "max", "training images", "permutation"]
    lines, means = [], {}
    for label, same in by_label(curves).items():
        test, train = ([LARGEST_ANGLE * final(c, metric) for c in same] for metric in ("test_error", "train_error"))
        means[label] = statistics.mean(test)
        cells = [*(f"{f(test):.2f}" for f in (statistics.mean, min, max)), f"{statistics.mean(train):.2f}"]
        permuted = sum(c.summary["is_permutation"] for c in same)
        lines.append([label, len(same), *cells, f"{permuted} of {len(same)}"])
    said = [markdown_table(head, lines)]
    said.append(f"Errors are roots of mean squares; always to answer 0 has {DEVIATION:.1f} degrees.")
    if "Adam" in means:
        ratios = {label: mean / means["Adam"] for label, mean in means.items() if label.startswith("LaPerm")}
        ours = "; ".join(f"{label}: {ratio:.2f}" for label, ratio in ratios.items())
        said.append(f"The paper has no regression. LaPerm's test error as a multiple of Adam's:\n\n- {ours}.")
    return "\n\n".join(said)


EXPERIMENT = Experiment(
    claim="The paper's claims are about classification; here exact values matter: the angle of a rotated digit.",
    trainings={
        "quick": tuple(_trainings("quick", (200, 1000), epochs=4, **quick())),
        "laptop": tuple(_trainings("laptop", (50, 200, 1000), epochs=15, **laptop(width=0.25, dropout=0.0))),
        "paper": tuple(_trainings("paper", (50, 200, 1000, 2000))),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": (0, 1, 2)},
    draw=_draw,
    table=_table,
)
