"""How far a command is, for people who watch it on a terminal."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any


def on_terminal(items: Sequence[Any]) -> Iterator[Any]:
    """Iterate over tensors, or pairs of them, with a line that says how far; where nobody watches without it.

    >>> list(on_terminal(["a", "b"]))
    ['a', 'b']
    """
    if not sys.stderr.isatty():
        yield from items
        return
    for number, item in enumerate(items, start=1):
        first = item[0] if isinstance(item, tuple) else item
        sys.stderr.write(f"\r{number} of {len(items)}: {first.name[-60:]:60}")
        sys.stderr.flush()
        yield item
    sys.stderr.write("\r" + " " * 80 + "\r")
