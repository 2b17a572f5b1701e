"""The published numbers of section 4: the curves, one line for each network, and the paper's findings beside ours."""

import dataclasses
import statistics

from scripts.publishing.markdown import markdown_table, mean_min_max, percent
from scripts.publishing.results import by_label
from scripts.rich.movement_training import reinitialized, setting_of

_HEAD = (
    *("network", "seeds", "parameters", "initial: mean", "trained: mean", "min", "max"),
    *("0.1 % most active put back", "lowest (gamma)", "smallest epsilon within 1 point"),
)
_FEW, _TENTH = 0.1, 10  # percent, which every experiment measures
_POINT = 0.01


@dataclasses.dataclass(frozen=True)
class Network:
    """The finished runs of one width, depth and learning rate.

    Args:
        label: str.
        summaries: list of dict, one for each seed.
        active: dict from gamma to the test accuracies of the seeds.
        lazy: dict from epsilon to the same.
    """

    label: str
    summaries: list
    active: dict
    lazy: dict

    @property
    def setting(self):
        """`scripts.rich.movement_training.Setting`."""
        return setting_of(self.label)

    @property
    def trained(self):
        """Test accuracies of the trained network, one for each seed."""
        return [summary["test_accuracy"] for summary in self.summaries]

    @property
    def initial(self):
        """The same of the initial one."""
        return [summary["test_accuracy_initial"] for summary in self.summaries]

    @property
    def drop(self):
        """The mean loss of accuracy where the most active 0.1 % of the parameters are put back."""
        return statistics.mean(self.trained) - statistics.mean(self.active[_FEW])

    @property
    def lowest(self):
        """Pair: the gamma of the lowest mean accuracy, and that accuracy."""
        means = {gamma: statistics.mean(values) for gamma, values in self.active.items()}
        gamma = min(means, key=means.get)
        return gamma, means[gamma]

    @property
    def enough(self):
        """The smallest epsilon whose mean accuracy is at most one point under that of the trained network."""
        least = statistics.mean(self.trained) - _POINT - 1e-9  # decimal fractions are not exact
        return min(epsilon for epsilon, values in self.lazy.items() if statistics.mean(values) >= least)


def networks(curves):
    """Finished runs by their label.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        List of `Network`, in the order of the curves.
    """
    found = []
    for label, same in by_label(curves).items():
        accuracies = {"active": {}, "lazy": {}}
        for row in (row for curve in same for row in reinitialized(curve)):
            accuracies[row["reinitialized"]].setdefault(row["percent"], []).append(row["test_accuracy"])
        found.append(Network(label, [curve.summary for curve in same], **accuracies))
    return found


def movement_rows(curves):
    """The plotted numbers: accuracy after each re-initialization of each run.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        List of dict.
    """
    return [{"label": curve.label, "seed": curve.seed, **row} for curve in curves for row in reinitialized(curve)]


def movement_table(curves):
    """One line for each network, then what the paper finds, each with our numbers.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Str, Markdown.
    """
    found = networks(curves)
    lines = [markdown_table(_HEAD, map(_cells, found))]
    groups = {}
    for network in found:
        depth, _, rate = network.setting
        groups.setdefault(f"d = {depth}, rate {rate:g}", []).append(network)
    lines += ["", "What the paper finds, and our means over the seeds by width, in test accuracy:", ""]
    for finding, ours in _FINDINGS.items():
        lines.append(f"- {finding}")
        lines += [f"  - {name}: {ours(group)}" for name, group in groups.items()]
    return "\n".join(lines)


def _cells(network):
    gamma, lowest = network.lowest
    return [
        *(network.label, len(network.summaries), f"{network.summaries[0]['parameters']:,}"),
        percent(statistics.mean(network.initial)),
        *mean_min_max(network.trained),
        percent(statistics.mean(network.active[_FEW])),
        f"{percent(lowest)} ({gamma:g} %)",
        f"{network.enough:g} %",
    ]


def _points(fraction):
    return f"{round(100 * fraction, 1) + 0.0:.1f}"  # never -0.0


def _by_width(networks, text):
    return ", ".join(f"w = {network.setting.width:,}: {text(network)}" for network in networks)


def _drops(networks):
    drops = [network.drop for network in networks]
    each = _by_width(networks, lambda network: _points(network.drop))
    return f"{_points(min(drops))} to {_points(max(drops))} points lost ({each})"


def _lowest(networks):
    def text(network):
        gamma, lowest = network.lowest
        return f"{percent(statistics.mean(network.active[_TENTH]))} at 10 %, lowest {percent(lowest)} at {gamma:g} %"

    return _by_width(networks, text)


def _recoveries(networks):
    each = _by_width(networks, lambda network: _points(statistics.mean(network.initial) - network.lowest[1]))
    return f"points from the lowest to 100 %, {each}"


def _initial(networks):
    return _by_width(networks, lambda network: percent(statistics.mean(network.initial)))


def _narrow_against_wide(networks):
    narrow, wide = (f(networks, key=lambda network: network.setting.width) for f in (min, max))
    return (
        f"trained w = {narrow.setting.width:,}: {percent(statistics.mean(narrow.trained))}, lowest seed "
        f"{percent(min(narrow.trained))}; random w = {wide.setting.width:,}: "
        f"{percent(statistics.mean(wide.initial))}, highest seed {percent(max(wide.initial))}"
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
