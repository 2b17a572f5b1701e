"""Whether a claim of a paper holds, by one rule for all tables.

Of a claim two things are written down: what the paper states of a number (`Stated`) and how ours is measured, one value
a seed. The verdict follows.

| verdict | where the paper states a sign | where it states none ("as good", "no worse") |
|---|---|---|
| holds | ours has it, and the size | ours surely lies within the band |
| in direction only | ours has it, and another size | - |
| does not hold | ours surely has not | ours surely lies outside |
| cannot tell | neither is sure, or there are less than two seeds | the same |

*Sure* is what the mean over the seeds says by more than its standard error, or what every seed says. The size is that
of the paper if the mean is within 50 % of its number, or if this lies in the range of the seeds. An accuracy is
compared in points, as 50 % of one would allow anything: within one. "As good" is within one point too, unless the claim
says otherwise.
"""

import dataclasses
import math
import statistics

HOLDS, IN_DIRECTION, DOES_NOT_HOLD, CANNOT_TELL = "holds", "in direction only", "does not hold", "cannot tell"
BAND = 0.5  # of the paper's number, to either side
POINT = 0.01  # of accuracy
_ROUNDING = 1e-9  # decimal fractions are not exact


@dataclasses.dataclass(frozen=True)
class Stated:
    """What a paper states of a number.

    Args:
        low: float, the least that agrees with it. Defaults to minus infinity.
        high: float, the most. Defaults to infinity.
        origin: float or None, from where its sign counts: 0 of a difference, 1 of a ratio, chance of an accuracy; None
            where only the size counts. Where it lies within the band, no sign is stated. Defaults to 0.
        number: float or None, the paper's own, if it gives one.
    """

    low: float = -math.inf
    high: float = math.inf
    origin: float | None = 0.0
    number: float | None = None

    @property
    def sign(self):
        """1 for more than the origin, -1 for less, 0 where no sign is stated."""
        if self.origin is None:
            return 0
        return int(self.low >= self.origin) - int(self.high <= self.origin)


ABOVE, BELOW = Stated(low=0.0), Stated(high=0.0)
CLEARLY_ABOVE, CLEARLY_BELOW = Stated(low=POINT), Stated(high=-POINT)
SLIGHTLY_BELOW = Stated(-2 * POINT, 0.0)


def number(value, origin=0.0):
    """The paper gives a number, which ours has within 50 %.

    >>> number(-0.02)
    Stated(low=-0.03, high=-0.01, origin=0.0, number=-0.02)
    """
    return dataclasses.replace(between(value, value, origin), number=value)


def between(least, most, origin=0.0):
    """The paper gives a range of numbers, of the same sign."""
    ends = [end + side * BAND * abs(end) for end, side in ((least, -1), (most, 1))]
    return Stated(*ends, origin)


def accuracy(value, chance=None):
    """The paper gives an accuracy, which ours has within one point; with a sign if it is above chance."""
    return Stated(value - POINT, value + POINT, chance, value)


def as_good(margin=POINT):
    """The paper sees no difference: none larger than the margin."""
    return Stated(-margin, margin)


def no_worse(margin=POINT):
    """The paper sees nothing lost: not more than the margin."""
    return Stated(low=-margin)


def at_most(most):
    """The paper says what a number does not exceed."""
    return Stated(high=most, origin=None)


def difference(value):
    """The paper gives a difference of accuracies: one of less than a point is none."""
    return as_good() if abs(value) < POINT else number(value)


def verdict(values, stated):
    """Whether measured values agree with what is stated.

    Args:
        values: iterable of float, one a seed; missing ones are NaN.
        stated: `Stated`.

    Returns:
        Str, `HOLDS`, `IN_DIRECTION`, `DOES_NOT_HOLD` or `CANNOT_TELL`.

    Example:

    >>> verdict([-0.036, -0.034], number(-0.146)), verdict([-0.036, 0.034], number(-0.146))
    ('in direction only', 'cannot tell')
    """
    values = [value for value in values if not math.isnan(value)]
    if len(values) < 2:
        return CANNOT_TELL
    if not stated.sign:
        return {True: HOLDS, False: DOES_NOT_HOLD, None: CANNOT_TELL}[_surely(values, stated.low, stated.high)]
    has_sign = _surely([stated.sign * (value - stated.origin) for value in values], 2 * _ROUNDING, math.inf)
    if not has_sign:
        return CANNOT_TELL if has_sign is None else DOES_NOT_HOLD
    has_size = _within(statistics.mean(values), stated.low, stated.high)
    is_among_seeds = stated.number is not None and min(values) <= stated.number <= max(values)
    return HOLDS if has_size or is_among_seeds else IN_DIRECTION


def overall(verdicts, most=False):
    """The verdict of a claim that several numbers are about: it holds if all do, and fails if one does.

    Args:
        verdicts: list of str.
        most: bool, whether the claim is about most of them only: then the verdict is that of more than half, where one
            that holds has the direction, too. Defaults to `False`.

    Returns:
        Str.
    """
    if not verdicts:
        return CANNOT_TELL
    if most:
        groups = {HOLDS: (HOLDS,), IN_DIRECTION: (HOLDS, IN_DIRECTION), DOES_NOT_HOLD: (DOES_NOT_HOLD,)}
        found = [name for name, group in groups.items() if sum(one in group for one in verdicts) > len(verdicts) / 2]
        return found[0] if found else CANNOT_TELL
    return next(one for one in (DOES_NOT_HOLD, CANNOT_TELL, IN_DIRECTION, HOLDS) if one in verdicts)


def _within(value, low, high):
    return low - _ROUNDING <= value <= high + _ROUNDING


def _surely(values, low, high):
    """Whether values surely lie within bounds: True, False, or None where neither is sure."""
    mean, error = statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values))
    room = min(mean - low, high - mean)  # negative outside
    inside = [_within(value, low, high) for value in values]
    if _within(mean, low, high):
        return True if room > error or all(inside) else None
    return False if -room > error or not any(inside) else None
