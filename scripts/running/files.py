"""Files that are whole or absent: written under a temporary name, then renamed."""

import contextlib
import csv
import json
import os
import pathlib


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"partial_{os.getpid()}_{path.name}")
        partial.touch()
    except OSError as error:
        raise PermissionError(
            f"The results folder must be writable. Received: {path.parent} ({error.strerror}). Name another one, with "
            "--results or --out."
        ) from error
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path, value):
    """Write a value as JSON.

    Args:
        path: str or path.
        value: anything that JSON can hold.
    """
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=2) + "\n")


def read_json(path):
    """Read a JSON file.

    Args:
        path: str or path.

    Returns:
        The value.

    Raises:
        ValueError: the file does not hold JSON.
    """
    try:
        return json.loads(pathlib.Path(path).read_text())
    except ValueError as error:
        raise ValueError(
            f"{path} must hold JSON. Received: {error}. Delete the file's folder and run again."
        ) from error


def write_csv(path, rows):
    """Write rows with all their columns, in order of first appearance; numbers keep all their digits.

    Args:
        path: str or path.
        rows: list of dict.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path):
    """Read rows; what looks like a number becomes one, and an empty cell is left out.

    Args:
        path: str or path.

    Returns:
        List of dict.
    """
    with pathlib.Path(path).open(newline="") as file:
        return [{name: _value(cell) for name, cell in row.items() if cell != ""} for row in csv.DictReader(file)]


def _value(cell):
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(cell)
    return cell
