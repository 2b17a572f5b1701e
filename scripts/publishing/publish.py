"""From finished runs to what people look at: one CSV, one picture and one table for each experiment."""

import pathlib
import re

import matplotlib.figure
import pandas as pd

from scripts.experiment import find, trainings_of
from scripts.publishing.claims import claims_beside_ours
from scripts.publishing.curves import by_training, collect, ends, evaluations
from scripts.publishing.quick_check import QUICK, QUICK_CHECK, as_quick_check, mark
from scripts.publishing.tables import frame_table, mean_min_max, percent
from scripts.running.files import read_json, replacing, write_csv
from scripts.running.runner import folder_of


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
        if size == QUICK:
            mark(figure)
        with replacing(folder / f"{picture}{suffix}.png") as partial:
            figure.savefig(partial, dpi=150, format="png")
    table = experiment.table(curves) if experiment.table else summarize(curves, experiment.paper)
    if size == QUICK:
        table = as_quick_check(table)
    elif experiment.claims:
        table = f"{table}\n\n{claims_beside_ours(experiment.claims, curves)}"
    title = f"# {name}, size {size}" + (f": {QUICK_CHECK}" if size == QUICK else "")
    said = [title, experiment.opening, table, *_failures(name, size, results), _circumstances(curves)]
    text = "\n\n".join(said) + "\n"
    with replacing(folder / f"{name}{suffix}.md") as partial:
        partial.write_text(text)
    return table


def refuse_to_replace(name, size, results, folder, suffix=""):
    """Refuse to replace what is published by another size or by fewer runs: it would look like the same, measured anew.

    Raises:
        ValueError: the published page says another size, or more runs than there are.
    """
    path = pathlib.Path(folder) / f"{name}{suffix}.md"
    page = path.read_text() if path.exists() else ""
    there = page.partition("\n")[0].rpartition("size ")[2].partition(":")[0]
    if page and there != size:
        raise ValueError(
            f"{path} is published at size {there}. Received: --size {size}. Publish beside it with --suffix _{size}, "
            "or over it with --force."
        )
    published = re.findall(r"; (\d+) runs? of", page)
    runs = len(collect(name, size, results)) if published else 0
    if published and runs < int(published[-1]):
        raise ValueError(
            f"{path} is published from {published[-1]} runs. Received: {runs}, the others have no record here. Finish "
            f"them with `python -m scripts run {name} --size {size}`, or publish these with --suffix or --force."
        )


def summarize(curves, paper):
    """One line for each training: the spread over the seeds, and the paper's number, as a table in Markdown.

    "Best" is the highest accuracy at any synchronization of any seed: chosen by looking.
    """
    lines = []
    for label, same in by_training(curves).items():
        mean, least, most = mean_min_max([curve.summary["test_accuracy"] for curve in same])
        best = pd.concat([curve.values("test_accuracy") for curve in same]).max()
        before = pd.concat([curve.values("test_accuracy", "before").tail(1) for curve in same]).mean()
        lines.append(
            {
                "training": label,
                "seeds": len(same),
                "test accuracy: mean": mean,
                "min": least,
                "max": most,
                "best seen": None if pd.isna(best) else percent(best),
                "just before a sync": None if pd.isna(before) else percent(before),
                "permutation": f"{sum(curve.summary['is_permutation'] for curve in same)} of {len(same)}",
                "paper": paper.get(label),
            }
        )
    return frame_table(pd.DataFrame(lines, dtype=object))


def _failures(name, size, results):
    """A paragraph on the runs that failed, as list; an empty one if none did."""
    said = []
    for training in trainings_of(name, size):
        parent = folder_of(name, size, training.label, 0, results).parent
        for path in sorted(parent.glob("seed_*/failed.json")):
            said.append(f"- {training.label}, {path.parent.name.replace('_', ' ')}: {read_json(path)['error']}")
    return ["\n".join(["Failed, and in none of these numbers:", "", *said])] if said else []


def _circumstances(curves):
    """One sentence: which seeds, how many runs, how long they took, when, and on what."""
    runs = ends(curves)
    seconds, seeds = runs["seconds"], sorted(runs["seed"].unique())
    taken = runs["taken_from"].dropna().value_counts().sort_index() if "taken_from" in runs else {}
    shared = "".join(f", {count} of them the same as in {name}" for name, count in taken.items())
    which = f"Seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"Seed {seeds[0]}"
    many = f"{len(runs)} runs of {seconds.min():.0f} to" if len(runs) > 1 else "1 run of"
    said = "; ".join(", ".join(sorted(runs[key].unique())) for key in ("date", "machine", "versions"))
    return f"{which}; {many} {seconds.max():.0f} s{shared}, {seconds.sum() / 60:.0f} minutes in all; {said}."
