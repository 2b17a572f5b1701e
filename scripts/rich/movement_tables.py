"""The published numbers of section 4: the curves, and one line for each network."""

import dataclasses

import pandas as pd

from scripts.publishing.curves import by_training, ends, written
from scripts.publishing.tables import markdown_table, mean_min_max, percent
from scripts.publishing.verdicts import POINT
from scripts.rich.reinitialized import REINITIALIZED
from scripts.running.training import Training

_HEAD = (
    *("network", "seeds", "parameters", "initial: mean", "trained: mean", "min", "max"),
    *("0.1 % most active put back", "lowest (gamma)", "smallest epsilon within 1 point"),
)
FEW = 0.1  # percent, which every experiment measures


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """The finished runs of one training.

    Args:
        training: `Training`.
        summaries: data frame, a row for each seed.
        active: data frame with `mean`, `min` and `max` over the seeds of the test accuracy, by gamma.
        lazy: the same by epsilon.
        by_seed: data frame with a column for each seed of the test accuracy, by `"active"` or `"lazy"` and percentage.
    """

    training: Training
    summaries: pd.DataFrame
    active: pd.DataFrame
    lazy: pd.DataFrame
    by_seed: pd.DataFrame

    @property
    def depth(self):
        """The number of hidden layers."""
        return self.training.network.arguments["depth"]

    @property
    def width(self):
        """The units of each of these."""
        return self.training.network.arguments["units"]

    @property
    def rate(self):
        """The learning rate."""
        return self.training.optimizer.learning_rate

    @property
    def trained(self):
        """Test accuracies of the trained network, one for each seed."""
        return self.summaries["test_accuracy"]

    @property
    def initial(self):
        """The same of the initial one."""
        return self.summaries["test_accuracy_initial"]

    @property
    def lowest(self):
        """Pair: the gamma of the lowest mean accuracy, and that accuracy."""
        return self.active["mean"].idxmin(), self.active["mean"].min()

    @property
    def enough(self):
        """The smallest epsilon whose mean accuracy is at most one point under that of the trained network."""
        return smallest_enough(self.lazy["mean"], self.trained.mean())


def smallest_enough(accuracies, trained):
    """The smallest epsilon, by which the accuracies are indexed, at which these are at most one point below another."""
    least = trained - POINT - 1e-9  # decimal fractions are not exact
    return accuracies.index[accuracies >= least].min()


def networks(curves):
    """Finished runs by their training: list of `Network`, in the order of the curves."""
    found = []
    for same in by_training(curves).values():
        rows = written(same, REINITIALIZED).astype({"percent": float})
        accuracies = rows.groupby(["reinitialized", "percent"])["test_accuracy"].agg(["mean", "min", "max"])
        by_seed = rows.pivot(index=["reinitialized", "percent"], columns="seed", values="test_accuracy")
        found.append(Network(same[0].training, ends(same), accuracies.loc["active"], accuracies.loc["lazy"], by_seed))
    return found


def movement_rows(curves):
    """The plotted numbers: data frame of the accuracy after each re-initialization of each run."""
    rows = written(curves, REINITIALIZED)
    return rows.assign(percent=[f"{each:g}" for each in rows["percent"]])  # "10" beside "0.1", not "10.0"


def movement_table(curves):
    """One line for each network: Markdown."""
    return markdown_table(_HEAD, map(_cells, networks(curves)))


def _cells(network):
    gamma, lowest = network.lowest
    return [
        *(network.training.label, len(network.summaries), f"{network.summaries['parameters'][0]:,}"),
        percent(network.initial.mean()),
        *mean_min_max(network.trained),
        percent(network.active["mean"][FEW]),
        f"{percent(lowest)} ({gamma:g} %)",
        f"{network.enough:g} %",
    ]
