"""Numbers as text, and tables of them as Markdown: the one place where tables are printed."""

import statistics


def markdown_table(head, lines):
    """A table in Markdown.

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


def frame_table(frame):
    """A data frame as a table in Markdown, its index left out; a missing cell is `-`.

    >>> import pandas as pd
    >>> print(frame_table(pd.DataFrame({"k": [20, None], "accuracy": ["97.00 %", "98.00 %"]}, dtype=object)))
    | k | accuracy |
    |---|---|
    | 20 | 97.00 % |
    | - | 98.00 % |
    """
    cells = frame.astype(object).where(frame.notna(), "-")
    return markdown_table(list(frame.columns), cells.itertuples(index=False))


def without_empty_columns(frame):
    """The same data frame without the columns that hold nothing."""
    return frame.dropna(axis="columns", how="all")


def percent(fraction):
    """A fraction as text.

    >>> percent(0.8546)
    '85.46 %'
    """
    return f"{100 * fraction:.2f} %"


def points(difference):
    """A difference of two accuracies as text, in points.

    >>> points(0.0013), points(-0.2)
    ('+0.13', '-20.00')
    """
    return f"{100 * difference:+.2f}"


def mean_min_max(fractions):
    """Three cells: what several seeds have in the mean, at least and at most.

    >>> mean_min_max([0.5, 0.75])
    ['62.50 %', '50.00 %', '75.00 %']
    """
    return [percent(of(fractions)) for of in (statistics.mean, min, max)]
