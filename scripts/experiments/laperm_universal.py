"""Functions of one variable, approximated by permuting the weights of one layer: the error against the width.

Claim: a ReLU network with one hidden layer, whose weights there are +-1 and whose biases are equidistant, approximates
every continuous function of one variable by a permutation of its equidistant output weights, with an error that falls
as the width to the power of -1/2 (Cai, Chen and Qiao 2025, "Neural networks trained by weight permutation are universal
approximators", Neural Networks 187, arXiv 2407.01033; their method is LaPerm).

Command: `python -m scripts run laperm_universal`; then `python -m scripts figure laperm_universal`. It needs no data.

Theirs are the network `alpha + gamma * sum_i (p_i ReLU(x + b_i) + q_i ReLU(-x + b_i))` on [-1, 1] with free alpha and
gamma, the two functions, `-sin(2 pi x)` and the third Legendre polynomial, n = 10 to 320 pairs of neurons, and the
initializations equidistant, pairwise random and random; so says their public code. Ours are the training, which is a
hundredth as long: 6,400 points, Adam in batches of 16 for 20,000 steps, from a rate of 0.1 down to 0.00001, k = 20
(theirs: 1,600 points, batches of 8 for 1,280,000 steps from a rate of 0.001, k = 1,000 and growing); and Adam alone,
whose output weights are free. Only p and q are permuted. On the Legendre polynomial only equidistant
weights are tried. Our rate, k and number of steps were chosen by looking at errors on the sine, not on held-out points.
The rate of -1/2 is the paper's as those who summarize it quote it.
"""

import statistics

import numpy as np
import pandas as pd

from scripts.experiment import Experiment
from scripts.laperm.one_dimension import Approximation, FunctionValues, OneHiddenLayer
from scripts.laperm.settings import laperm
from scripts.publishing.claims import Claim, Ours, Remark
from scripts.publishing.curves import ends
from scripts.publishing.figures import COLORS, legend_below
from scripts.publishing.tables import frame_table
from scripts.publishing.verdicts import number
from scripts.running.evaluation import Evaluation
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Decay
from scripts.running.task import Regression
from scripts.running.training import Training, changed

_PAIRS = (10, 20, 40, 80, 160, 320)
_FUNCTIONS = {"sine": "-sin(2 pi x)", "legendre_3": "third Legendre polynomial"}
_INITIAL = {
    "equidistant": "equidistant",
    "pairwise": "pairwise random",
    "uniform": "uniform random",
}
_FREE = "Adam alone, equidistant"
_ERRORS = {"test_error": "root mean square error", "test_largest_error": "largest error"}
_PERMUTED = laperm(20, skip_bias=True, unit_axes={"^scale/": None})


