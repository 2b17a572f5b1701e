"""Where the active parameters are, as the paper draws it: a rectangle for each weight matrix; and as numbers."""

import statistics

import matplotlib.cm
import matplotlib.colors
import numpy as np

from scripts.publishing.markdown import markdown_table, percent
from scripts.rich.activity_training import FREQUENCIES, SHARES
from scripts.running.files import read_csv

_COLOR_MAP = "cividis"
_LEGEND = (
    "A layer's column has its share of all, or of the active, parameters: mean (least to greatest of the seeds), and "
    "how many times the former the latter is; parameters chosen at random would give 1.00x. The column before has how "
    "many of all parameters were active in the mean: less than alpha where fewer components of the gradient differ "
    "from 0."
)


def drawing(title, setting=""):
    """A function that draws how often the parameters of each layer were active.

    A row for each alpha; the weight matrices from bottom to top, of one network beside the other.

    Args:
        title: str.
        setting: str, what follows the width in the labels of the curves to draw. Defaults to `""`: nothing does.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve` whose labels are "width n" or "width n, setting".
    """

    def draw(figure, curves):
        networks = _by_setting(curves).get(setting, {})
        layers = max((len(_layers(shares)) for shares in map(_shares, networks.values())), default=1)
        inches = [*len(networks) * [1.2 * layers], 1]
        figure.set_size_inches(sum(inches), 5.6)
        figure.suptitle(
            f"{title}{', ' * bool(setting)}{setting}: how often parameters were among the most active $\\alpha$ %.\n"
            "Above a weight matrix: its layer's share of the active parameters.\n"
            "Inputs go downwards, outputs to the right; the kernels of a convolution are tiles of 3 by 3.",
            x=0.01,
            ha="left",
            fontsize=10,
        )
        parts = figure.subfigures(1, len(inches), width_ratios=inches, squeeze=False)[0]
        for part, (width, same) in zip(parts, networks.items(), strict=False):
            part.suptitle(width, fontsize=11, fontweight="bold")
            _draw_network(part, same)
        scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 100), _COLOR_MAP)
        bar = parts[-1].colorbar(scale, cax=parts[-1].add_axes((0.05, 0.15, 0.15, 0.65)))
        bar.set_label("frequency over the epochs (%)", fontsize=9)

    return draw


def _draw_network(part, same):
    shares, frequencies = _shares(same), _frequencies(same)
    percents, layers, sizes = sorted(shares), _layers(shares), _sizes(shares)
    all_axes = part.subplots(len(percents), len(layers), squeeze=False)
    for row, alpha in zip(all_axes, percents, strict=True):
        active = _active(shares[alpha], sizes)
        too_few = f"\n(only {percent(active)} not 0)" * (active < 0.99 * alpha / 100)
        row[0].set_ylabel(rf"$\alpha$ = {alpha} %{too_few}", fontsize=9)
        for axes, layer in zip(row, layers, strict=True):
            mean = 100 * frequencies[f"{alpha}/{layer}/kernel"]
            axes.imshow(mean, cmap=_COLOR_MAP, vmin=0, vmax=100, aspect="auto", interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"{layer}: {100 * _mean(shares[alpha][layer], 'share'):.1f} %", fontsize=8)
    for axes, layer in zip(all_axes[-1], layers, strict=True):
        axes.set_xlabel(f"{shares[alpha][layer][0]['parameters']:,}\nparameters", fontsize=7)


def rows(curves):
    """The shares of all runs.

    Args:
        curves: list of `Curve`.

    Returns:
        List of dict.
    """
    return [
        {"label": curve.label, "seed": curve.seed, **row} for curve in curves for row in read_csv(curve.folder / SHARES)
    ]


def table(curves):
    """The shares of the layers, and the paper's findings with our numbers.

    Args:
        curves: list of `Curve` whose labels are "width n" or "width n, setting".

    Returns:
        Str, tables in Markdown.
    """
    parts = []
    for setting, networks in _by_setting(curves).items():
        shares = {width: _shares(same) for width, same in networks.items()}
        heading = [f"### {setting[0].upper()}{setting[1:]}"] if setting else []
        parts += [*heading, _table_of_shares(networks, shares), _table_of_findings(shares)]
    return "\n\n".join([*parts, _LEGEND])


