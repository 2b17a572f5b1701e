"""What runs in seconds is no result: its pictures and tables say so, and are without the paper's numbers."""

QUICK = "quick"
QUICK_CHECK = "QUICK CHECK"
_SENTENCE = "QUICK CHECK of seconds, to see that everything runs: not a result."


def mark(figure):
    """Write QUICK CHECK in red at the top right of a `Figure` of matplotlib."""
    style = {"color": "red", "weight": "bold", "ha": "right", "va": "top", "zorder": 100}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # readable over a long title, too
    text = figure.text(0.995, 0.995, QUICK_CHECK, bbox=box, **style)
    text.set_in_layout(False)


def as_quick_check(table):
    r"""A table, or several, in Markdown: says first what it is, and has no column whose name begins with "paper".

    >>> print(as_quick_check("| k | paper | seeds |\n|---|---|---|\n| 20 | 98.05 % | 1 |"))
    QUICK CHECK of seconds, to see that everything runs: not a result.
    <BLANKLINE>
    | k | seeds |
    |---|---|
    | 20 | 1 |
    """
    lines, kept = [], None
    for line in table.split("\n"):
        if not line.startswith("|"):
            kept = None
            lines.append(line)
            continue
        cells = line.strip("|").split("|")
        if kept is None:  # the head of a table
            kept = [number for number, cell in enumerate(cells) if not cell.strip().startswith("paper")]
        lines.append("|" + "|".join(cells[number] for number in kept) + "|")
    return "\n".join([_SENTENCE, "", *lines])
