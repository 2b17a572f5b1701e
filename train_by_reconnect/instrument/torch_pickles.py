"""What PyTorch pickles, read as data: nothing that a pickle names is imported or called.

A pickle is a program. This reader knows the few names that a state dict needs, each replaced by a function that notes
down what it was given, and refuses a pickle that names anything else before it is acted upon.
"""

import collections
import dataclasses
import io
import itertools
import pickle
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from train_by_reconnect.backend.types import Axes

STORAGES = {
    **{"DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16"},
    **{"LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8"},
    **{"ByteStorage": "uint8", "BoolStorage": "bool", "UntypedStorage": "uint8"},
    **{"ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128"},
}
_TYPES = {
    **{"double": "float64", "float": "float32", "half": "float16", "cfloat": "complex64", "cdouble": "complex128"},
    **{
        name: name for name in ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8")
    },
    **{name: name for name in ("bool", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2")},
    **{"long": "int64", "int": "int32", "short": "int16"},
}


class RefusedPickleError(ValueError):
    """A pickle that names something other than the parts of a state dict."""


@dataclasses.dataclass(frozen=True)
class PickledStorage:
    """A run of numbers that lies elsewhere in the file: its type, its key there, and how many there are."""

    dtype: str
    key: str
    count: int


@dataclasses.dataclass(frozen=True)
class PickledTensor:
    """A view of a storage, offset and strides counted in numbers."""

    storage: PickledStorage
    dtype: str
    offset: int
    shape: Axes
    strides: Axes


class TensorUnpickler(pickle.Unpickler):
    """An unpickler of state dicts whose tensors are not read.

    Args:
        file: a binary file, open for reading.
    """

    def __init__(self, file: BinaryIO | io.BytesIO) -> None:
        super().__init__(file, encoding="utf-8")

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name: a function of data, or refusal."""
        if (module, name) in _KNOWN:
            known = _KNOWN[module, name]
            return lambda *arguments: known(*arguments)  # a new one each time: what a pickle sets on it stays with it
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module in ("torch", "torch.storage") and name in STORAGES:
            return STORAGES[name]
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        if module == "__torch__" or module.startswith("__torch__."):  # an object of TorchScript: attributes only
            return type("Record", (Record,), {})
        raise RefusedPickleError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> PickledStorage:
        """A storage that lies elsewhere in the file."""
        _, dtype, key, _, count = pid[:5]
        if dtype not in STORAGES.values() or not isinstance(count, int) or count < 0:
            raise ValueError(f"a storage {pid!r}")
        return PickledStorage(dtype, str(key), count)


class Record:
    """An object of TorchScript, of which only the attributes are kept."""


def tensors_in(value: Any, path: tuple[str, ...] = (), seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """The tensors in nested dicts, lists and records; what holds some and is itself held twice is looked into once.

    Args:
        value: what was unpickled.
        path: tuple of str, where it lies.
        seen: set of ints, the identities of what was looked into, so that a circle ends, and doubling upon doubling.

    Yields:
        Pairs of a name, its parts joined by dots, and a `PickledTensor`.
    """
    if isinstance(value, PickledTensor):
        yield ".".join(path), value
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    items: Any = ()
    if isinstance(value, Record):
        items = vars(value).items()
    elif isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    if items:
        seen.add(id(value))
    for key, part in items:
        yield from tensors_in(part, (*path, str(key)), seen)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any, dtype: str = "") -> PickledTensor:
    numbers = [offset, *shape, *strides]
    if not isinstance(storage, PickledStorage) or not all(isinstance(each, int) and each >= 0 for each in numbers):
        raise ValueError(f"a tensor of shape {shape} and strides {strides} at {offset}")
    return PickledTensor(storage, dtype or storage.dtype, offset, tuple(shape), tuple(strides))


def _typed_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> PickledTensor:
    dtype = next(each for each in reversed(rest) if isinstance(each, str))  # requires_grad, hooks, dtype, metadata
    return _tensor(storage, offset, shape, strides, dtype=dtype)


def _first(value: Any, *rest: Any) -> Any:
    return value


def _collected(*arguments: Any) -> tuple[Any, ...]:
    return tuple(
        itertools.chain.from_iterable(each if isinstance(each, (list, tuple)) else [each] for each in arguments)
    )


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _typed_tensor,
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch._utils", "_rebuild_parameter_with_state"): _first,
    ("torch.nn.parameter", "Parameter"): _first,
    ("torch", "Size"): _collected,
    ("torch", "device"): _collected,
    ("torch.serialization", "_get_layout"): _first,
    ("torch.jit._pickle", "restore_type_tag"): _first,
    **{("torch.jit._pickle", f"build_{kind}list"): _first for kind in ("tensor", "int", "double", "bool")},
    **{(builtins, "set"): _collected for builtins in ("builtins", "__builtin__")},
}
