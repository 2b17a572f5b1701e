"""How often a callback does something."""

import numbers
from typing import Any


def check_every(name: str, value: Any, unit: str = "optimizer steps") -> int:
    """Return a number of steps, or of another unit, as an int of at least 1, or say what is wrong with it.

    Example:

    >>> check_every("every", 20)
    20
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(
            f"`{name}` must be an integer of at least 1, in {unit}. Received: {name}={value!r}. Pass 1 "
            "for as often as possible."
        )
    return int(value)
