"""The published numbers of section 3: a CSV that a spreadsheet can draw, and two tables."""

import math
import statistics

import numpy as np

from scripts.laperm.ranking_traits import LOSS, autocorrelation, jumps_and_rises, load_record, rank_correlation
from scripts.publishing.curves import by_training
from scripts.publishing.tables import markdown_table

LAGS = (1, 50)
DISTANCES = (
    *("training", "learning rate", "autocorrelation: next step", "50 steps later", "spread / mean"),
    *("mean D_t / 784", "ranks changed in a step"),
)
ENDS = (
    *("training", "seeds", "15th to 85th percentile: start", "end", "extremes at the end"),
    *("test loss: lowest", "end", "test accuracy"),
)
JUMPS = (
    *("training", "rank correlation with the rise of the loss: same epoch", "next epoch"),
    *("the loss rose in the epoch of a jump", "in the next", "in all epochs"),
)
JUMP = 2.0


def published_rows(curves):
    """One row for each run and twelfth of an epoch.

    `distance`, `deviation` and `changed` are means over the steps up to `step`, `distance_low` and `distance_high` the
    extremes. The percentiles are given as their lowest and highest over the weight vectors.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        List of dict.
    """
    return [
        {name: float(f"{value:.5g}") if isinstance(value, float) else value for name, value in row.items()}
        for curve in curves
        for row in _rows(curve)
    ]


def _rows(curve):
    record = load_record(curve)
    epochs = curve.rows[curve.rows["when"] == "epoch"].set_index("step")
    recorded = {step: time for time, step in enumerate(record.percentiles["step"].tolist())}
    for step in range(0, len(record.distance) + 1, record.window):
        row = {"label": curve.label, "seed": curve.seed, "step": step}
        if step:
            past = slice(step - record.window, step)
            distance = record.distance[past]
            row |= {"distance": distance.mean(), "distance_low": distance.min(), "distance_high": distance.max()}
            row |= {"deviation": record.deviation[past].mean(), "changed": record.changed[past].mean()}
        if step in recorded:
            at = {name: values[recorded[step]] for name, values in record.percentiles.items() if name != "step"}
            row |= {"minimum": at["minimum"].min(), "maximum": at["maximum"].max()}
            for name in ("p15", "p50", "p85"):
                row |= {f"{name}_low": at[name].min(), f"{name}_high": at[name].max()}
        if step in epochs.index:
            row |= {name: float(epochs.loc[step, name]) for name in ("loss", LOSS, "test_loss", "test_accuracy")}
        yield row


def traits_table(curves):
    """Three tables, as means over the seeds, with their range.

    The distances at each learning rate; the weights and the loss; and how the loss changes where the distance jumps, to
    twice the usual one of the epoch before or more.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        Str, Markdown.
    """
    distances, ends, jumps = [], [], []
    for label, same in by_training(curves).items():
        records = [load_record(curve) for curve in same]
        for number, phase in enumerate(records[0].phases()):
            distances.append([label, f"{records[0].rate[phase[0]]:.3g}", *_phase_cells(records, number)])
        ends.append([label, len(same), *_end_cells(records, same)])
        jumps.append([label, *_jump_cells(records)])
    return "\n\n".join(map(markdown_table, (DISTANCES, ENDS, JUMPS), (distances, ends, jumps)))


def _phase_cells(records, number):
    """Means over the epochs of a phase and over the seeds, and of the autocorrelation the range over the seeds too."""
    by_seed = {name: [] for name in (*LAGS, "spread", "distance", "changed")}
    for record in records:
        epochs = [record.of_epoch(record.distance, epoch) for epoch in record.phases()[number]]
        for lag in LAGS:
            by_seed[lag].append(statistics.mean(autocorrelation(values, lag) for values in epochs))
        by_seed["spread"].append(statistics.mean(float(np.std(values) / np.mean(values)) for values in epochs))
        by_seed["distance"].append(float(np.mean(epochs)))
        changed = [record.of_epoch(record.changed, epoch) for epoch in record.phases()[number]]
        by_seed["changed"].append(float(np.mean(changed)))
    return [
        *(_range(by_seed[lag]) for lag in LAGS),
        f"{statistics.mean(by_seed['spread']):.2f}",
        f"{statistics.mean(by_seed['distance']):.2g}",
        f"{100 * statistics.mean(by_seed['changed']):.1f} %",
    ]


def _end_cells(records, curves):
    widths = np.array([(r.percentiles["p85"] - r.percentiles["p15"]).mean(axis=1)[[0, -1]] for r in records]).mean(
        axis=0
    )
    low = statistics.mean(float(r.percentiles["minimum"][-1].min()) for r in records)
    high = statistics.mean(float(r.percentiles["maximum"][-1].max()) for r in records)
    return [
        *(f"{width:.3f}" for width in widths),
        f"{low:.2f}, {high:.2f}",
        f"{statistics.mean(float(r.loss.min()) for r in records):.4f}",
        f"{statistics.mean(float(r.loss[-1]) for r in records):.4f}",
        f"{100 * statistics.mean(curve.summary['test_accuracy'] for curve in curves):.2f} %",
    ]


def _jump_cells(records):
    pairs = [[jumps_and_rises(record, ahead) for record in records] for ahead in (0, 1)]
    after_jumps = [[rise for sizes, rises in of for rise in rises[sizes >= JUMP]] for of in pairs]
    everywhere = [rise for _, rises in pairs[0] for rise in rises]
    return [
        *(_range([rank_correlation(*pair) for pair in of]) for of in pairs),
        *(f"{sum(rise > 0 for rise in rises)} of {len(rises)}" for rises in (*after_jumps, everywhere)),
    ]


def _range(values):
    if any(map(math.isnan, values)):
        return "-"
    mean = f"{statistics.mean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.2f} to {max(values):.2f})"
