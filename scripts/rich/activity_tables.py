"""Where the active parameters are, as numbers: the shares of the layers."""

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


# Parts of a network, by the places of their layers from the bottom.
BOTTOM, BETWEEN, TOP = slice(0, 1), slice(1, -1), slice(-1, None)


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

    @functools.cached_property
    def times(self):
        """How many times its share of all parameters a layer's share of the active ones is.

        Data frame by alpha and layer, bottom first, with a column for each seed.
        """
        shares = written(self.curves, SHARES).pivot(index=["percent", "layer"], columns="seed", values="share")
        in_order = shares.reindex(self.shares.index)
        return in_order.div(self.sizes.reindex(in_order.index, level="layer"), axis="index")

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
    """The shares of the layers, and of those that the paper speaks of: tables in Markdown."""
    parts = []
    for rate, networks in by_rate(curves).items():
        heading = [] if rate == USUAL_RATE else [f"### Learning rate {rate}"]
        parts += [*heading, _table_of_shares(networks), _table_of_parts(networks)]
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


def _table_of_parts(networks):
    """The layers that the paper speaks of, with what each network has there for every alpha."""
    parts = {
        "all, the least and the most active": _extremes,
        "the bottom": _part(BOTTOM),
        "the top": _part(TOP),
        "between": _part(BETWEEN),
    }
    lines = [
        [part, f"{alpha} %", *(numbers(each.shares.loc[alpha, "mean"], each.sizes) for each in networks)]
        for part, numbers in parts.items()
        for alpha in networks[0].percents
    ]
    return markdown_table(["layers", "alpha", *(network.name for network in networks)], lines)


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
