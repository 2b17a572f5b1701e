"""Numbers within their range: fractions from 0 to 1, what a dtype can hold, and squares."""

from typing import Any

import numpy as np


def is_fraction(value: Any) -> bool:
    """Whether this is a number from 0 to 1.

    Example:

    >>> is_fraction(np.float32(0.5)), is_fraction(None), is_fraction(float("nan")), is_fraction("0.5")
    (True, False, False, False)
    """
    try:
        return not isinstance(value, (str, bytes)) and 0 <= float(value) <= 1
    except (TypeError, ValueError):
        return False


def limits_of(dtype: str) -> tuple[float, float]:
    """The smallest and the largest positive number that a dtype holds in full precision.

    Example:

    >>> limits_of("float16")
    (6.103515625e-05, 65504.0)
    """
    limits = np.finfo("float32" if dtype == "bfloat16" else dtype)  # NumPy does not know it; its range is float32's
    return float(limits.tiny), float(limits.max)


def root_mean_square(values: np.ndarray) -> float:
    """The root of the mean square, also of numbers whose squares are out of range.

    Example:

    >>> root_mean_square(np.array([3e200, -3e200]))
    3e+200
    """
    largest = np.abs(values).max()
    return float(largest * np.sqrt(np.mean(np.square(values / largest)))) if largest else 0.0
