"""Weight vectors with scales of their own: networks whose weight profiles are not similar."""

import numbers

import keras
import numpy as np

from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.weights.kernels import kernels_to_change
from train_by_reconnect.weights.ranges import limits_of, root_mean_square


def make_dissimilar(model: keras.Model, spread: float = 4.0, *, seed: int | None = None) -> dict[str, np.ndarray]:
    """Give every weight vector a scale of its own, so that the weight profiles are no longer similar.

    Each weight vector is multiplied by a factor drawn log-uniformly from 1 / spread to spread; then the kernel is
    scaled back to its old root mean square, so that only the similarity changes. Unlike the paper, which does
    not say how its weights were made dissimilar, this is one documented way.

    Args:
        model: a built `keras.Model`.
        spread: float, finite and at least 1. Defaults to 4.
        seed: int or None.

    Returns:
        Dict from the path of each kernel to its factors, arrays of shape (units,).

    Raises:
        ValueError: a spread below 1, infinite or so large that weight vectors leave the range of their dtype, or a
            model that is not built, is frozen or has fixed kernels.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(5)])
    >>> [factors.shape for factors in make_dissimilar(model, seed=0).values()]
    [(5,)]

    Reference:
        Qiu and Suda 2020, section 7, "Is SoWP necessarily desirable?".
    """
    if not (isinstance(spread, numbers.Real) and 1 <= spread < np.inf):
        raise ValueError(
            f"`spread` must be finite and at least 1. Received: spread={spread!r}. 1 changes nothing, 4 is strong."
        )
    random = np.random.default_rng(seed)
    changed, factors = [], {}
    for kernel, axes in kernels_to_change(model):
        rows = to_rows(kernel.numpy(), axes, np)
        factor = spread ** random.uniform(-1, 1, len(rows))
        new, factors[kernel.path] = _scaled(rows, factor)
        _check_not_lost(kernel, rows, new, spread)
        changed.append((kernel, from_rows(new, kernel.shape, axes, np)))
    for kernel, value in changed:
        kernel.assign(value)
    return factors


@np.errstate(over="ignore", under="ignore", invalid="ignore")  # what leaves the range is refused
def _scaled(rows: np.ndarray, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight vectors times a factor each, with the root mean square of all as before; and these factors."""
    exact = rows.astype("float64")
    scaled = exact * factor[:, np.newaxis]
    if scaled.any():
        factor = factor * (root_mean_square(exact) / root_mean_square(scaled))
    return (exact * factor[:, np.newaxis]).astype(rows.dtype), factor


def _check_not_lost(kernel: keras.Variable, rows: np.ndarray, new: np.ndarray, spread: float) -> None:
    """Refuse a spread that makes of a weight vector infinities, or zeros and next to zero."""
    smallest, largest = limits_of(kernel.dtype)
    before, after = (np.abs(each.astype("float64")).max(axis=1) for each in (rows, new))
    lost = int(np.sum((before >= smallest) & ~((after >= smallest) & (after <= largest))))
    if lost:
        raise ValueError(
            f"`spread` must leave every weight vector in the range of its dtype. Received: spread={spread}, with which "
            f"{lost} of the {len(rows)} vectors of {kernel.path} leave that of {kernel.dtype}. 4 is strong."
        )
