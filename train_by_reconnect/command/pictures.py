"""What all pictures of the command have in common: the file they go to, and that they need matplotlib."""

import contextlib
import pathlib
from collections.abc import Iterator

_FORMATS = (".png", ".pdf", ".svg")


def picture_file(path: str) -> pathlib.Path:
    """The file for a picture; a ValueError says if it is of a kind that nobody draws.

    >>> picture_file("a.svg").suffix
    '.svg'
    """
    out = pathlib.Path(path)
    if out.suffix not in _FORMATS:
        raise ValueError(f"`--picture` must end with {', '.join(_FORMATS)}. Received: --picture {path}. Rename it.")
    return out


@contextlib.contextmanager
def needing_matplotlib(path: str) -> Iterator[None]:
    """Say what to do where an import fails for want of matplotlib."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"A picture needs matplotlib, which is not installed. Received: --picture {path}. Run `pip install "
            '"train-by-reconnect[plot]"`, or leave it out for the table alone.'
        ) from error
