"""The figures of connectivity training: accuracy above, the fraction of changed connections below."""

import statistics

from scripts.connectivities.settings import INITIALIZER_NAMES, method_of
from scripts.publishing.curves import by_training, mean_curve
from scripts.publishing.figures import COLORS, draw_band, legend_below
from scripts.publishing.names import is_of, subject
from scripts.publishing.tables import markdown_table, mean_min_max, percent

# The order is that of Table 1, and a method has its colour in every figure.
METHODS = {
    "baseline": COLORS[0],
    "free pruning": COLORS[1],
    "minimal pruning": COLORS[2],
    "free flipping": COLORS[3],
    "minimal flipping": COLORS[5],
}
_HEAD = (
    *("training", "seeds", "highest mean held-out accuracy (epoch)"),
    *("test accuracy, best held-out epoch: mean", "min", "max", "test accuracy, last epoch"),
    *("changed, last epoch", "paper"),
)


def drawing(methods, network, data, accuracy_limits, what=""):
    """A function that draws the curves of some methods, one column for each initialization.

    Args:
        methods: tuple of str, of `METHODS`.
        network: str, the network of the paper's figure, a function of `models`.
        data: str, its data set.
        accuracy_limits: pair of floats, what the accuracy's axis shows where that is what was run.
        what: str, what the title says besides. Defaults to nothing.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        figure.set_size_inches(10, 5.5)
        groups = {}
        for curve in curves:
            groups.setdefault((curve.training.network.initializer, method_of(curve.training)), []).append(curve)
        present = [name for name in INITIALIZER_NAMES if any(name == initializer for initializer, _ in groups)]
        all_axes = figure.subplots(
            2, len(present), sharex=True, sharey="row", squeeze=False, gridspec_kw={"height_ratios": [3, 2]}
        )
        for (accuracy, changed), initializer in zip(all_axes.T, present, strict=True):
            for method in methods:
                same, style = groups.get((initializer, method)), {"color": METHODS[method], "label": method}
                if same:
                    draw_band(accuracy, same, "val_accuracy", "epoch", by="epoch", **style)
                if same and method != "baseline":
                    draw_band(changed, same, "changed", "epoch", by="epoch", **style)
            accuracy.set_title(INITIALIZER_NAMES[initializer], loc="left")
            if is_of(curves, (network,), data):
                accuracy.set_ylim(accuracy_limits)
                changed.set_ylim(0, 0.6)
            changed.set_xlabel("epoch")
            for axes in (accuracy, changed):
                axes.grid(alpha=0.3)
        all_axes[0, 0].set_ylabel("held-out accuracy")
        all_axes[1, 0].set_ylabel("fraction changed")
        legend_below(figure, all_axes[0, 0], columns=len(methods))
        figure.suptitle(subject(curves) + what, x=0.01, ha="left")

    return draw


def table(paper):
    """A function that makes the table of methods and initializations.

    Args:
        paper: dict from a label to the paper's number, as text.

    Returns:
        Function of a list of `Curve` that gives a table in Markdown.
    """

    def make(curves):
        lines = []
        for label, same in by_training(curves).items():
            held_out = mean_curve(same, "val_accuracy", "epoch", by="epoch")
            changed = [curve.summary["changed"] for curve in same if "changed" in curve.summary]
            cells = [
                *(label, len(same), f"{percent(held_out.max())} ({held_out.idxmax()})"),
                *mean_min_max([curve.summary["test_accuracy_at_best"] for curve in same]),
                percent(statistics.mean(curve.summary["test_accuracy"] for curve in same)),
                percent(statistics.mean(changed)) if changed else "-",
                paper.get(label, "-"),
            ]
            lines.append(cells)
        return markdown_table(_HEAD, lines)

    return make
