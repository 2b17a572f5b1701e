"""Where the bytes of a connectivity file are, beside the bound of each variable."""

import dataclasses
import os
from typing import NamedTuple

import numpy as np

from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.connectivity_files.blocks import block_slices, bound_of_block
from train_by_reconnect.connectivity_files.description import ARRAY, MASKED, RESCALED, Description, Entry
from train_by_reconnect.connectivity_files.reading import decoded, open_file
from train_by_reconnect.connectivity_files.rescaling import rescaled
from train_by_reconnect.connectivity_files.words import bits_of


class Part(NamedTuple):
    """The bytes of one variable, and the least number of bits that could say as much."""

    entry: Entry
    bytes: int
    bound: float


@dataclasses.dataclass(frozen=True)
class FileSizes:
    """What a file holds, in bytes.

    Args:
        total: int, of the file.
        sections: dict from the name of a section to its bytes.
        parts: list of `Part`, one for each variable; the sorted vectors, if any, are not among their bytes.
        description: what the file says of itself.
    """

    total: int
    sections: dict[str, int]
    parts: list[Part]
    description: Description


def file_sizes(
    path: str | os.PathLike[str], reference: str | os.PathLike[str] | None = None, max_bytes: int | None = None
) -> FileSizes:
    """Measure a file; a ValueError says what is wrong with it."""
    opened = open_file(path, max_bytes)
    sections = {tag: len(data) for tag, data in opened.sections.items()}
    parts = [_part(entry, before, value) for entry, before, value in decoded(opened, reference)]
    return FileSizes(opened.size, sections, parts, opened.description)


def _part(entry: Entry, before: np.ndarray | None, value: np.ndarray) -> Part:
    if entry.how == ARRAY or before is None:
        return Part(entry, entry.bytes, 8.0 * entry.bytes)
    how = entry.how
    if how == RESCALED:
        how, before = MASKED, bits_of(rescaled(before.view(value.dtype), entry.factor, entry.divides))
    old, new = (np.ascontiguousarray(to_rows(each, entry.axes or (), np)) for each in (before, bits_of(value)))
    bound = sum(bound_of_block(how, old[place], new[place]) for place in block_slices(old.shape))
    return Part(entry, sum(entry.blocks), bound)
