"""What all pictures of the command have in common: the file they go to, and that they need matplotlib."""

import contextlib
import pathlib

from train_by_reconnect.backend.needing import needing

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


def needing_matplotlib(path: str) -> contextlib.AbstractContextManager[None]:
    """Say what to do where an import fails for want of matplotlib."""
    return needing("matplotlib", "A picture", "plot", f"--picture {path}", "leave it out for the table alone")
