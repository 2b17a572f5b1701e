"""Where the active parameters are, as numbers: the shares of the layers, and the paper's findings beside ours."""

import dataclasses
import functools
import statistics

import numpy as np

from scripts.publishing.curves import by_training, written
from scripts.publishing.tables import markdown_table, percent
from scripts.rich.activity import FREQUENCIES, SHARES
from scripts.rich.settings import USUAL_RATE

_LEGEND = (
    "A layer's column has its share of all, or of the active, parameters: mean (least to greatest of the seeds), and "
    "how many times the former the latter is; parameters chosen at random would give 1.00x. The column before has how "
    "many of all parameters were active in the mean: less than alpha where fewer components of the gradient differ "
    "from 0."
)


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """The finished runs of one training."""

    curves: list

    @property
    def name(self):
        """What the paper tells the networks of a figure apart by."""
        arguments = self.curves[0].training.network.arguments
        return f"width {arguments['units'] if 'units' in arguments else arguments['filters']}"

    @functools.cached_property
    def shares(self):
        """Data frame by alpha and layer, bottom first.

        Over the runs `mean`, `min` and `max` of the layer's share of the active parameters and the mean `fraction` of
        its own that were active; and its number of `parameters`.
        """
        groups = written(self.curves, SHARES).groupby(["percent", "layer"], sort=False)
        shares = groups["share"].agg(["mean", "min", "max"])
        return shares.assign(fraction=groups["fraction"].mean(), parameters=groups["parameters"].first())

    @property
    def percents(self):
        """The values of alpha."""
        return self.shares.index.unique("percent")

    @property
    def parameters(self):
        """The number of parameters of each layer, bottom first."""
        return self.shares.loc[self.percents[0], "parameters"]

    @property
    def sizes(self):
        """The share of each layer of all parameters."""
        return self.parameters / self.parameters.sum()

    def active(self, alpha):
        """The fraction of all parameters that was active, in the mean over the epochs and runs."""
        return (self.shares.loc[alpha, "fraction"] * self.sizes).sum()

    def frequencies(self):
        """Dict from the name of a picture to its mean over the runs."""
        files = []
        for curve in self.curves:
            with np.load(curve.folder / FREQUENCIES) as file:
                files.append(dict(file))
        return {name: np.mean([file[name] for file in files], axis=0) for name in files[0]}


def by_rate(curves):
    """The networks of a figure by their learning rate: dict from that to a list of `Network`, in their order."""
    rates = {}
    for same in by_training(curves).values():
        rates.setdefault(same[0].training.optimizer.learning_rate, []).append(Network(same))
    return rates


def activity_rows(curves):
    """The shares of all runs."""
    return written(curves, SHARES)


def activity_table(curves):
    """The shares of the layers, and the paper's findings with our numbers: tables in Markdown."""
    parts = []
    for rate, networks in by_rate(curves).items():
        heading = [] if rate == USUAL_RATE else [f"### Learning rate {rate}"]
        parts += [*heading, _table_of_shares(networks), _table_of_findings(networks)]
    return "\n\n".join([*parts, _LEGEND])


def _table_of_shares(networks):
    """For each network its sizes, then its shares for each alpha."""
    lines = []
    for network in networks:
        accuracies = [curve.summary["test_accuracy"] for curve in network.curves]
        about = (network.name, len(accuracies), percent(statistics.mean(accuracies)))
        lines.append([*about, "all parameters", "-", *map(percent, network.sizes)])
        for alpha in network.percents:
            cells = [
                f"{percent(row['mean'])} ({100 * row['min']:.2f} to {100 * row['max']:.2f}), {row['mean'] / size:.2f}x"
                for (_, row), size in zip(network.shares.loc[alpha].iterrows(), network.sizes, strict=True)
            ]
            lines.append([network.name, "", "", f"{alpha} %", percent(network.active(alpha)), *cells])
    layers = networks[0].sizes.index
    return markdown_table(["network", "seeds", "test accuracy", "alpha", "active", *layers], lines)


def _table_of_findings(networks):
    """What the paper says of narrow and wide networks, each with our numbers for every alpha."""
    findings = {
        "narrow: spread over all layers, none far from 1x": _extremes,
        "wide: concentrated in the bottom layer": _part(slice(0, 1)),
        "wide: in the top layer too of ReLU-Nets, not of Conv-Nets": _part(slice(-1, None)),
        "wide: hardly any in the layers between": _part(slice(1, -1)),
    }
    lines = [
        [finding, f"{alpha} %", *(numbers(each.shares.loc[alpha, "mean"], each.sizes) for each in networks)]
        for finding, numbers in findings.items()
        for alpha in networks[0].percents
    ]
    return markdown_table(["finding of the paper", "alpha", *(network.name for network in networks)], lines)


def _extremes(shares, sizes):
    """The layers with the smallest and the largest ratio of both shares."""
    times = shares / sizes
    least, most = times.idxmin(), times.idxmax()
    return f"{times[least]:.2f}x ({least}) to {times[most]:.2f}x ({most})"


def _part(chosen):
    """A function that says what some layers together have, by their places from the bottom."""

    def numbers(shares, sizes):
        share, size = shares.iloc[chosen].sum(), sizes.iloc[chosen].sum()
        return f"{percent(share)} of the active, {percent(size)} of all: {share / size:.2f}x"

    return numbers
