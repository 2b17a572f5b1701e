"""The claims of section 5 of the rich regime paper, on where the active parameters of narrow and wide networks are."""

from scripts.publishing.claims import Claim, Ours
from scripts.publishing.verdicts import BAND, Stated, at_most, number
from scripts.rich.activity_tables import BETWEEN, BOTTOM, TOP, by_rate
from scripts.rich.settings import USUAL_RATE

# Of how many times its share of all parameters the share of a part of the active ones is: at random, once.
_AS_MANY = number(1.0, origin=None)
_CONCENTRATED, _HARDLY_ANY = Stated(low=1 + BAND, origin=1.0), Stated(high=1 - BAND, origin=1.0)


def activity_claims(*, concentrated_at_top):
    """The claims of a figure.

    Args:
        concentrated_at_top: bool, whether the paper says so of the wide networks: it does of ReLU-Nets.

    Returns:
        Tuple of `Claim`.
    """
    top = ("", _CONCENTRATED) if concentrated_at_top else ("not ", at_most(1 + BAND))
    return (
        Claim(
            "In a narrow network active parameters are spread over all layers (times of its share of all parameters, "
            "of the layers with the least and the most).",
            _extremes_of_narrow,
            _AS_MANY,
        ),
        Claim("In a wide one they are concentrated in the bottom layer.", _in_wide(BOTTOM), _CONCENTRATED),
        Claim(f"In a wide one they are {top[0]}concentrated in the top layer.", _in_wide(TOP), top[1]),
        Claim("In a wide one hardly any are in the layers between.", _in_wide(BETWEEN), _HARDLY_ANY),
    )


def _networks(curves):
    """Of each learning rate what to say of it, and its networks."""
    for rate, networks in by_rate(curves).items():
        yield "" if rate == USUAL_RATE else f", learning rate {rate}", networks


def _extremes_of_narrow(curves):
    found = {}
    for setting, (narrow, *others) in _networks(curves):
        for alpha in narrow.percents if others else ():
            times = narrow.times.loc[alpha]
            means = times.mean(axis=1)
            for layer in dict.fromkeys((means.idxmin(), means.idxmax())):
                name = f"alpha = {alpha} %{setting}, {layer}"
                found[name] = Ours(tuple(times.loc[layer].dropna()), f"{means[layer]:.2f}x")
    return found


def _in_wide(part):
    """A function that measures a part of the widest network: its layers together."""

    def measure(curves):
        found = {}
        for setting, (_, *others) in _networks(curves):
            for wide in others[-1:]:
                for alpha in wide.percents:
                    size = wide.sizes.iloc[part].sum()
                    shares = wide.times.loc[alpha].mul(wide.sizes, axis="index").iloc[part].sum(skipna=False)
                    times = (shares / size).dropna()
                    found[f"alpha = {alpha} %{setting}"] = Ours(tuple(times), f"{times.mean():.2f}x")
        return found

    return measure
