"""Lists of results that show one result a line."""

from typing import TypeVar

Item = TypeVar("Item")


class Listing(list[Item]):
    """A list in every respect, shown with one item a line.

    Example:

    >>> Listing(["dense/kernel", "top/kernel"])
    ['dense/kernel',
     'top/kernel']
    """

    def __repr__(self) -> str:
        return f"[{_NEXT.join(map(repr, self))}]"


_NEXT = ",\n "
