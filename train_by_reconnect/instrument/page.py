"""One self-contained page of a profile: words, a table to sort with a small picture a kernel, what was skipped."""

import html
import importlib.resources
import math
import string
from collections.abc import Iterator, Sequence

import numpy as np

from train_by_reconnect.instrument.kernel_profiles import NO_ANSWER, KernelProfile
from train_by_reconnect.instrument.measured import Measured
from train_by_reconnect.instrument.summary import SHOWS, assumed, covered, judged, left_out

_WIDTH, _HEIGHT, _POINTS = 120, 44, 32
_MOST_SKIPPED = 500
_BANDS = ((0, 6, "all"), (1, 5, "most"), (2, 4, "half"))
_MEASURES = ("plain", "standardized")
_HEAD = (
    ("profile", "", "the sorted weight vectors: all, the middle 90 %, the middle 50 % and the median at each rank"),
    ("kernel", "text", "its name, shape, and weight vectors x weights of each"),
    ("plain", "number", "the part of the variance of all weights that one common profile explains"),
    ("Gaussian noise", "number", "the same of sorted noise with each vector's mean and deviation: 5 to 95 % of draws"),
    ("against it", "text", "whether the vectors are more or less alike than that noise, at 0.05"),
    ("standardized", "number", "the same once each vector has mean 0 and variance 1"),
    ("Gaussian noise", "number", "of noise, standardized: 5 to 95 % of draws"),
    ("against it", "text", "whether the shapes are more or less alike than those of noise, at 0.05"),
)


def page(profile: Measured) -> str:
    """The page as one string of HTML, which refers to nothing outside it."""
    template = _file("page.html")
    return string.Template(template).substitute(
        title=html.escape(profile.title), style=_file("page.css"), body=_body(profile), script=_file("page.js")
    )


def fragment(profile: Measured) -> str:
    """The same to stand within another page, as a notebook is."""
    return f"<style>{_file('page.css')}</style>{_body(profile)}"


def _file(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _body(profile: Measured) -> str:
    words = [covered(profile), *assumed(profile), *judged(profile)]
    parts = [
        '<div class="weight-profiles">',
        f"<h1>{html.escape(profile.title)}: weight profiles</h1>",
        *(f"<p>{html.escape(line)}</p>" for line in words),
        *_table(profile.kernels),
        "<h2>What a score shows, and what not</h2>",
        *(f"<p>{html.escape(line)}</p>" for line in SHOWS),
        *_not_profiled(profile),
        "</div>",
    ]
    return "\n".join(parts)


def _table(kernels: Sequence[KernelProfile]) -> Iterator[str]:
    heads = "".join(
        f'<th scope="col" data-kind="{kind}" title="{html.escape(said)}">{name}</th>' for name, kind, said in _HEAD
    )
    yield f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>'
    for kernel in kernels:
        cells = "".join(_cells(kernel))
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def _cells(kernel: KernelProfile) -> Iterator[str]:
    scores = kernel.scores
    shape = " x ".join(map(str, kernel.shape))
    yield f"<td>{_picture(kernel)}</td>"
    yield (
        f'<td data-value="{html.escape(kernel.name)}"><b>{html.escape(kernel.name)}</b><br>{shape}<br>{scores.units:,} '
        f"vectors x {scores.size:,}</td>"
    )
    for measure in _MEASURES:
        own, noise = getattr(scores.measures, measure), kernel.null(measure, "gaussian")
        answer = kernel.against_gaussian(measure)
        p = "" if answer == NO_ANSWER else f", p {min(noise.p_lower, noise.p_higher):.2g}"
        interval = f"{_shown(noise.mean)}<br> ({_shown(noise.low)} to {_shown(noise.high)})"
        yield f'<td data-head="{measure}" data-value="{_number(own)}">{_shown(own)}</td>'
        yield f'<td data-head="{measure} of Gaussian noise" data-value="{_number(noise.mean)}">{interval}</td>'
        yield f'<td data-head="{measure} against it" class="{answer.split()[0]}">{answer}{p}</td>'


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _shown(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.3f}"


def _picture(kernel: KernelProfile) -> str:
    """The bands of one kernel as a picture of a kilobyte."""
    chosen = np.unique(np.linspace(0, len(kernel.ranks) - 1, _POINTS).round().astype(int))
    bands = np.asarray(kernel.bands, "float64")[:, chosen]
    low, high = float(bands.min()), float(bands.max())
    across = np.linspace(1, _WIDTH - 1, len(chosen)) if len(chosen) > 1 else np.array([_WIDTH / 2])
    down = _HEIGHT - 2 - (bands - low) / ((high - low) or 1) * (_HEIGHT - 4)

    def path(lines: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
        return "M" + "L".join(f"{x:.0f} {y:.1f}" for xs, ys in lines for x, y in zip(xs, ys, strict=True))

    drawn = [
        f'<path class="{name}" d="{path([(across, down[first]), (across[::-1], down[last][::-1])])}Z"/>'
        for first, last, name in _BANDS
    ]
    median = f'<path class="median" d="{path([(across, down[3])])}"/>'
    said = f"sorted weight vectors, from {low:.2g} to {high:.2g}"
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{said}">{"".join(drawn)}{median}</svg>'


def _not_profiled(profile: Measured) -> Iterator[str]:
    if not profile.skipped:
        return
    yield f"<details><summary>{len(profile.skipped)} tensors were not profiled</summary>"
    yield from (f"<p>{html.escape(line)}</p>" for line in left_out(profile.skipped))
    yield '<div class="wide"><table><tbody>'
    for each in profile.skipped[:_MOST_SKIPPED]:
        shape = " x ".join(map(str, each.shape)) or "a number"
        yield f"<tr><td>{html.escape(each.name)}</td><td>{shape}</td><td>{html.escape(each.reason)}</td></tr>"
    if len(profile.skipped) > _MOST_SKIPPED:
        yield f"<tr><td>and {len(profile.skipped) - _MOST_SKIPPED} more, for the reasons above</td></tr>"
    yield "</tbody></table></div></details>"
