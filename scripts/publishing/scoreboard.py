"""All claims of the papers on one screen, and the README's headlines: computed anew from the committed records."""

import contextlib
import pathlib

from scripts.experiment import SIZES, find, names
from scripts.publishing.claims import Claim
from scripts.publishing.curves import collect
from scripts.publishing.quick_check import QUICK
from scripts.publishing.tables import markdown_table
from scripts.running.files import replacing

BEGIN, END = "<!-- begin: python -m scripts scoreboard -->", "<!-- end -->"
_FILE = "README.md"


def all_runs(results):
    """The runs that are there: dict from the name of each experiment to a dict from the size, the largest first."""
    return {name: _runs_by_size(name, results) for name in names()}


def scoreboard(results, runs_of):
    """The table of all claims that runs are there for, and the names of the experiments without.

    A claim is judged by the largest size that has runs for it: a larger one may leave out some of the trainings.

    Args:
        results: str or path, the folder of results, with its pages.
        runs_of: dict from the name of each experiment to its runs, as of `all_runs`.

    Returns:
        Str, Markdown.
    """
    lines, missing = [], []
    for name in names():
        claims = [claim for claim in find(name).claims if isinstance(claim, Claim)]
        runs = runs_of[name] if claims else {}
        if claims and not runs:
            missing.append(name)
        for claim in claims:
            said, size = _of_the_largest_size(runs, claim.verdict)
            if said:
                page = _page(name, size, results)
                sentence = claim.sentence if claim.in_paper else claim.opening
                lines.append([sentence, said, _size_and_seeds(name, size, runs[size]), f"[{name}]({page})"])
    table = markdown_table(["the paper claims", "verdict", "size", "where"], lines) if lines else ""
    rest = f"Not drawn from records yet: {', '.join(missing)}." if missing else ""
    return "\n\n".join(part for part in (table, rest) if part)


def headlines(results, runs_of):
    """The table of the few numbers that the README shows, where runs are there for them.

    Args:
        results: str or path, the folder of results, with its pages.
        runs_of: as of `scoreboard`.

    Returns:
        Str, Markdown; its links are from beside the folder.
    """
    lines = []
    for name in names():
        shown = find(name).headlines
        runs = runs_of[name] if shown else {}
        for headline in shown:
            ours, size = _of_the_largest_size(runs, headline.measure)
            if ours:
                link = f"[{name}]({pathlib.Path(results).name}/{_page(name, size, results)})"
                lines.append([headline.sentence, ours, headline.paper, _size_and_seeds(name, size, runs[size]), link])
    return markdown_table(["test accuracy, or what is said", "ours", "the paper", "size", "where"], lines)


def write_scoreboard(results):
    """Put the scoreboard into `README.md` of the results, and the headlines into the one beside their folder.

    Args:
        results: str or path, the folder of results. A `README.md` beside it is left alone where there is none, or one
            without marks.

    Returns:
        Str, the scoreboard.

    Raises:
        ValueError: the file of the results lacks the marks.
    """
    runs_of = all_runs(results)
    path, table = pathlib.Path(results, _FILE), scoreboard(results, runs_of)
    if not _put(path, table):
        raise ValueError(f"{path} must hold the lines {BEGIN!r} and {END!r}, between which the table goes. Add them.")
    beside = pathlib.Path(results).resolve().parent / _FILE
    if beside.exists():
        _put(beside, headlines(results, runs_of))
    return table


def _put(path, table):
    """Put a table between the two marks of a file; give whether it has them."""
    head, begin, rest = path.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        return False
    with replacing(path) as partial:
        partial.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}")
    return True


def _size_and_seeds(name, size, curves):
    """The size, how many seeds, and of a sweep that has not ended how many of its runs."""
    declared, seeds = find(name), len({curve.seed for curve in curves})
    whole = len(declared.trainings[size]) * len(declared.seeds[size])
    so_far = f", {len(curves)} of {whole} runs so far" if len(curves) < whole else ""
    return f"{size}, {seeds} seed{'s' * (seeds > 1)}{so_far}"


def _page(name, size, results):
    """The published page of a size: beside that of another one it is named after it."""
    own = f"{name}_{size}.md"
    return own if pathlib.Path(results, own).exists() else f"{name}.md"


def _runs_by_size(name, results):
    """The runs of all sizes that have any: dict from the size, the largest first; quick checks are no results."""
    found = {}
    for size in [size for size in reversed(SIZES) if size != QUICK and size in find(name).trainings]:
        with contextlib.suppress(FileNotFoundError):
            found[size] = collect(name, size, results)
    return found


def _of_the_largest_size(runs, measure):
    """What is measured of the largest size that has runs for it, and this size; a pair of None where none has."""
    measured = ((measure(curves), size) for size, curves in runs.items())
    return next((pair for pair in measured if pair[0]), (None, None))
