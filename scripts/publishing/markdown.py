"""Numbers and tables as Markdown."""

import statistics


def markdown_table(head, lines):
    """A table.

    Args:
        head: list of str, the names of the columns.
        lines: iterable of list, the cells of each line, one for each column; what is not text is made text.

    Returns:
        Str.

    Example:

    >>> print(markdown_table(["k", "test accuracy"], [[140, "54.73 %"], [280, "55.40 %"]]))
    | k | test accuracy |
    |---|---|
    | 140 | 54.73 % |
    | 280 | 55.40 % |
    """
    named, *rest = (f"| {' | '.join(map(str, cells))} |" for cells in (head, *lines))
    return "\n".join([named, "|" + "---|" * len(head), *rest])


def percent(fraction):
    """A fraction as text.

    Args:
        fraction: float.

    Returns:
        Str.

    Example:

    >>> percent(0.8546)
    '85.46 %'
    """
    return f"{100 * fraction:.2f} %"


def mean_min_max(fractions):
    """Three cells: what several seeds have in the mean, at least and at most.

    Args:
        fractions: list of float.

    Returns:
        List of str.

    Example:

    >>> mean_min_max([0.5, 0.75])
    ['62.50 %', '50.00 %', '75.00 %']
    """
    return [percent(of(fractions)) for of in (statistics.mean, min, max)]
