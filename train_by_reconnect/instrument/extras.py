"""Rows as text and as a data frame, and packages that only some of the instrument needs."""

import contextlib
import csv
import io
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def data_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a `pandas.DataFrame`.

    Raises:
        ImportError: there is no pandas.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "A data frame needs pandas, which is not installed. Received: `frame`. Run `pip install "
            '"train-by-reconnect[profiles]"`, or take `rows` or `to_csv`, which do without.'
        ) from error
    return pd.DataFrame(list(rows))


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file of text.

    Raises:
        OSError: it cannot be written.
    """
    try:
        pathlib.Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise OSError(
            f"The file must be in a folder that exists and can be written to. Received: {os.fspath(path)} "
            f"({error.strerror}). Make the folder, or name another."
        ) from error


@contextlib.contextmanager
def needing_matplotlib() -> Iterator[None]:
    """Say what to do where an import fails for want of matplotlib."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            "A picture needs matplotlib, which is not installed. Received: `plot`. Run `pip install "
            '"train-by-reconnect[profiles]"`, or take `to_html`, whose pictures do without.'
        ) from error


def csv_of(rows: Sequence[dict[str, Any]]) -> str:
    r"""Rows as CSV.

    >>> csv_of([{"name": "a", "shape": (3, 2), "plain": float("nan")}])
    'name,shape,plain\na,3x2,nan\n'
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: "x".join(map(str, value)) if isinstance(value, tuple) else value for key, value in row.items()}
        for row in rows
    )
    return out.getvalue()
