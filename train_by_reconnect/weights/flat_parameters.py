"""All parameters of a network as one flat array, and how many of them a percentage is."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def count_of(percent: float, size: int) -> int:
    """How many of `size` parameters a percentage is, rounded to the nearest, a half to the even number."""
    if not 0 <= percent <= 100:
        raise ValueError(
            f"A percentage of the parameters must be from 0 to 100. Received: percent={percent}. Pass 10 for a tenth."
        )
    return round(percent * size / 100)


def flat_absolute(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The absolute values in all arrays, one after the other, as one array of at least float32."""
    dtypes = [np.promote_types(array.dtype, np.float32) for array in arrays]
    flat = np.empty(sum(array.size for array in arrays), np.result_type(np.float32, *dtypes))
    for part, array in zip(split(flat, arrays), arrays, strict=True):
        np.abs(array, out=part)
    return flat


def split(flat: np.ndarray, like: Sequence[Any]) -> list[np.ndarray]:
    """Cut a flat array into views of the shapes of `like`, arrays or variables."""
    ends = np.cumsum([math.prod(each.shape) for each in like])[:-1]
    return [part.reshape(each.shape) for part, each in zip(np.split(flat, ends), like, strict=True)]
