"""The published numbers of section 4: the curves, one line for each network, and the paper's findings beside ours."""

import dataclasses

import pandas as pd

from scripts.publishing.curves import by_training, ends, written
from scripts.publishing.tables import markdown_table, mean_min_max, percent
from scripts.rich.reinitialized import REINITIALIZED
from scripts.running.training import Training

_HEAD = (
    *("network", "seeds", "parameters", "initial: mean", "trained: mean", "min", "max"),
    *("0.1 % most active put back", "lowest (gamma)", "smallest epsilon within 1 point"),
)
_FEW, _TENTH = 0.1, 10  # percent, which every experiment measures
_POINT = 0.01


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """The finished runs of one training.

    Args:
        training: `Training`.
        summaries: data frame, a row for each seed.
        active: data frame with `mean`, `min` and `max` over the seeds of the test accuracy, by gamma.
        lazy: the same by epsilon.
    """

    training: Training
    summaries: pd.DataFrame
    active: pd.DataFrame
    lazy: pd.DataFrame

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
    def drop(self):
        """The mean loss of accuracy where the most active 0.1 % of the parameters are put back."""
        return self.trained.mean() - self.active["mean"][_FEW]

    @property
    def lowest(self):
        """Pair: the gamma of the lowest mean accuracy, and that accuracy."""
        return self.active["mean"].idxmin(), self.active["mean"].min()

    @property
    def enough(self):
        """The smallest epsilon whose mean accuracy is at most one point under that of the trained network."""
        least = self.trained.mean() - _POINT - 1e-9  # decimal fractions are not exact
        return self.lazy.index[self.lazy["mean"] >= least].min()


def networks(curves):
    """Finished runs by their training: list of `Network`, in the order of the curves."""
    found = []
    for same in by_training(curves).values():
        rows = written(same, REINITIALIZED).astype({"percent": float})
        accuracies = rows.groupby(["reinitialized", "percent"])["test_accuracy"].agg(["mean", "min", "max"])
        found.append(Network(same[0].training, ends(same), accuracies.loc["active"], accuracies.loc["lazy"]))
    return found


def movement_rows(curves):
    """The plotted numbers: data frame of the accuracy after each re-initialization of each run."""
    rows = written(curves, REINITIALIZED)
    return rows.assign(percent=[f"{each:g}" for each in rows["percent"]])  # "10" beside "0.1", not "10.0"


def movement_table(curves):
    """One line for each network, then what the paper finds, each with our numbers: Markdown."""
    found = networks(curves)
    lines = [markdown_table(_HEAD, map(_cells, found))]
    groups = {}
    for network in found:
        groups.setdefault(f"d = {network.depth}, rate {network.rate:g}", []).append(network)
    lines += ["", "What the paper finds, and our means over the seeds by width, in test accuracy:", ""]
    for finding, ours in _FINDINGS.items():
        lines.append(f"- {finding}")
        lines += [f"  - {name}: {ours(group)}" for name, group in groups.items()]
    return "\n".join(lines)


def _cells(network):
    gamma, lowest = network.lowest
    return [
        *(network.training.label, len(network.summaries), f"{network.summaries['parameters'][0]:,}"),
        percent(network.initial.mean()),
        *mean_min_max(network.trained),
        percent(network.active["mean"][_FEW]),
        f"{percent(lowest)} ({gamma:g} %)",
        f"{network.enough:g} %",
    ]


def _points(fraction):
    return f"{round(100 * fraction, 1) + 0.0:.1f}"  # never -0.0


def _by_width(networks, text):
    return ", ".join(f"w = {network.width:,}: {text(network)}" for network in networks)


def _drops(networks):
    drops = [network.drop for network in networks]
    each = _by_width(networks, lambda network: _points(network.drop))
    return f"{_points(min(drops))} to {_points(max(drops))} points lost ({each})"


def _lowest(networks):
    def text(network):
        gamma, lowest = network.lowest
        return f"{percent(network.active['mean'][_TENTH])} at 10 %, lowest {percent(lowest)} at {gamma:g} %"

    return _by_width(networks, text)


def _recoveries(networks):
    each = _by_width(networks, lambda network: _points(network.initial.mean() - network.lowest[1]))
    return f"points from the lowest to 100 %, {each}"


def _initial(networks):
    return _by_width(networks, lambda network: percent(network.initial.mean()))


def _narrow_against_wide(networks):
    narrow, wide = (extreme(networks, key=lambda network: network.width) for extreme in (min, max))
    return (
        f"trained w = {narrow.width:,}: {percent(narrow.trained.mean())}, lowest seed {percent(narrow.trained.min())}; "
        f"random w = {wide.width:,}: {percent(wide.initial.mean())}, highest seed {percent(wide.initial.max())}"
    )


def _enough(networks):
    return f"smallest epsilon within 1 point, {_by_width(networks, lambda network: f'{network.enough:g} %')}"


_FINDINGS = {
    "Even putting 0.1 % of the parameters back, the most active, hurts at every width.": _drops,
    "Most networks are worst where about 10 % of the parameters, the most active, are put back.": _lowest,
    "From there on to 100 % accuracy rises again, more in wider networks.": _recoveries,
    "Wider random networks do better; with d = 1 no longer from w = 1,000 on.": _initial,
    "Trained w = 10 (Fashion-MNIST: w = 20) beats random w = 100,000.": _narrow_against_wide,
    "To keep about 10 % of the parameters as trained, the most active, is enough for w = 100,000 and d = 1; fewer are "
    "for w = 5,000 and d = 4.": _enough,
}
