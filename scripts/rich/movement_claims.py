"""The claims of section 4 of the rich regime paper, on what is lost where parameters are put back."""

import itertools

from scripts.publishing.claims import Claim, Ours
from scripts.publishing.tables import percent
from scripts.publishing.verdicts import ABOVE, CLEARLY_ABOVE, as_good, at_most, number
from scripts.rich.movement_tables import FEW, networks, smallest_enough

_WIDE_ENOUGH = 1000  # of a single hidden layer: wider random networks are no better


def _by_setting(curves):
    """Dict from the depth and the rate, as text, to the networks, the narrowest first."""
    groups = {}
    for network in sorted(networks(curves), key=lambda network: network.width):
        groups.setdefault(f"d = {network.depth}, rate {network.rate:g}", []).append(network)
    return groups


def _of_each(measure):
    """A function that measures every network alone."""

    def measure_all(curves):
        return {
            f"{setting}, w = {network.width:,}": measure(network)
            for setting, group in _by_setting(curves).items()
            for network in group
        }

    return measure_all


def _points(fraction):
    return f"{round(100 * fraction, 2) + 0.0:.2f} points"  # never -0.00


def _differences(values):
    values = values.dropna()
    return Ours(tuple(values), _points(values.mean()))


def _trained(network):
    return network.summaries.set_index("seed")["test_accuracy"]


def _initial(network):
    return network.summaries.set_index("seed")["test_accuracy_initial"]


def _lost(network):
    return _differences(_trained(network) - network.by_seed.loc[("active", FEW)])


def _where_lowest(network):
    gamma, lowest = network.lowest
    return Ours(tuple(network.by_seed.loc["active"].idxmin()), f"{percent(lowest)} at {gamma:g} %")


def _rises(network):
    return _differences(_initial(network) - network.by_seed.loc["active"].min())


def _wider_initial(curves):
    """Initial networks, which know no rate: each pair once."""
    found = {}
    for group in _by_setting(curves).values():
        for narrow, wide in itertools.pairwise(group):
            stated = as_good() if narrow.depth == 1 and narrow.width >= _WIDE_ENOUGH else ABOVE
            ours = _differences(_initial(wide) - _initial(narrow))
            found[f"d = {wide.depth}, w = {wide.width:,} minus {narrow.width:,}"] = Ours(ours.values, ours.text, stated)
    return found


def _narrow_against_wide(curves):
    found = {}
    for setting, (narrow, *wider) in _by_setting(curves).items():
        for wide in wider[-1:]:
            values = (_trained(narrow) - _initial(wide)).dropna()
            found[setting] = Ours(
                tuple(values),
                f"trained w = {narrow.width:,} {percent(narrow.trained.mean())}, "
                f"random w = {wide.width:,} {percent(wide.initial.mean())}",
            )
    return found


def _enough(curves):
    found = {}
    for setting, (*_, widest) in _by_setting(curves).items():
        lazy, trained = widest.by_seed.loc["lazy"], _trained(widest)
        values = tuple(float(smallest_enough(lazy[seed], trained[seed])) for seed in lazy.columns)
        stated = number(10.0, origin=None) if widest.depth == 1 else at_most(10.0)
        found[f"{setting}, w = {widest.width:,}"] = Ours(values, f"{widest.enough:g} %", stated)
    return found


MOVEMENT_CLAIMS = (
    Claim(
        "Even putting 0.1 % of the parameters back, the most active, leads to a significant drop at every width (loss, "
        "at least one point).",
        _of_each(_lost),
        CLEARLY_ABOVE,
    ),
    Claim(
        "Most networks are worst where about 10 % of the parameters, the most active, are put back (the lowest).",
        _of_each(_where_lowest),
        number(10.0, origin=None),
        most=True,
    ),
    Claim("From there on to 100 % accuracy rises again (from the lowest).", _of_each(_rises), ABOVE),
    Claim("Wider random networks do better; with d = 1 no longer from w = 1,000 on.", _wider_initial),
    Claim(
        "Trained w = 10 (Fashion-MNIST: w = 20) beats random w = 100,000 (here the narrowest and the widest).",
        _narrow_against_wide,
        ABOVE,
    ),
    Claim(
        "To keep about 10 % of the parameters as trained, the most active, is enough for w = 100,000 and d = 1; fewer "
        "are for w = 5,000 and d = 4 (here the widest; smallest epsilon within 1 point).",
        _enough,
    ),
)