def _trainings(pairs, epochs, points=6400):
    for function in _FUNCTIONS:
        for n in pairs:
            free = Training(
                f"{function}, {_FREE}, n = {n}",
                FunctionValues(function, points),
                OneHiddenLayer(n),
                epochs,
                batch_size=16,
                optimizer=Optimizer(learning_rate=0.1, schedule=Decay(1e-4 ** (1 / epochs))),
                observers=(Approximation(),),
                evaluation=Evaluation(every=points // 16),
                task=Regression(),
                steps_at_once=True,
            )
            for initial, name in _INITIAL.items():
                if function == "sine" or initial == "equidistant":
                    label = f"{function}, {name}, n = {n}"
                    yield changed(free, _PERMUTED, {"network": {"initial": initial}}, label=label)
            if function == "sine":
                yield free


def _fields(training):
    initial = _INITIAL[training.network.initial]
    return {
        "function": _FUNCTIONS[training.data.name],
        "weights": initial if training.optimizer.around else _FREE,
        "n": training.network.pairs,
    }


def _runs(curves):
    """Every run's errors with its fields, and its seed."""
    return ends(curves, _fields)


def _draw(figure, curves):
    figure.set_size_inches(10, 7.5)
    runs = _runs(curves)
    functions = list(dict.fromkeys(runs["function"]))
    colors = dict(zip((*_INITIAL.values(), _FREE), COLORS, strict=False))
    grid = figure.subplots(len(functions), 2, sharex=True, squeeze=False)
    for row, function in zip(grid, functions, strict=True):
        of_function = runs[runs["function"] == function]
        for axes, (error, name) in zip(row, _ERRORS.items(), strict=True):
            for weights, same in of_function.groupby("weights", sort=False):
                found = same.groupby("n")[error].agg(["mean", "min", "max"])
                style = "--" if weights == _FREE else "-"
                axes.plot(found.index, found["mean"], f"o{style}", color=colors[weights], label=weights, markersize=4)
                axes.fill_between(found.index, found["min"], found["max"], color=colors[weights], alpha=0.15, lw=0)
            start = of_function.loc[of_function["weights"] != _FREE].groupby("n")[error].mean().iloc[0]
            n = np.array(sorted(of_function["n"].unique()))
            axes.plot(n, start * (n / n[0]) ** -0.5, color="0.4", linestyle=":", label="slope -1/2")
            axes.set(xscale="log", yscale="log")
            axes.set_xticks(n, map(str, n))
            axes.minorticks_off()
            axes.set_title(f"{function}: {name}", loc="left", fontsize=10)
            axes.grid(alpha=0.3)
    for axes in grid[-1]:
        axes.set_xlabel("n, pairs of neurons")
    legend_below(figure, grid[0, 0], 3)
    figure.suptitle("Output weights permuted by LaPerm: mean and range of the seeds", x=0.01, ha="left")


def slopes(runs, error):
    """The slope of the logarithm of an error over that of n, for each seed.

    Args:
        runs: data frame with a row for each run: `n`, `seed` and the error.
        error: str.

    Returns:
        List of floats, of the seeds that have several widths.
    """
    return [
        float(np.polyfit(np.log(same["n"].to_numpy(float)), np.log(same[error].to_numpy(float)), 1)[0])
        for _, same in runs.groupby("seed")
        if same["n"].nunique() > 1
    ]


def _table(curves):
    runs = _runs(curves)
    lines = []
    for (function, weights), same in runs.groupby(["function", "weights"], sort=False):
        of_each = same.groupby("n")[[*_ERRORS]].mean()
        cells = {
            f"n = {n}": f"{row['test_error']:.4f} ({row['test_largest_error']:.3f})" for n, row in of_each.iterrows()
        }
        line = {"function": function, "output weights": weights, "seeds": same["seed"].nunique(), **cells}
        for error, name in zip(_ERRORS, ("slope", "slope of the largest"), strict=True):
            found = slopes(same, error)
            line[name] = f"{statistics.mean(found):.2f}" if found else None
        permuted = same["is_permutation"]
        lines.append({**line, "permutation": f"{permuted.sum()} of {len(permuted)}"})
    said = (
        "Root mean square errors on 400 equidistant points of [-1, 1], the largest in brackets; means of the seeds. A "
        "slope is that of the logarithm of the error over that of n, fitted for each seed."
    )
    return f"{frame_table(pd.DataFrame(lines, dtype=object))}\n\n{said}"


def _rates(error):
    """A function that gives the slopes of what is permuted from equidistant and pairwise random weights."""

    def measure(curves):
        runs = _runs(curves)
        found = {}
        for (function, weights), same in runs.groupby(["function", "weights"], sort=False):
            values = slopes(same, error)
            if weights in (_INITIAL["equidistant"], _INITIAL["pairwise"]) and values:
                found[f"{function}, {weights}"] = Ours(tuple(values), f"{statistics.mean(values):.2f}")
        return found

    return measure


def _of_equidistant(curves):
    """By how much other initial weights, and none that are permuted, are worse: geometric means over all widths."""
    runs = _runs(curves)
    logs = np.log(runs["test_error"].astype(float)).groupby([runs["function"], runs["weights"]], sort=False).mean()
    said = [
        f"{function}, {weights}: {np.exp(mean - logs[function, _INITIAL['equidistant']]):.2f}"
        for (function, weights), mean in logs.items()
        if weights != _INITIAL["equidistant"] and (function, _INITIAL["equidistant"]) in logs
    ]
    return "; ".join(said)


EXPERIMENT = Experiment(
    claim="One hidden layer of ReLU neurons with fixed weights approximates functions of one variable by permuting its "
    "output weights alone; the error falls as the width to the power of -1/2.",
    trainings={
        "quick": tuple(_trainings((10, 20), 2, points=640)),
        "laptop": tuple(_trainings(_PAIRS, 50)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2)},
    draw=_draw,
    table=_table,
    claims=(
        Claim("The root mean square error falls as n to the power of -1/2.", _rates("test_error"), number(-0.5)),
        Claim("So does the largest error.", _rates("test_largest_error"), number(-0.5)),
        Remark(
            "Initial weights decide how well permutation does (root mean square errors as multiples of those of "
            "equidistant weights, means over all n).",
            _of_equidistant,
        ),
    ),
)
