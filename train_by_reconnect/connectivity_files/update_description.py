"""What an update says of itself and of the networks before and after it: checked value by value."""

import dataclasses
import hashlib
import json
import os
from typing import Any, NamedTuple

from train_by_reconnect.connectivity_files.changes import WAYS
from train_by_reconnect.connectivity_files.container import UPDATE, VERSION, damaged, read_container
from train_by_reconnect.connectivity_files.description import (
    ARRAY,
    Description,
    Entry,
    entry_from,
    is_hexadecimal,
    require,
)
from train_by_reconnect.connectivity_files.json_sections import unpack_json


class Change(NamedTuple):
    """A variable that changes: its number among all, the way in which that is stored, and its entry afterwards.

    The blocks of the entry are those of the update.
    """

    number: int
    way: str
    entry: Entry


@dataclasses.dataclass(frozen=True)
class UpdateDescription:
    """All that stands in the first section of an update.

    Args:
        codec: str, of what wrote the changes.
        writer: str, the versions that wrote it.
        before_sha256: str, the `fingerprint` of the network that it is for.
        after_sha256: str, the `fingerprint` of the network afterwards.
        changes: tuple of `Change`.
    """

    codec: str
    writer: str
    before_sha256: str
    after_sha256: str
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """What is written of it."""
        shallow = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        changes = [[change.number, change.way, change.entry.to_json()] for change in self.changes]
        return {"version": VERSION, **shallow, "changes": changes}


class OpenedUpdate(NamedTuple):
    """An update that was read, of which nothing is decoded yet."""

    size: int
    description: UpdateDescription
    architecture: Any
    sections: dict[str, memoryview]


def fingerprint(description: Description, architecture: Any) -> str:
    """The SHA-256 of what a network is: its weights, its initial weights, and its architecture."""
    content = [description.weights_sha256, [each.variable for each in description.entries], architecture]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def open_update(path: str | os.PathLike[str]) -> OpenedUpdate:
    """Read an update and check all that it declares; a ValueError says what is wrong with it."""
    sections = read_container(path, UPDATE)
    try:
        description = _description_from(unpack_json(sections["HEAD"]))
        architecture = unpack_json(sections["ARCH"]) if len(sections["ARCH"]) else None
    except ValueError as error:
        raise damaged(path, error) from error
    return OpenedUpdate(os.path.getsize(path), description, architecture, sections)


def _description_from(content: Any) -> UpdateDescription:
    require(isinstance(content, dict), "a description")
    fields = dict(content)
    version = fields.pop("version", None)
    require(type(version) is int and 1 < version <= VERSION, "a description of another version")
    names = {field.name for field in dataclasses.fields(UpdateDescription)}
    require(set(fields) == names, f"a description of {sorted(fields)}")
    for name in ("codec", "writer"):
        require(isinstance(fields[name], str) and len(fields[name]) <= 200, f"no {name}")
    for name in ("before_sha256", "after_sha256"):
        require(is_hexadecimal(fields[name], 64), f"no {name}")
    require(isinstance(fields["changes"], list), "no list of changes")
    changes = tuple(map(_change_from, fields["changes"]))
    numbers = [change.number for change in changes]
    require(numbers == sorted(set(numbers)), "changes that are not in their order")
    return UpdateDescription(**{**fields, "changes": changes})


def _change_from(content: Any) -> Change:
    require(isinstance(content, list) and len(content) == 3, "no change of a variable")
    number, way, entry = content[0], content[1], entry_from(content[2])
    require(type(number) is int and number >= 0, f"no number of {entry.path}")
    require(isinstance(way, str) and way in WAYS and (way == ARRAY) == (entry.how == ARRAY), f"no way of {entry.path}")
    return Change(number, way, entry)
