"""The bytes of a connectivity file: magic, version, sections with their lengths, and a checksum of all of it."""

import hashlib
import os
import pathlib
import struct
from collections.abc import Mapping, Sequence

MAGIC = b"\x89TBR\r\n\x1a\n"  # as in PNG, a transfer as text or a cut to 7 bits spoils it
VERSION = 2  # what is written; earlier ones are read
# What a file of this version holds, in this order: description, architecture, connectivity, sorted vectors, arrays.
SECTIONS = ("HEAD", "ARCH", "CONN", "VALS", "ARRS")
_START = struct.Struct("<8sHH")
_SECTION = struct.Struct("<4sQ")
_CHECKSUM = hashlib.sha256().digest_size
SMALLEST = _START.size + len(SECTIONS) * _SECTION.size + _CHECKSUM


def write_container(path: str | os.PathLike[str], sections: Mapping[str, Sequence[bytes]]) -> None:
    """Write the parts of each section under a temporary name, then rename the file: a cut leaves no half of one."""
    path = pathlib.Path(path)
    parts = [_START.pack(MAGIC, VERSION, len(SECTIONS))]
    parts += [_SECTION.pack(tag.encode(), sum(map(len, sections[tag]))) for tag in SECTIONS]
    parts += [part for tag in SECTIONS for part in sections[tag]]
    checksum = hashlib.sha256()
    partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
    try:
        with partial.open("wb") as file:
            for part in parts:
                checksum.update(part)
                file.write(part)
            file.write(checksum.digest())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_container(path: str | os.PathLike[str]) -> dict[str, memoryview]:
    """The sections of a file, whose lengths and checksum hold.

    Raises:
        ValueError: it is no connectivity file, is of a later version, cut, or changed.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"There is no such file. Received: {path}. Pass what `save_connectivity` wrote.")
    data = memoryview(path.read_bytes())
    if bytes(data[: len(MAGIC)]) != MAGIC:
        raise ValueError(
            f"{path} must be a connectivity file, which begins with {MAGIC!r}. Received: {bytes(data[:8])!r}. Pass "
            "what `save_connectivity` wrote, and copy it as binary data."
        )
    if len(data) < SMALLEST:
        raise _cut(path, len(data), SMALLEST)
    _, version, count = _START.unpack_from(data)
    if not 1 <= version <= VERSION:
        raise ValueError(
            f"{path} must be of a version from 1 to {VERSION} of the format. Received: version {version}. Read it with "
            "a later version of train_by_reconnect."
        )
    declared, place = [], _START.size
    for _ in range(count if count == len(SECTIONS) else 0):
        tag, length = _SECTION.unpack_from(data, place)
        declared.append((tag.decode("latin-1"), length))
        place += _SECTION.size
    if tuple(tag for tag, _ in declared) != SECTIONS:
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


def is_connectivity_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as a connectivity file does."""
    try:
        with pathlib.Path(path).open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def damaged(path: str | os.PathLike[str], received: object) -> ValueError:
    """The error for a file that does not hold what it says."""
    return ValueError(
        f"{path} must be as `save_connectivity` wrote it. Received: {' '.join(str(received).split())[:300]}. Copy it "
        "again, or write it anew."
    )


def _cut(path: pathlib.Path, size: int, expected: int) -> ValueError:
    return ValueError(
        f"{path} must be a whole file, of {expected:,} bytes. Received: {size:,} bytes. It was cut: copy it again."
    )
