"""The data that a callback evaluates: arrays, several inputs, or batches such as those of a `tf.data.Dataset`."""

import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend.types import Tensor

# The inputs of some examples, a tensor or a list or dict of tensors, and their targets.
Batch = tuple[Any, Tensor]


def named_batches(data: Any, size: Any) -> dict[str, list[Batch]]:
    """The batches of each data set of a dict.

    They are converted, and those of a data set read, once: an evaluation after every synchronization would otherwise be
    mostly copying, and a data set that is shuffled would come in another order each time.
    """
    if not isinstance(data, Mapping):
        raise ValueError(
            "`data` must be a dict from a name to the data to evaluate. Received: data of type "
            f'{type(data).__name__}. Pass e.g. {{"test": (x, y)}}.'
        )
    if isinstance(size, bool) or not isinstance(size, numbers.Integral) or size < 1:
        raise ValueError(
            f"`batch_size` must be an integer of at least 1. Received: batch_size={size!r}. Pass e.g. batch_size=1000."
        )
    return {name: _batches(name, each, int(size)) for name, each in data.items()}


def _batches(name: str, data: Any, size: int) -> list[Batch]:
    if isinstance(data, (tuple, list)):
        batches = _cut(name, *_pair(name, data), size)
    else:
        batches = [_tensors(*_checked(name, *_pair(name, batch))) for batch in _read(name, data)]
    if not any(len(y) for _, y in batches):
        raise ValueError(f"`data` must hold at least one example of each name. Received: none for {name!r}. Pass some.")
    return batches


def _read(name: str, data: Any) -> Iterable[Any]:
    is_indexed = isinstance(data, keras.utils.PyDataset)
    count = data.num_batches if is_indexed else int(data.cardinality()) if hasattr(data, "cardinality") else 0
    if count in (None, -1):
        raise ValueError(
            f"`data` must end. Received: a data set for {name!r} that is repeated for ever. Leave out `repeat()`, or "
            "use `take`."
        )
    if is_indexed:
        return (data[number] for number in range(count))
    if isinstance(data, Mapping) or not isinstance(data, Iterable) or hasattr(data, "shape"):
        raise ValueError(
            "`data` must have a pair (x, y), or batches of such pairs, for each name. Received: "
            f"{type(data).__name__} for {name!r}. Pass e.g. {{{name!r}: (x, y)}}."
        )
    return data


def _pair(name: str, data: Any) -> tuple[Any, Any]:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        what = f"{len(data)} parts" if isinstance(data, (tuple, list)) else f"{type(data).__name__}"
        raise ValueError(
            f"`data` must consist of pairs (x, y). Received: {what} for {name!r}. Pass inputs and targets alone, "
            "several inputs as a list or dict."
        )
    return data[0], data[1]


def _checked(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    x = x if _is_structure(x) or hasattr(x, "shape") else np.asarray(x)
    if _is_structure(y):
        raise ValueError(
            f"`data` must have one array of targets for each name. Received: {type(y).__name__} for {name!r}. Pass the "
            "targets of one output."
        )
    y = y if hasattr(y, "shape") else np.asarray(y)
    lengths = [len(each) for each in keras.tree.flatten(x)]
    if set(lengths) != {len(y)}:
        raise ValueError(
            f"`data` must have a target for each example. Received: {name!r} with {_listed(lengths)} inputs and "
            f"{len(y)} targets. Pass as many of both."
        )
    return x, y


def _is_structure(values: Any) -> bool:
    """Whether this is several arrays; a list of numbers, or of lists of numbers, is one."""
    if isinstance(values, Mapping):
        return True
    return isinstance(values, (tuple, list)) and any(hasattr(each, "shape") and each.shape for each in values)


def _cut(name: str, x: Any, y: Any, size: int) -> list[Batch]:
    x, y = _checked(name, x, y)
    starts = range(0, len(y), size)
    return [_tensors(keras.tree.map_structure(lambda a, i=i: a[i : i + size], x), y[i : i + size]) for i in starts]


def _tensors(x: Any, y: Any) -> Batch:
    return keras.tree.map_structure(keras.ops.convert_to_tensor, x), keras.ops.convert_to_tensor(y)


def _listed(numbers_of: list[int]) -> str:
    return " and ".join(map(str, numbers_of))
