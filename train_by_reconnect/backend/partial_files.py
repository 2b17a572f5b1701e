"""Files that are there whole or not at all."""

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """A temporary name to write to, which becomes the file where all went well: a cut leaves no half of one.

    >>> import tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.txt")
    >>> with replacing(path) as partial:
    ...     _ = partial.write_text("whole")
    >>> [each.name for each in path.parent.iterdir()]
    ['a.txt']
    """
    path = pathlib.Path(path)
    partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
