"""Initial weights of few bits, or of a single magnitude."""

import numbers
from typing import Literal

import keras
import numpy as np

from train_by_reconnect.weights.kernels import kernels_to_change
from train_by_reconnect.weights.ranges import root_mean_square


def reduce_precision(model: keras.Model, precision: int | Literal["signs", "binary"]) -> dict[str, int]:
    """Round the weights of every kernel to few values. Biases and normalization layers are left alone.

    - int b, 2 to 16: each kernel `w` becomes `s * round(w / s)`, with `s = max(abs(w)) / (2**(b - 1) - 1)`, and has
      `2**b - 1` values, 0 in the middle;
    - `"signs"`: `c` where `w >= 0`, else `-c`; 2 values;
    - `"binary"`: `c` where `w >= 0`, else 0; 2 values.

    The constant c of each kernel keeps the root mean square of its weights.

    Args:
        model: a built `keras.Model`.
        precision: int from 2 to 16, `"signs"` or `"binary"`.

    Returns:
        Dict from the path of each kernel to the number of different values that it now has.

    Raises:
        ValueError: another precision, or a model that is not built, is frozen or has fixed kernels.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(5)])
    >>> list(reduce_precision(model, 4).values()), list(reduce_precision(model, "signs").values())
    ([15], [2])

    Reference:
        Review 1 of Qiu and Suda 2020: "What if you initialize with low-precision weights? Or binary 0-1 weights?" The
        rounding is the symmetric one, of a kernel at a time, usual for quantized networks.
    """
    is_bits = isinstance(precision, numbers.Integral) and not isinstance(precision, bool) and 2 <= precision <= 16
    if not is_bits and precision not in ("signs", "binary"):
        raise ValueError(
            '`precision` must be a number of bits from 2 to 16, "signs" or "binary". Received: '
            f"precision={precision!r}. Pass e.g. 8."
        )
    counts = {}
    for kernel, _ in kernels_to_change(model):
        value = kernel.numpy()
        exact = value.astype("float64")
        new = _of_one_magnitude(exact, precision) if isinstance(precision, str) else _rounded(exact, precision)
        kernel.assign(new.astype(value.dtype))
        counts[kernel.path] = len(np.unique(kernel.numpy()))
    return counts


def _rounded(value: np.ndarray, bits: int) -> np.ndarray:
    step = np.abs(value).max() / (2 ** (bits - 1) - 1)
    return np.round(value / step) * step if step else value


def _of_one_magnitude(value: np.ndarray, precision: str) -> np.ndarray:
    signs = np.where(value >= 0, 1.0, -1.0 if precision == "signs" else 0.0)
    size = root_mean_square(value) / root_mean_square(signs) if signs.any() else 0.0
    return signs * size
