"""The sync period k: what it may be, how a variable of the state holds it, and which one is sensible."""

import numbers
import warnings
from typing import Any

# Of a number of steps: more than any training has.
_NO_PERIOD = 2**31 - 1


def encoded(sync_period: Any) -> int:
    """An integer for k in the state, for `None` too."""
    return _NO_PERIOD if sync_period is None else check_sync_period(sync_period)


def decoded(number: int) -> int | None:
    """The k that was encoded."""
    return None if number == _NO_PERIOD else number


def check_sync_period(sync_period: Any) -> int:
    """Return k as an int of at least 1, or say what is wrong with it.

    Example:

    >>> check_sync_period(20)
    20
    """
    if isinstance(sync_period, bool) or not isinstance(sync_period, numbers.Integral) or sync_period < 1:
        raise ValueError(
            f"`sync_period` must be an integer of at least 1, in optimizer steps. "
            f"Received: sync_period={sync_period!r}. Pass e.g. sync_period=1000, or None to leave it to a callback."
        )
    return int(sync_period)


def warn_of_too_long_a_period(sync_period: int, steps: int) -> bool:
    """Warn of a training without a synchronization but its last; whether it was long enough for more of them.

    About fifty are sensible, at least 20 steps apart.

    Example:

    >>> warn_of_too_long_a_period(1000, steps=30)
    False
    """
    sensible = max(20, steps // 50)
    if steps < 2 * sensible:
        return False
    warnings.warn(
        f"LaPerm synchronizes every {sync_period} steps. Received: a `fit` of {steps} steps, so with 1 "
        "synchronization, at its end, which changes what the last epoch's metrics were taken of. Set e.g. "
        f"sync_period={sensible}, for {steps // sensible} of them.",
        stacklevel=2,
    )
    return True
