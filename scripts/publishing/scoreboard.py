"""All claims of the papers on one screen: each with its verdict, computed anew from the committed records."""

import pathlib

from scripts.experiment import SIZES, find, names
from scripts.publishing.claims import Claim
from scripts.publishing.curves import collect
from scripts.publishing.quick_check import QUICK
from scripts.publishing.tables import markdown_table
from scripts.running.files import replacing

BEGIN, END = "<!-- begin: python -m scripts scoreboard -->", "<!-- end -->"


def scoreboard(results):
    """The table of all claims that runs are there for, and the names of the experiments without.

    Args:
        results: str or path, the folder of results, with its records.

    Returns:
        Str, Markdown.
    """
    lines, missing = [], []
    for name in names():
        claims = [claim for claim in find(name).claims if isinstance(claim, Claim)]
        curves, size = _of_the_largest_size(name, results)
        if claims and not curves:
            missing.append(name)
        seeds = len({curve.seed for curve in curves})
        for claim in claims if curves else ():
            said = claim.verdict(curves)
            if said:
                lines.append([claim.sentence, said, f"{size}, {seeds} seed{'s' * (seeds > 1)}", f"[{name}]({name}.md)"])
    table = markdown_table(["the paper claims", "verdict", "size", "where"], lines) if lines else ""
    rest = f"Not drawn from records yet: {', '.join(missing)}." if missing else ""
    return "\n\n".join(part for part in (table, rest) if part)


def write_scoreboard(results):
    """Put the table into `README.md` of the results, between its two marks.

    Args:
        results: str or path, the folder of results.

    Returns:
        Str, the table.

    Raises:
        ValueError: the file lacks the marks.
    """
    path, table = pathlib.Path(results, "README.md"), scoreboard(results)
    head, begin, rest = path.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} must hold the lines {BEGIN!r} and {END!r}, between which the table goes. Add them.")
    with replacing(path) as partial:
        partial.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}")
    return table


def _of_the_largest_size(name, results):
    """The runs of the largest size that has any, and its name; quick checks are no results."""
    for size in [size for size in reversed(SIZES) if size != QUICK and size in find(name).trainings]:
        try:
            return collect(name, size, results), size
        except FileNotFoundError:
            continue
    return [], None
