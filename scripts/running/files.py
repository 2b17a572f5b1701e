"""Files that are whole or absent: written under a temporary name, then renamed."""

import contextlib
import errno
import json
import os
import pathlib

import pandas as pd


class DiskFullError(OSError):
    """There is no room left to write results."""


def disk_full(folder):
    """The error for a folder without room."""
    return DiskFullError(
        f"The results folder must have room. Received: {folder}, whose disk is full. Free some, or name another folder "
        "with --results or --out."
    )


@contextlib.contextmanager
def replacing(path):
    """Give a temporary path beside `path`, and rename it to `path` once all is written.

    Args:
        path: str or path. Its folder is made if need be.

    Yields:
        `pathlib.Path` with the same suffixes.

    Raises:
        PermissionError: the folder cannot be written to.

    Example:

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a.txt") as partial:
    ...     _ = partial.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    path = pathlib.Path(path)
    partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
    touch(partial)
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path.parent) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def touch(path):
    """Make an empty file, and its folder if need be, or leave what is there; errors as of `replacing`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path.parent) from error
        raise PermissionError(
            f"The results folder must be writable. Received: {path.parent} ({error.strerror}). Name another one, with "
            "--results or --out."
        ) from error


def write_json(path, value):
    """Write a value as JSON."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=2) + "\n")


def read_json(path):
    """The value that a JSON file holds; a ValueError names the file that holds none."""
    try:
        return json.loads(pathlib.Path(path).read_text())
    except ValueError as error:
        raise ValueError(
            f"{path} must hold JSON. Received: {error}. Delete the file's folder and run again."
        ) from error


def write_csv(path, rows):
    """Write a data frame, or a list of dict, with all its columns; numbers keep all their digits.

    Columns are in the order of their first appearance, and what a row lacks is an empty cell.
    """
    # As objects: among missing values integers would become floats.
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows, dtype=object)
    with replacing(path) as partial:
        frame.to_csv(partial, index=False, lineterminator="\n")


def read_csv(path):
    """Read a data frame. Whole numbers stay whole beside empty cells, which are missing values.

    Example:

    >>> import tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "rows.csv")
    >>> write_csv(path, [{"step": 5, "when": "epoch"}, {"when": "after", "accuracy": 0.1}])
    >>> records(read_csv(path))
    [{'step': 5, 'when': 'epoch'}, {'when': 'after', 'accuracy': 0.1}]
    """
    try:
        frame = pd.read_csv(path, dtype_backend="numpy_nullable", keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError:  # a table without rows has no columns either
        return pd.DataFrame()
    floats = frame.select_dtypes("Float64").columns
    return frame.astype(dict.fromkeys(floats, "float64"))


def records(frame):
    """The rows of a data frame as list of dict, without what a row lacks."""
    return [{name: value for name, value in row.items() if not pd.isna(value)} for row in frame.to_dict("records")]
