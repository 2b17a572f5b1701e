"""The figures of layer-wise sparse training: accuracy and time by variant, and error against time."""

import matplotlib.ticker
import numpy as np

from scripts.publishing.curves import by_training, ends
from scripts.publishing.figures import COLORS, legend_below
from scripts.publishing.names import subject
from scripts.rich.layerwise import Layerwise
from scripts.rich.layerwise_variants import PRE_TRAINED, family_of, is_pre_trained, numbers_of, rho_of

# A family has its colour and marker in every figure; what two share is told apart by the other.
STYLES = {
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


# What the colour of a bar says: which layers are trained, and when.
_KINDS = {
    "all layers": (COLORS[6], ("full",)),
    "the same layers in every epoch": (COLORS[0], ("top k", "bottom q", "top k + bottom q", "middle only")),
    "top layers in every epoch, others in some": (COLORS[1], [f"top {k} + all bottoms" for k in (1, 2, 3, 4)]),
    "layers drawn at random": (COLORS[2], ("random-uniform", "random-beta")),
}


def kind_of(training):
    """The name in `_KINDS` of a variant: one whose top is trained more often than its bottom is of the third kind."""
    if rho_of(training) != 1:
        return "top layers in every epoch, others in some"
    return next(kind for kind, (_, families) in _KINDS.items() if family_of(training) in families)


def drawing(full):
    """A function that draws, for each variant, the accuracy and beside it the time of the backward passes.

    The variants of one study, which differ in nothing but the layers, have a row of panels of their own.

    Args:
        full: list of `Training`, of each size the one with which the others are compared.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        studies = _studies(_on_the_images_of(full, curves))
        sizes = [len(groups) for groups in studies.values()]
        figure.set_size_inches(10, 1.6 + 0.24 * sum(sizes) + 0.45 * len(studies))
        grid = figure.subplots(len(studies), 2, sharex="col", squeeze=False, height_ratios=[n + 0.6 for n in sizes])
        for (accuracy, time), (study, groups) in zip(grid, studies.items(), strict=True):
            _draw_bars(accuracy, groups, "test_accuracy", "{:.1%}")
            _draw_bars(time, groups, "backward_ratio", "{:.2f}")
            names = [label.removesuffix(study) for label in groups] if study else [*groups]
            accuracy.set_yticks(range(len(groups)), names, size=9)
            time.set_yticks([])
            if len(studies) > 1:
                accuracy.set_title(study.removeprefix(", ") or "as in the paper, but for the size", loc="left", size=10)
        accuracy.set_xlabel("test accuracy")
        accuracy.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        time.set_xlabel("time of the backward passes, full training = 1")
        legend_below(figure, grid[:, 0], columns=2)
        figure.suptitle(f"{subject(curves)}: mean and range", x=0.01, ha="left")

    return draw


def _studies(groups):
    """The runs of each training by what was changed besides the layers: dict from the end of the label to a dict."""
    studies = {}
    for label, same in groups.items():
        setting = repr((_setting(same[0].training), is_pre_trained(same[0].training)))
        studies.setdefault(setting, {})[label] = same
    named = {}
    for found in studies.values():
        named.setdefault(_common_end([*found]), {}).update(found)
    return named


def _common_end(labels):
    """What all labels end with, from a comma on: `", rate 0.01"`, or nothing.

    >>> _common_end(["full, rate 0.01", "top 1, rho = 0.1, rate 0.01"]), _common_end(["full", "top 1"])
    (', rate 0.01', '')
    """
    ends_of = [{label[place:] for place in range(len(label)) if label.startswith(", ", place)} for label in labels]
    return max(set.intersection(*ends_of), key=len, default="")


def _draw_bars(axes, groups, key, form):
    for place, same in enumerate(groups.values()):
        mean, low, high = ends(same)[key].agg(["mean", "min", "max"])
        kind = kind_of(same[0].training)
        axes.barh(place, mean, height=0.72, color=_KINDS[kind][0], alpha=0.85, label=kind)
        axes.plot([low, high], [place, place], color="#333333", linewidth=1.5)
        axes.annotate(form.format(mean), (max(high, 0), place), (4, 0), textcoords="offset points", va="center", size=8)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.set_xlim(0, max(1.15, axes.get_xlim()[1]))
    axes.invert_yaxis()


def scattering(full, key, axis):
    """A function that draws the test error of each variant against a time.

    Args:
        full: as in `drawing`; only what differs in nothing but the variant is compared.
        key: str, the time in the summary of a run.
        axis: str, what it is called.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """
    settings = [_setting(training) for training in full]

    def draw(figure, curves):
        figure.set_size_inches(9, 5)
        axes, named = figure.subplots(), {}
        for same in by_training(curves).values():
            training = same[0].training
            if _setting(training) not in settings:
                continue
            means = ends(same)[[key, "test_accuracy"]].mean()
            family, rho = family_of(training), rho_of(training)
            color, marker = STYLES[family]
            area = (130 if marker == "*" else 70) if rho == 1 else 20 + 240 * rho
            face = "none" if is_pre_trained(training) else color
            place = means[key], 1 - means["test_accuracy"]
            style = {"facecolors": face, "edgecolors": color, "linewidths": 1.4, "alpha": 0.9}
            drawn = axes.scatter(*place, area, marker=marker, **style)
            named.setdefault(family + PRE_TRAINED * is_pre_trained(training), drawn)
            text = numbers_of(training)
            axes.annotate(text, place, (8, 3), textcoords="offset points", size=7, color="#333333")
        axes.axvline(0, color="#999999", linewidth=0.8)  # what trains the top layer alone is all but there
        axes.margins(0.07)
        axes.axhline(0, color="#999999", linewidth=0.8)
        axes.set(xlabel=axis, ylabel="test error")
        axes.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        axes.grid(alpha=0.3)
        figure.legend(named.values(), named, loc="outside right upper", frameon=False, fontsize=9)
        figure.suptitle(f"{subject(curves)}: marker size by rho", x=0.01, ha="left")

    return draw


def dynamics(full, variants):
    """A function that draws the errors of some variants against the time of the backward passes so far.

    It is counted in epochs of full training, with whose steps each run's were measured side by side: the seconds of
    runs at other times, on a machine that does other things too, cannot be compared.

    Args:
        full: as in `drawing`.
        variants: list of dict, as in `scripts.rich.layerwise_variants`: each is drawn without and with pre-training.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        axes = figure.subplots(1, 2, sharey=True)
        there = [curve for same in _on_the_images_of(full, curves).values() for curve in same]
        for (layerwise,) in (variant["observers"] for variant in variants):
            same = [curve for curve in there if curve.training.part(Layerwise) == layerwise]
            for curve in sorted(same, key=lambda curve: is_pre_trained(curve.training)):
                _draw_errors(axes, curve)
        for each, name in zip(axes, ("training", "held-out"), strict=True):
            each.set(xlabel="backward passes, in epochs of full training", ylabel=f"{name} error", ylim=(0, 1))
            each.axvline(0, color="#999999", linewidth=0.8)
            each.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
            each.grid(alpha=0.3)
        named = dict(zip(*axes[0].get_legend_handles_labels()[::-1], strict=True))
        figure.legend(named.values(), named, loc="outside lower center", ncols=2, frameon=False)
        figure.suptitle(f"{subject(curves)}: a line for each seed", x=0.01, ha="left")

    return draw


def _draw_errors(axes, curve):
    """The errors of a run on training and on held-out images."""
    color, _ = STYLES[family_of(curve.training)]
    style = {"color": color, "linestyle": "--" if is_pre_trained(curve.training) else "-", "linewidth": 1.2}
    by_epoch = curve.summary["backward_by_epoch"]
    passes = np.cumsum(by_epoch) * len(by_epoch) / curve.summary["full_backward_seconds"]
    for each, metric in zip(axes, ("accuracy", "val_accuracy"), strict=True):
        each.plot(passes, 1 - curve.values(metric, "epoch"), label=curve.label, **style)


def _on_the_images_of(full, curves):
    """The runs of each training, as `by_training`, without those that only prepare others, on other images."""
    images = [training.data for training in full]
    return {label: same for label, same in by_training(curves).items() if same[0].training.data in images}


def _setting(training):
    """What the variants of a figure have in common."""
    return training.data, training.network, training.optimizer, training.epochs, training.batch_size
