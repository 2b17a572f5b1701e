"""Rows as text and as a data frame, and packages that only some of the instrument needs."""

import contextlib
import csv
import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

from train_by_reconnect.backend.needing import needing
from train_by_reconnect.backend.partial_files import replacing


def data_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a `pandas.DataFrame`.

    Raises:
        ImportError: there is no pandas.
    """
    with needing("pandas", "A data frame", "profiles", "`frame`", "take `rows` or `to_csv`, which do without"):
        import pandas as pd
    return pd.DataFrame(list(rows))


def written(text: str, path: str | os.PathLike[str] | None) -> str:
    """The text, which is written to a file too, if there is one.

    Raises:
        OSError: it cannot be written.
    """
    if path is None:
        return text
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OSError(
            f"The file must be in a folder that exists and can be written to. Received: {os.fspath(path)} "
            f"({error.strerror}). Make the folder, or name another."
        ) from error
    return text


def needing_matplotlib() -> contextlib.AbstractContextManager[None]:
    """Say what to do where an import fails for want of matplotlib."""
    return needing("matplotlib", "A picture", "profiles", "`plot`", "take `to_html`, whose pictures do without")


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