def _table_of_shares(networks, shares):
    layers = _layers(next(iter(shares.values())))
    lines = []
    for width, by_percent in shares.items():
        accuracies = [curve.summary["test_accuracy"] for curve in networks[width]]
        sizes = _sizes(by_percent)
        about = (width, len(accuracies), percent(statistics.mean(accuracies)))
        lines.append([*about, "all parameters", "-", *map(percent, sizes.values())])
        for alpha, by_layer in by_percent.items():
            cells = [_spread([row["share"] for row in same], sizes[layer]) for layer, same in by_layer.items()]
            lines.append([width, "", "", f"{alpha} %", percent(_active(by_layer, sizes)), *cells])
    return markdown_table(["network", "seeds", "test accuracy", "alpha", "active", *layers], lines)


def _spread(shares, size):
    mean = statistics.mean(shares)
    return f"{percent(mean)} ({100 * min(shares):.2f} to {100 * max(shares):.2f}), {mean / size:.2f}x"


def _table_of_findings(shares):
    """What the paper says of narrow and wide networks, each with our numbers for every alpha."""
    findings = {
        "narrow: spread over all layers, none far from 1x": _extremes,
        "wide: concentrated in the bottom layer": _part(slice(0, 1)),
        "wide: in the top layer too of ReLU-Nets, not of Conv-Nets": _part(slice(-1, None)),
        "wide: hardly any in the layers between": _part(slice(1, -1)),
    }
    lines = []
    for finding, numbers in findings.items():
        for alpha in next(iter(shares.values())):
            cells = [numbers(by_percent[alpha], _sizes(by_percent)) for by_percent in shares.values()]
            lines.append([finding, f"{alpha} %", *cells])
    return markdown_table(["finding of the paper", "alpha", *shares], lines)


def _extremes(by_layer, sizes):
    times = {layer: _mean(by_layer[layer], "share") / sizes[layer] for layer in sizes}
    least, most = (extreme(times, key=times.get) for extreme in (min, max))
    return f"{times[least]:.2f}x ({least}) to {times[most]:.2f}x ({most})"


def _part(chosen):
    def numbers(by_layer, sizes):
        layers = list(sizes)[chosen]
        share = sum(_mean(by_layer[layer], "share") for layer in layers)
        size = sum(sizes[layer] for layer in layers)
        return f"{percent(share)} of the active, {percent(size)} of all: {share / size:.2f}x"

    return numbers


def _by_setting(curves):
    """Dict from what follows the width in a label to a dict from "width n" to the runs with it, in their order."""
    settings = {}
    for curve in curves:
        width, _, setting = curve.label.partition(", ")
        settings.setdefault(setting, {}).setdefault(width, []).append(curve)
    return settings


def _shares(same):
    """Dict from alpha to a dict from each layer, from bottom to top, to its rows, one for each run."""
    shares = {}
    for row in rows(same):
        shares.setdefault(row["percent"], {}).setdefault(row["layer"], []).append(row)
    return shares


def _frequencies(same):
    """Dict from the name of a picture to its mean over the runs."""
    files = []
    for curve in same:
        with np.load(curve.folder / FREQUENCIES) as file:
            files.append(dict(file))
    return {name: np.mean([file[name] for file in files], axis=0) for name in files[0]}


def _layers(shares):
    return list(next(iter(shares.values())))


def _sizes(shares):
    """Dict from each layer to its share of all parameters."""
    counts = {layer: same[0]["parameters"] for layer, same in next(iter(shares.values())).items()}
    return {layer: count / sum(counts.values()) for layer, count in counts.items()}


def _active(by_layer, sizes):
    """The fraction of all parameters that was active, in the mean over the epochs."""
    return sum(_mean(same, "fraction") * sizes[layer] for layer, same in by_layer.items())


def _mean(same, key):
    return statistics.mean(row[key] for row in same)
