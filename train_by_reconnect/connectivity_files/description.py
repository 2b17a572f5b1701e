"""What a file says of its network before anything of it is read: checked value by value."""

import dataclasses
import math
import re
from typing import Any

from train_by_reconnect.connectivity_files.container import VERSION
from train_by_reconnect.connectivity_files.words import FLOATS, INTEGERS

# How a variable is stored; docs/connectivity_files.md explains each.
ARRAY, INITIAL, PERMUTED, MASKED, ZEROED, FLIPPED, SIGNED_MASK, RESCALED = HOWS = (
    *("array", "initial", "permuted", "masked", "zeroed", "flipped", "signed_mask", "rescaled"),
)
SIZES = {"bool": 1, "bfloat16": 2, **{name: int(name.lstrip("uintfloa")) // 8 for name in (*FLOATS[1:], *INTEGERS[1:])}}
_MAX_SIZE = 2**48


@dataclasses.dataclass(frozen=True)
class Entry:
    """One variable: what it is, and how it is stored.

    Args:
        path: str.
        shape: tuple of ints.
        dtype: str.
        how: str, one of `HOWS`.
        axes: tuple of ints, the axes that number the neurons; None of what is no kernel.
        blocks: tuple of ints, the bytes of each block of weight vectors.
        factor: float, what the weights were multiplied by where `how` is "rescaled".
        divides: bool, whether they were divided by it instead.
        initial: str, the first 16 digits of the SHA-256 of the initial kernel; none of what is stored as it is.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    how: str
    axes: tuple[int, ...] | None = None
    blocks: tuple[int, ...] = ()
    factor: float = 1.0
    divides: bool = False
    initial: str = ""

    @property
    def variable(self) -> tuple[Any, ...]:
        """What is the same in networks that differ in their connections only."""
        return self.shape, self.dtype, self.axes, self.initial

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return self.size * SIZES[self.dtype]

    def to_json(self) -> dict[str, Any]:
        """What is written of it: what is not as by default."""
        every = dataclasses.asdict(self)
        return {
            field.name: every[field.name] for field in dataclasses.fields(self) if every[field.name] != field.default
        }


@dataclasses.dataclass(frozen=True)
class Description:
    """All that stands in the first section of a file.

    Args:
        codec: str, of what wrote its connectivity.
        writer: str, the versions that wrote it.
        initial: dict, where the initial weights come from.
        weights_sha256: str, of all variables.
        entries: tuple of `Entry`.
        values: tuple of ints, the bytes of the sorted vectors of each kernel, if the file holds them.
        version: int, of the format.
    """

    codec: str
    writer: str
    initial: dict[str, Any]
    weights_sha256: str
    entries: tuple[Entry, ...]
    values: tuple[int, ...] = ()
    version: int = VERSION

    @property
    def kernels(self) -> list[Entry]:
        """The entries of kernels, in their order."""
        return [entry for entry in self.entries if entry.axes is not None]

    @property
    def bytes(self) -> int:
        """The memory that the weights take."""
        return sum(entry.bytes for entry in self.entries)

    def to_json(self) -> dict[str, Any]:
        """What is written of it."""
        entries = [entry.to_json() for entry in self.entries]
        shallow = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**shallow, "entries": entries}


def description_from(content: Any) -> Description:
    """The description that JSON holds; a ValueError says what of it is none."""
    fields = dict(_object(content, "a description"))
    version = fields.get("version")
    require(type(version) is int and 1 <= version <= VERSION, "a description of another version")
    names = {field.name for field in dataclasses.fields(Description)}
    require(set(fields) == names, f"a description of {sorted(fields)}")
    for name in ("codec", "writer"):
        require(isinstance(fields[name], str) and len(fields[name]) <= 200, f"no {name}")
    if version == 1 and fields["codec"] == "range":
        fields["codec"] = "splitting"
    require(is_hexadecimal(fields["weights_sha256"], 64), "no weights_sha256")
    _object(fields["initial"], "no source of initial weights")
    require(isinstance(fields["entries"], list), "no list of variables")
    entries = tuple(map(entry_from, fields["entries"]))
    return Description(**{**fields, "entries": entries, "values": _sizes(fields["values"], "the sorted vectors")})


def entry_from(content: Any) -> Entry:
    """The entry that JSON holds."""
    fields = dict(_object(content, "no variable"))
    allowed = {field.name for field in dataclasses.fields(Entry)}
    require(set(fields) <= allowed and {"path", "shape", "dtype", "how"} <= set(fields), "a variable of unknown kind")
    path = fields["path"]
    require(isinstance(path, str) and len(path) <= 1000, "a variable without a path")
    for name in ("shape", "axes", "blocks"):
        if name in fields:
            fields[name] = _sizes(fields[name], f"{name} of {path}")
    named = isinstance(fields["dtype"], str) and isinstance(fields["how"], str)
    require(named and fields["dtype"] in SIZES and fields["how"] in HOWS, f"{path} of unknown dtype or kind")
    require(type(fields.get("divides", False)) is bool, f"no `divides` of {path}")
    factor = fields.get("factor", 1.0)
    require(isinstance(factor, float) and math.isfinite(factor), f"no factor of {path}")
    entry = Entry(**fields)
    require(len(entry.shape) <= 16 and entry.size <= _MAX_SIZE, f"{path} of shape {entry.shape}")
    axes = entry.axes or ()
    in_range = len(set(axes)) == len(axes) and all(axis < len(entry.shape) for axis in axes)
    require(in_range and (entry.how == ARRAY or entry.axes is not None), f"{path} with unit axes {entry.axes}")
    require(entry.dtype in FLOATS or entry.axes is None, f"{path}, a kernel of {entry.dtype}")
    require(entry.how == ARRAY or is_hexadecimal(entry.initial, 16), f"no initial weights of {path}")
    return entry


def is_hexadecimal(text: Any, digits: int) -> bool:
    """Whether this is so many hexadecimal digits."""
    return isinstance(text, str) and re.fullmatch(f"[0-9a-f]{{{digits}}}", text) is not None


def _object(content: Any, what: str) -> dict[str, Any]:
    require(isinstance(content, dict), what)
    return content


def _sizes(content: Any, what: str) -> tuple[int, ...]:
    is_list = isinstance(content, list) and all(type(each) is int and 0 <= each <= _MAX_SIZE for each in content)
    require(is_list, f"{what} that are no sizes")
    return tuple(content)


def require(condition: Any, what: str) -> None:
    """Raise a ValueError that says what was received."""
    if not condition:
        raise ValueError(what)
