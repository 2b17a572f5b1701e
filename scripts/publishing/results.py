"""From finished runs to what people look at: one CSV, one picture and one table for each experiment."""

import collections
import dataclasses
import pathlib
import statistics

import matplotlib.figure

from scripts.experiment import find, trainings_of
from scripts.publishing.markdown import markdown_table, mean_min_max, percent
from scripts.running.files import read_csv, read_json, replacing, write_csv
from scripts.running.runner import folder_of

# Distinguishable for all kinds of colour vision (Okabe and Ito 2008), and dark enough on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")


@dataclasses.dataclass(frozen=True)
class Curve:
    """One finished run.

    Args:
        label: str.
        seed: int.
        rows: list of dict, all evaluations: epoch, step, when (`"before"`, `"after"`, `"epoch"`) and metrics.
        summary: dict, what was known at the end.
        folder: path of the run, with whatever else it wrote. Defaults to None.
    """

    label: str
    seed: int
    rows: list
    summary: dict
    folder: pathlib.Path | None = None

    def values(self, metric, when, by="step"):
        """The steps, or the epochs, and values of a metric.

        Args:
            metric: str, e.g. `"test_accuracy"`.
            when: str or tuple of str, e.g. `"after"`.
            by: `"step"`, or `"epoch"`, counted from 1. Defaults to `"step"`.

        Returns:
            Pair of lists.
        """
        rows = [row for row in self.rows if row["when"] in when and metric in row]
        return [row[by] + (by == "epoch") for row in rows], [row[metric] for row in rows]


def collect(name, size, results):
    """All finished runs of an experiment.

    Args:
        name: str.
        size: str.
        results: str or path, the folder of results.

    Returns:
        List of `Curve`, in the order of the declaration, then of the seeds.

    Raises:
        FileNotFoundError: there is none.
    """
    curves = []
    for training in trainings_of(name, size):
        parent = folder_of(name, size, training.label, 0, results).parent
        for done in sorted(parent.glob("seed_*/done.json"), key=lambda path: int(path.parent.name[5:])):
            rows, seed = read_csv(done.parent / "rows.csv"), int(done.parent.name[5:])
            curves.append(Curve(training.label, seed, rows, read_json(done), done.parent))
    if not curves:
        raise FileNotFoundError(
            f"There are no finished runs to draw. Received: {name} at size {size} in {results}. Run "
            f"`python -m scripts run {name} --size {size}` first."
        )
    return curves


def publish(name, size, results, folder, suffix=""):
    """Write the CSV, the picture and the table of an experiment.

    Args:
        name: str.
        size: str.
        results: str or path, where the runs are.
        folder: str or path, where to write `<name>.csv`, `<name>.png` and `<name>.md`, and further pictures.
        suffix: str, what follows each name, for a second size beside the first. Defaults to `""`.

    Returns:
        Str, the table in Markdown.
    """
    curves, experiment, folder = collect(name, size, results), find(name), pathlib.Path(folder)
    write_csv(folder / f"{name}{suffix}.csv", (experiment.rows or evaluations)(curves))
    for picture, draw in {name: experiment.draw, **experiment.more_pictures}.items():
        figure = matplotlib.figure.Figure(figsize=(9, 4.5), layout="constrained")
        draw(figure, curves)
        with replacing(folder / f"{picture}{suffix}.png") as partial:
            figure.savefig(partial, dpi=150, format="png")
    table = experiment.table(curves) if experiment.table else summarize(curves, experiment.paper)
    text = f"# {name}, size {size}\n\n{experiment.claim}\n\n{table}\n\n{_circumstances(curves)}\n"
    with replacing(folder / f"{name}{suffix}.md") as partial:
        partial.write_text(text)
    return table


def evaluations(curves):
    """All evaluations of all runs.

    Args:
        curves: list of `Curve`.

    Returns:
        List of dict.
    """
    return [{"label": curve.label, "seed": curve.seed, **row} for curve in curves for row in curve.rows]


def by_label(curves):
    """The runs of each label.

    Args:
        curves: list of `Curve`.

    Returns:
        Dict from a label to a list of `Curve`, in the order of the curves.
    """
    groups = {}
    for curve in curves:
        groups.setdefault(curve.label, []).append(curve)
    return groups


def summarize(curves, paper):
    """One line for each label: the spread over the seeds, and the paper's number.

    Args:
        curves: list of `Curve`.
        paper: dict from a label to text.

    Returns:
        Str, a table in Markdown. "Best" is the highest accuracy at any synchronization of any seed: chosen by looking.
    """
    head = [
        *("training", "seeds", "test accuracy: mean", "min", "max"),
        *("best seen", "just before a sync", "permutation", "paper"),
    ]
    lines = []
    for label, same in by_label(curves).items():
        final = [curve.summary["test_accuracy"] for curve in same]
        best = [value for curve in same for value in curve.values("test_accuracy", ("after", "epoch"))[1]]
        before = [curve.values("test_accuracy", ("before",))[1][-1:] for curve in same]
        before = [value for values in before for value in values]
        permuted = sum(curve.summary["is_permutation"] for curve in same)
        cells = [
            label,
            len(same),
            *mean_min_max(final),
            percent(max(best)) if best else "-",
            percent(statistics.mean(before)) if before else "-",
            f"{permuted} of {len(same)}",
            paper.get(label, "-"),
        ]
        lines.append(cells)
    return markdown_table(head, lines)


def _circumstances(curves):
    seconds = [curve.summary["seconds"] for curve in curves]
    said = [sorted({str(curve.summary[key]) for curve in curves}) for key in ("date", "machine", "versions")]
    parts = [", ".join(dates) for dates in said]
    seeds = sorted({curve.seed for curve in curves})
    taken = collections.Counter(curve.summary["taken_from"] for curve in curves if "taken_from" in curve.summary)
    shared = "".join(f", {count} of them the same as in {name}" for name, count in sorted(taken.items()))
    which = f"Seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"Seed {seeds[0]}"
    many = f"{len(curves)} runs of {min(seconds):.0f} to" if len(curves) > 1 else "1 run of"
    return f"{which}; {many} {max(seconds):.0f} s{shared}, {sum(seconds) / 60:.0f} minutes in all; {'; '.join(parts)}."


def draw_band(axes, curves, metric, when, color, label, by="step", opacity=0.15, **style):
    """Draw the mean over the seeds as a line and the range from minimum to maximum as a band.

    Args:
        axes: the `Axes` of matplotlib.
        curves: list of `Curve`, the seeds of one label.
        metric: str.
        when: tuple of str, as in `Curve.values`.
        color: str.
        label: str.
        by: `"step"`, or `"epoch"`, counted from 1. Defaults to `"step"`.
        opacity: float, of the band. Defaults to 0.15.
        **style: more for `axes.plot`.
    """
    by_step = {}
    for curve in curves:
        for step, value in zip(*curve.values(metric, when, by), strict=True):
            by_step.setdefault(step, []).append(value)
    steps = sorted(by_step)
    axes.plot(steps, [statistics.mean(by_step[step]) for step in steps], color=color, label=label, **style)
    low, high = ([extreme(by_step[step]) for step in steps] for extreme in (min, max))
    axes.fill_between(steps, low, high, color=color, alpha=opacity, linewidth=0)
