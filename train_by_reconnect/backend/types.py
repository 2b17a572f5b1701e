"""Types that many modules name."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy.typing as npt

# A tensor of whatever backend Keras runs on. Their packages ship no types.
Tensor: TypeAlias = Any
# Axes of an array, or its shape.
Axes: TypeAlias = tuple[int, ...]
# The inputs of a model, or its targets: an array, or a list or dict of arrays.
Arrays: TypeAlias = npt.ArrayLike | Mapping[str, npt.ArrayLike]
# What `keras.initializers.get` and its like take.
Identifier: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None
# What Keras hands to the hooks of a callback, which may add to it.
Logs: TypeAlias = dict[str, Any] | None
