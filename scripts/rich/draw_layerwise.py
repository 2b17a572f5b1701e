"""The figures of layer-wise sparse training: accuracy and time by variant, and error against time."""

import itertools
import statistics

import matplotlib.ticker

from scripts.publishing.results import COLORS, by_label
from scripts.rich.layerwise_variants import PRE_TRAINED, family_of, rho_of

# A family has its colour and marker in every figure; what two share is told apart by the other.
_STYLES = {
    "full": (COLORS[6], "*"),
    "top k": (COLORS[0], "o"),
    "bottom q": (COLORS[4], "s"),
    "top k + bottom q": (COLORS[3], "D"),
    "middle only": (COLORS[5], "P"),
    "top 1 + all bottoms": (COLORS[1], "^"),
    "top 2 + all bottoms": (COLORS[1], "<"),
    "top 3 + all bottoms": (COLORS[2], ">"),
    "top 4 + all bottoms": (COLORS[2], "v"),
    "random-uniform": (COLORS[4], "X"),
    "random-beta": (COLORS[5], "h"),
}


def drawing(title):
    """A function that draws, for each variant, the accuracy and beside it the time of the backward passes.

    Args:
        title: str.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve` whose labels are those of `layerwise_variants`.
    """

    def draw(figure, curves):
        groups = _compared(curves)
        figure.set_size_inches(10, 1.3 + 0.24 * len(groups))
        accuracy, time = figure.subplots(1, 2, sharey=True)
        for axes, key, form in ((accuracy, "test_accuracy", "{:.1%}"), (time, "backward_ratio", "{:.2f}")):
            for place, (label, same) in enumerate(groups.items()):
                values = [curve.summary[key] for curve in same]
                mean, low, high = (f(values) for f in (statistics.mean, min, max))
                color, _ = _STYLES[family_of(label)]
                axes.barh(place, mean, height=0.72, color=color, alpha=0.45 if PRE_TRAINED in label else 0.9)
                axes.plot([low, high], [place, place], color="#333333", linewidth=1.5)
                axes.annotate(
                    form.format(mean), (max(high, 0), place), (4, 0), textcoords="offset points", va="center", size=8
                )
            axes.grid(axis="x", alpha=0.3)
            axes.set_axisbelow(True)
            axes.set_xlim(0, 1.15)
        accuracy.set_yticks(range(len(groups)), groups, size=9)
        accuracy.invert_yaxis()
        accuracy.set_xlabel("test accuracy")
        accuracy.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        time.set_xlabel("time of the backward passes, full training = 1")
        figure.suptitle(f"{title}: mean and range", x=0.01, ha="left")

    return draw


def scattering(title, key, axis):
    """A function that draws the test error of each variant against a time.

    Args:
        title: str.
        key: str, the time in the summary of a run.
        axis: str, what it is called.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`, as `drawing`.
    """

    def draw(figure, curves):
        figure.set_size_inches(9, 5)
        axes, named = figure.subplots(), {}
        for label, same in _compared(curves).items():
            if any(word in label for word in ("rate", "epochs", "counted")):  # not what the others are compared at
                continue
            x = statistics.mean(curve.summary[key] for curve in same)
            y = 1 - statistics.mean(curve.summary["test_accuracy"] for curve in same)
            family, rho = family_of(label), rho_of(label)
            color, marker = _STYLES[family]
            is_pre_trained = PRE_TRAINED in label
            area = (130 if marker == "*" else 70) if rho == 1 else 20 + 240 * rho
            face = "none" if is_pre_trained else color
            points = axes.scatter(
                x, y, area, marker=marker, facecolors=face, edgecolors=color, linewidths=1.4, alpha=0.9
            )
            named.setdefault(family + PRE_TRAINED * is_pre_trained, points)
            text = _number_of(label)
            axes.annotate(text, (x, y), (8, 3), textcoords="offset points", size=7, color="#333333")
        axes.axvline(0, color="#999999", linewidth=0.8)  # what trains the top layer alone is all but there
        axes.margins(0.07)
        axes.axhline(0, color="#999999", linewidth=0.8)
        axes.set(xlabel=axis, ylabel="test error")
        axes.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        axes.grid(alpha=0.3)
        figure.legend(named.values(), named, loc="outside right upper", frameon=False, fontsize=9)
        figure.suptitle(f"{title}: marker size by rho", x=0.01, ha="left")

    return draw


def _number_of(label):
    """What a point is called beside its family: k and q, or rho."""
    if "rho" in label:
        return f"{rho_of(label):g}"
    numbers = [part.split()[1] for part in label.split(",")[0].split(" + ") if part.startswith(("top", "bottom"))]
    return "+".join(numbers)


def dynamics(title, labels):
    """A function that draws the errors of some variants against the seconds spent on backward passes so far.

    Args:
        title: str.
        labels: tuple of str.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`, as `drawing`.
    """

    def draw(figure, curves):
        axes = figure.subplots(1, 2, sharey=True)
        for curve in [curve for label in labels for curve in curves if curve.label == label]:
            color, _ = _STYLES[family_of(curve.label)]
            style = {"color": color, "linestyle": "--" if PRE_TRAINED in curve.label else "-", "linewidth": 1.2}
            seconds = list(itertools.accumulate(curve.summary["backward_by_epoch"]))
            for each, metric in zip(axes, ("accuracy", "val_accuracy"), strict=True):
                error = [1 - accuracy for accuracy in curve.values(metric, ("epoch",))[1]]
                each.plot(seconds, error, label=curve.label, **style)
        for each, name in zip(axes, ("training", "held-out"), strict=True):
            each.set(xlabel="seconds of backward passes", ylabel=f"{name} error", xlim=(0, None), ylim=(0, 1))
            each.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
            each.grid(alpha=0.3)
        named = dict(zip(*axes[0].get_legend_handles_labels()[::-1], strict=True))
        figure.legend(named.values(), named, loc="outside lower center", ncols=2, frameon=False)
        figure.suptitle(f"{title}: a line for each seed", x=0.01, ha="left")

    return draw


def _compared(curves):
    """The variants, without what only prepares others."""
    return {label: same for label, same in by_label(curves).items() if family_has_a_style(label)}


def family_has_a_style(label):
    """Whether the pictures show a variant.

    Args:
        label: str.

    Returns:
        Bool.

    Example:

    >>> family_has_a_style("top 3"), family_has_a_style("pre-training")
    (True, False)
    """
    return family_of(label) in _STYLES
