"""The bytes of a file: magic, version, sections with their lengths, and a checksum of all of it."""

import hashlib
import os
import pathlib
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from train_by_reconnect.backend.partial_files import replacing

VERSION = 2  # what is written; earlier ones are read


class Kind(NamedTuple):
    """A kind of file: what it is called, what writes it, how it begins, and its sections in their order."""

    name: str
    writer: str
    magic: bytes
    sections: tuple[str, ...]


# As in PNG, a transfer as text or a cut to 7 bits spoils the magic. The sections hold the description, the
# architecture, the connectivity, the sorted vectors and the arrays.
NETWORK = Kind(
    "a connectivity file", "save_connectivity", b"\x89TBR\r\n\x1a\n", ("HEAD", "ARCH", "CONN", "VALS", "ARRS")
)
UPDATE = Kind(
    "an update of a connectivity file",
    "save_connectivity_update",
    b"\x89TBU\r\n\x1a\n",
    ("HEAD", "ARCH", "CONN", "ARRS"),
)
KINDS = (NETWORK, UPDATE)
_START = struct.Struct("<8sHH")
_SECTION = struct.Struct("<4sQ")
_CHECKSUM = hashlib.sha256().digest_size


def write_container(
    path: str | os.PathLike[str], sections: Mapping[str, Sequence[bytes]], kind: Kind = NETWORK
) -> None:
    """Write the parts of each section under a temporary name, then rename the file: a cut leaves no half of one."""
    parts = [_START.pack(kind.magic, VERSION, len(kind.sections))]
    parts += [_SECTION.pack(tag.encode(), sum(map(len, sections[tag]))) for tag in kind.sections]
    parts += [part for tag in kind.sections for part in sections[tag]]
    checksum = hashlib.sha256()
    with replacing(path) as partial, partial.open("wb") as file:
        for part in parts:
            checksum.update(part)
            file.write(part)
        file.write(checksum.digest())


def read_container(path: str | os.PathLike[str], kind: Kind = NETWORK) -> dict[str, memoryview]:
    """The sections of a file, whose lengths and checksum hold.

    Raises:
        ValueError: it is no such file, is of a later version, cut, or changed.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"There is no such file. Received: {path}. Pass what `{kind.writer}` wrote.")
    data = memoryview(path.read_bytes())
    if bytes(data[:8]) != kind.magic:
        received = next((f"{each.name}." for each in KINDS if each.magic == data[:8]), f"{bytes(data[:8])!r}.")
        raise ValueError(
            f"{path} must be {kind.name}, which begins with {kind.magic!r}. Received: {received} Pass what "
            f"`{kind.writer}` wrote, and copy it as binary data."
        )
    smallest = _START.size + len(kind.sections) * _SECTION.size + _CHECKSUM
    if len(data) < smallest:
        raise _cut(path, len(data), smallest)
    _, version, count = _START.unpack_from(data)
    if not 1 <= version <= VERSION:
        raise ValueError(
            f"{path} must be of a version from 1 to {VERSION} of the format. Received: version {version}. Read it with "
            "a later version of train_by_reconnect."
        )
    declared, place = [], _START.size
    for _ in range(count if count == len(kind.sections) else 0):
        tag, length = _SECTION.unpack_from(data, place)
        declared.append((tag.decode("latin-1"), length))
        place += _SECTION.size
    if tuple(tag for tag, _ in declared) != kind.sections:
        raise damaged(path, f"{count} sections, {', '.join(tag for tag, _ in declared)!r}")
    expected = place + sum(length for _, length in declared) + _CHECKSUM
    if len(data) < expected:
        raise _cut(path, len(data), expected)
    if len(data) > expected:
        raise damaged(path, f"{len(data):,} bytes where it declares {expected:,}")
    if hashlib.sha256(data[:-_CHECKSUM]).digest() != bytes(data[-_CHECKSUM:]):
        raise damaged(path, "another checksum than the one at its end")
    sections = {}
    for tag, length in declared:
        sections[tag] = data[place : place + length]
        place += length
    return sections


def kind_of(path: str | os.PathLike[str]) -> Kind | None:
    """The kind of file that a file begins as."""
    try:
        with pathlib.Path(path).open("rb") as file:
            begin = file.read(8)
    except OSError:
        return None
    return next((kind for kind in KINDS if kind.magic == begin), None)


def is_connectivity_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as a connectivity file does, or as an update of one."""
    return kind_of(path) is not None


def damaged(path: str | os.PathLike[str], received: object) -> ValueError:
    """The error for a file that does not hold what it says."""
    return ValueError(
        f"{path} must be as it was written. Received: {' '.join(str(received).split())[:300]}. Copy it "
        "again, or write it anew."
    )


def _cut(path: pathlib.Path, size: int, expected: int) -> ValueError:
    return ValueError(
        f"{path} must be a whole file, of {expected:,} bytes. Received: {size:,} bytes. It was cut: copy it again."
    )
