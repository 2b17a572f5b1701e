"""The figures of connectivity training: accuracy above, the fraction of changed connections below."""

import statistics

from scripts.publishing.markdown import markdown_table, mean_min_max, percent
from scripts.publishing.results import COLORS, by_label, draw_band

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
INITIALIZER_NAMES = {
    "glorot_normal": "Glorot normal",
    "he_normal": "He normal",
    "signed_he_constant": "He constant",
}


def drawing(methods, title, accuracy_limits):
    """A function that draws the curves of some methods, one column for each initialization.

    Args:
        methods: tuple of str, of `METHODS`.
        title: str.
        accuracy_limits: pair of floats, what the accuracy's axis shows.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve` whose labels are "method, initialization".
    """

    def draw(figure, curves):
        figure.set_size_inches(10, 5.5)
        present = {curve.label.split(", ")[1] for curve in curves}
        names = [name for name in INITIALIZER_NAMES.values() if name in present]
        all_axes = figure.subplots(
            2, len(names), sharex=True, sharey="row", squeeze=False, gridspec_kw={"height_ratios": [3, 2]}
        )
        for (accuracy, changed), name in zip(all_axes.T, names, strict=True):
            for method in methods:
                same = [curve for curve in curves if curve.label == f"{method}, {name}"]
                if same:
                    draw_band(accuracy, same, "val_accuracy", ("epoch",), METHODS[method], method, by="epoch")
                if same and method != "baseline":
                    draw_band(changed, same, "changed", ("epoch",), METHODS[method], method, by="epoch")
            accuracy.set_title(name, loc="left")
            accuracy.set_ylim(accuracy_limits)
            changed.set_ylim(0, 0.6)
            changed.set_xlabel("epoch")
            for axes in (accuracy, changed):
                axes.grid(alpha=0.3)
        all_axes[0, 0].set_ylabel("held-out accuracy")
        all_axes[1, 0].set_ylabel("fraction changed")
        handles, labels = all_axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(methods), frameon=False)
        figure.suptitle(title, x=0.01, ha="left")

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
        for label, same in by_label(curves).items():
            held_out = [curve.values("val_accuracy", ("epoch",))[1] for curve in same]
            means = [statistics.mean(values) for values in zip(*held_out, strict=True)]
            cells = [
                label,
                len(same),
                f"{percent(max(means))} ({means.index(max(means)) + 1})",
                *mean_min_max([curve.summary["test_accuracy_at_best"] for curve in same]),
                percent(statistics.mean(curve.summary["test_accuracy"] for curve in same)),
                percent(statistics.mean(curve.summary["changed"] for curve in same))
                if "changed" in same[0].summary
                else "-",
                paper.get(label, "-"),
            ]
            lines.append(cells)
        return markdown_table(_HEAD, lines)

    return make
