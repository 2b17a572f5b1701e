"""What the commands say of the weight profiles of a model or a file, and of two beside each other."""

import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

from train_by_reconnect.command.conditions import check_condition, meeting
from train_by_reconnect.command.pictures import needing_matplotlib, picture_file
from train_by_reconnect.command.progress import on_terminal
from train_by_reconnect.command.table import table
from train_by_reconnect.instrument.comparison import ProfileComparison, compare_profiles
from train_by_reconnect.instrument.profile import Profile, profile

MET = 2
_MEASURES = ("plain", "standardized")
_HEAD = (
    "kernel",
    "vectors",
    *("plain", "Gaussian noise", "against it"),
    *("standardized", "Gaussian noise", "against it"),
)
_COMPARED = (
    "profile_distance",
    "rank_moved",
    "ranking_distance",
    "sign_flips",
    "changed",
    "zeros_first",
    "zeros_second",
)


class Answer(NamedTuple):
    """What a command prints, and its exit status."""

    lines: list[str]
    status: int = 0


def profiles_of(parsed: Any, find: Callable[[str], Any], network: str, picture: str | None = None) -> Answer:
    """Do what the options of `add_profiling` say.

    Args:
        parsed: the options.
        find: function that gives of a name or a file what `profile` takes.
        network: str, the name or file.
        picture: str or None, the file for a picture.

    Returns:
        `Answer`: the files that were written, the scores and what they show; status 2 where a layer meets a condition.

    Raises:
        ValueError: a file that cannot be read, a condition that is none, or a picture of another kind.
        ImportError: a picture is asked for, and there is no matplotlib.
    """
    for condition in parsed.fail_if:
        check_condition(condition)
    out = picture_file(picture) if picture else None
    with needing_matplotlib(picture or ""):
        if out is not None:
            import train_by_reconnect.instrument.pictures  # noqa: F401 - before anything is measured
    if parsed.against is not None:
        return _compared(parsed, find(network), find(parsed.against), out)
    is_scored = parsed.html or parsed.csv or parsed.fail_if or not parsed.no_scores
    draws = parsed.draws if is_scored else 0
    found = profile(find(network), n_draws=draws, seed=parsed.seed, layout=parsed.layout, progress=on_terminal)
    lines = _drawn(found, out) if out else []
    if parsed.html:
        found.to_html(parsed.html)
        lines.append(parsed.html)
    return _answer(parsed, found, lines, _scores)


def _scores(found: Profile) -> list[str]:
    rows = []
    for row in found.rows:
        cells = [row["name"], f"{row['units']} x {row['size']}"]
        for measure in _MEASURES:
            cells.append(f"{row[measure]:.3f}")
            if found.n_draws:
                low, high = row[f"{measure}_gaussian_low"], row[f"{measure}_gaussian_high"]
                cells += [f"{low:.3f} to {high:.3f}", row[f"{measure}_against_gaussian"]]
        rows.append(cells)
    return table(_HEAD if found.n_draws else ("kernel", "vectors", *_MEASURES), rows)


def _drawn(found: Profile, out: pathlib.Path) -> list[str]:
    from train_by_reconnect.instrument.draw_sheets import PER_SHEET

    written = []
    for page in range(1, -(-len(found.kernels) // PER_SHEET) + 1):
        file = out.with_stem(f"{out.stem}_{page}") if page > 1 else out
        found.plot(page=page).savefig(file, dpi=110)
        written.append(str(file))
    return written


def _compared(parsed: Any, first: Any, second: Any, out: pathlib.Path | None) -> Answer:
    if parsed.html:
        raise ValueError(
            f"`--html` is of one model. Received: --html {parsed.html} and --against {parsed.against}. Write the "
            "comparison with --csv or --picture."
        )
    found = compare_profiles(first, second, layout=parsed.layout, progress=on_terminal)
    lines = []
    if out is not None:
        found.plot().savefig(out, dpi=110)
        lines.append(str(out))
    return _answer(parsed, found, lines, _differences)


def _differences(found: ProfileComparison) -> list[str]:
    rows = [
        [row["name"], f"{row['units']} x {row['size']}", *(f"{row[column]:.4f}" for column in _COMPARED)]
        for row in found.rows
    ]
    return table(["kernel", "vectors", *(column.replace("_", " ") for column in _COMPARED)], rows)


def _answer(parsed: Any, found: Any, lines: list[str], table_of: Callable[[Any], list[str]]) -> Answer:
    """What was measured as a file, a table and words, and whether it meets a condition."""
    if parsed.csv:
        found.to_csv(parsed.csv)
        lines.append(parsed.csv)
    if not parsed.no_scores:
        lines += [*table_of(found), "", found.summary()]
    met = [line for condition in parsed.fail_if for line in meeting(found.rows, condition)]
    if met:
        lines = [*lines, "", *(f"fails: {line}" for line in met)]
    return Answer(lines, MET if met else 0)
