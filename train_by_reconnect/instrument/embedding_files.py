"""Word vectors: text files of GloVe (`word v1 ... vd`) and word2vec (first a line `n d`), and binary ones of word2vec.

The vectors are the rows of one matrix, as of a Keras `Embedding`. A file is read line by line into one float32 array.
"""

import mmap
import pathlib
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from train_by_reconnect.instrument.conventions import describe_entries
from train_by_reconnect.instrument.entries import Decision, Entry
from train_by_reconnect.instrument.file_bytes import unreadable
from train_by_reconnect.instrument.tensors import Source

_HEAD = re.compile(rb"\s*(\d+)[ \t]+(\d+)\s*$")
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+|nan|inf)$", re.IGNORECASE)
_LONGEST_LINE = 1 << 20
_EXPECTED = "a file of word vectors, one word a line with as many numbers as the others"


def embedding_source(path: pathlib.Path, layout: Any = None) -> Source:
    """List the one tensor of a file of word vectors.

    Args:
        path: the file.
        layout: see `train_by_reconnect.instrument.conventions.describe_entries`.

    Returns:
        `Source`.

    Raises:
        ValueError: a file that does not hold as many vectors as it says, or is none of word vectors.
    """
    with path.open("rb") as file:
        first, second = file.readline(_LONGEST_LINE), file.readline(_LONGEST_LINE)
        head = _HEAD.match(first)
        is_text = _is_line(second, int(head[2])) if head else _is_line(first, None)
    if head and not is_text:
        count, size = int(head[1]), int(head[2])
        kind, start = "binary", len(first)
        if count * (4 * size + 1) > path.stat().st_size - start:
            raise unreadable(path, "a whole file of word vectors", f"{_said(path)} for {count} x {size} numbers")
    elif is_text:
        size = int(head[2]) if head else len(first.split()) - 1
        start = len(first) if head else 0
        kind, count = "text", _lines(path, start)
        if head and count != int(head[1]):
            raise unreadable(path, _EXPECTED, f"{count} lines where its first says {int(head[1])}")
    else:
        raise unreadable(path, _EXPECTED, _said(path), "Pass a file of a format that is known; see `profile`.")
    read = _read_binary if kind == "binary" else _read_text
    entry = Entry("embeddings", (count, size), "float32", lambda: read(path, start, count, size), layer=path.stem)
    known = {"embeddings": Decision((0,))}
    return Source(path.name, f"word vectors, {kind}", describe_entries([entry], layout, known))


def _said(path: pathlib.Path) -> str:
    return f"a file of {path.stat().st_size:,} bytes"


def _is_line(line: bytes, size: int | None) -> bool:
    """Whether it is a word and numbers: so many, or at least two."""
    fields = line.split()
    numbers = fields[1:] if size is None else fields[-size:]
    enough = len(numbers) >= 2 if size is None else len(fields) > size > 0
    return enough and all(_NUMBER.match(each) for each in numbers)


def _lines(path: pathlib.Path, start: int) -> int:
    """The number of lines from a place on that hold something."""
    with path.open("rb") as file:
        file.seek(start)
        return sum(1 for _ in _filled(file))


def _filled(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE):
        if not line.isspace():
            yield line


def _read_text(path: pathlib.Path, start: int, count: int, size: int) -> np.ndarray:
    array = np.empty((count, size), "float32")
    with path.open("rb") as file:
        file.seek(start)
        for row, line in enumerate(_filled(file)):
            numbers = line.rsplit(maxsplit=size)[1:] if row < count else []  # a word may have spaces itself
            try:
                array[row] = np.array(numbers, "S").astype("float32")
            except (ValueError, IndexError) as error:
                found = f"{len(line.split()) - 1} numbers in line {row + 1}, where there are {size} in the first"
                raise unreadable(path, _EXPECTED, found) from error
    return array


def _read_binary(path: pathlib.Path, start: int, count: int, size: int) -> np.ndarray:
    array = np.empty((count, size), "float32")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = start
        for row in range(count):
            space = content.find(b" ", at)
            at = space + 1 + 4 * size
            if space < 0 or at > len(content):
                raise unreadable(path, "a whole file of word vectors", f"{row} of {count} vectors")
            array[row] = np.frombuffer(content[space + 1 : at], "<f4")
    return array
