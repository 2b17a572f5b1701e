"""The factor by which a masked kernel was rescaled, found so that it gives the very bits."""

import numpy as np


def rescaled(initial: np.ndarray, factor: float, divides: bool) -> np.ndarray:
    """A kernel times a factor, or divided by it, rounded to its dtype.

    >>> rescaled(np.array([1.0, 3.0], "float32"), 0.5, divides=True).tolist()
    [2.0, 6.0]
    """
    scale = np.asarray(factor).astype(initial.dtype)
    with np.errstate(all="ignore"):
        return (initial / scale if divides else initial * scale).astype(initial.dtype)


def find_rescaling(initial: np.ndarray, kernel: np.ndarray) -> tuple[float, bool] | None:
    """The factor, and whether it divides, that make of the initial kernel all that is not zero in this one, or None."""
    kept = kernel != 0
    if not kept.any() or not np.isfinite(kernel.astype(np.float64)).all():
        return None
    before, after = initial[kept], kernel[kept]
    largest = int(np.argmax(np.abs(before)))
    if before[largest] == 0:
        return None
    for divides in (True, False):
        one, other = float(before[largest]), float(after[largest])
        near = np.asarray(one / other if divides else other / one).astype(initial.dtype)
        for factor in _neighbours(near):
            if np.array_equal(rescaled(before, factor, divides), after):
                return factor, divides
    return None


def _neighbours(value: np.ndarray) -> list[float]:
    """A number and those next to it in its dtype, as rounding may have moved it by a few."""
    up, down, found = value, value, [float(value)]
    for _ in range(4):
        up, down = (np.nextafter(each, np.asarray(end, value.dtype)) for each, end in ((up, np.inf), (down, -np.inf)))
        found += [float(up), float(down)]
    return found
