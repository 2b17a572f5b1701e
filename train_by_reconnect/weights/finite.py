"""Weights that are finite, looked at piece by piece."""

from collections.abc import Iterator

import numpy as np

from train_by_reconnect.backend.rows import as_float32, forget_pages

_PIECE = 1 << 22  # weights at a time


def finite(value: np.ndarray, name: str) -> np.ndarray:
    """Weights as float32 or float64, which must be finite."""
    return checked(value if value.dtype == np.float64 else value.astype(np.float32, copy=False), name)


def checked(value: np.ndarray, name: str) -> np.ndarray:
    """Weights as they are, of any type of numbers with a point, which must be finite; they are read piece by piece."""
    if not value.size:
        raise ValueError(f"{name} must hold weights. Received: shape={value.shape}. Give its layer inputs and units.")
    wrong = sum(map(_not_finite, _pieces(value)))
    if wrong:
        raise ValueError(
            f"The weights of {name} must be finite. Received: {wrong} of {value.size} are NaN or infinite. Use weights "
            "from before the training diverged."
        )
    return value


def _pieces(value: np.ndarray) -> Iterator[np.ndarray]:
    """All of an array, some of it at a time; of a mapped file no more is in memory."""
    of = value.reshape(-1) if value.flags.c_contiguous else value
    step = max(1, _PIECE * len(of) // of.size)
    for first in range(0, len(of), step):
        yield as_float32(of[first : first + step])
        forget_pages(value)


def _not_finite(piece: np.ndarray) -> int:
    # The extremes show a NaN or an infinity without an array of booleans as large as the kernel.
    if np.isfinite(np.min(piece)) and np.isfinite(np.max(piece)):
        return 0
    return int(piece.size - np.sum(np.isfinite(piece)))
