"""The permutation between two synchronizations of a weight vector, and its cycles.

Claim: LaPerm's permutations can be extracted exactly from two consecutive synchronizations, and fall into disjoint
cycles (Qiu and Suda 2020, A.4, Fig. 14).

Command: `python -m scripts run laperm_fig14 --size paper --data DIR`, seconds on two cores; then
`python -m scripts figure laperm_fig14 --size paper`.

As in the paper: Adam inside, k = 20, a weight vector of 128 weights in a convolutional network on CIFAR-10, between the
first synchronization and the second. The paper names neither the network nor the layer; here it is Conv2 at half its
width, whose last layer has ten such vectors. Drawn is the one that has the median number of moved weights. The
laptop size has scikit-learn's digits in place of CIFAR-10 and needs no file.
"""

import numpy as np

from scripts.experiment import Experiment
from scripts.laperm.draw_permutations import draw_cycle_lengths, rank_permutation
from scripts.laperm.observers import SnapshotsKept
from scripts.laperm.snapshots import load_snapshots
from scripts.publishing.tables import markdown_table
from scripts.running.evaluation import Evaluation
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.training import Training
from train_by_reconnect import cycle_lengths, cycles, fixed_points, plot

K = 20


def _trainings(data, batch_size):
    """Forty steps: two synchronizations."""
    return (
        Training(
            "LaPerm (k = 20)",
            data,
            Network("conv2", {"width": 0.5}),
            epochs=1,
            batch_size=batch_size,
            optimizer=Optimizer(around="laperm", arguments={"sync_period": K}),
            observers=(Permutation(), SnapshotsKept("output", every=K)),
            evaluation=Evaluation(every=2 * K),
        ),
    )


def permutations_of(curve):
    """The permutations of ranks of all weight vectors between the first and the second synchronization.

    Args:
        curve: `scripts.publishing.curves.Curve`.

    Returns:
        List of int arrays, one for each weight vector; the one with the median number of moved weights first.
    """
    steps, rows = load_snapshots(curve.folder / "snapshots.npz")
    pairs = zip(rows[steps.index(K)], rows[steps.index(2 * K)], strict=True)
    found = [rank_permutation(before, after) for before, after in pairs]
    moved = [len(permutation) - len(fixed_points(permutation)) for permutation in found]
    typical = int(np.argsort(moved, kind="stable")[len(found) // 2])
    return [found[typical], *found[:typical], *found[typical + 1 :]]


def _draw(figure, curves):
    figure.set_size_inches(11, 5.6)
    circle, lengths = figure.subplots(1, 2, width_ratios=(3, 2))
    permutations = permutations_of(curves[0])
    plot.cycles(permutations[0], circle)
    size, still = len(permutations[0]), len(fixed_points(permutations[0]))
    circle.set_title(
        f"A weight vector of {size} from step {K} to {2 * K}: {still} weights keep their rank", fontsize=11
    )
    draw_cycle_lengths(lengths, permutations)
    lengths.set_title("All weight vectors of the layer", fontsize=11)


def _rows(curves):
    """Every weight vector of every run: which rank goes where, and the number of its cycle."""
    rows = []
    for curve in curves:
        for vector, permutation in enumerate(permutations_of(curve)):
            number = {rank: n for n, cycle in enumerate(cycles(permutation)) for rank in cycle}
            for rank, to in enumerate(permutation.tolist()):
                rows.append({"seed": curve.seed, "vector": vector, "rank": rank, "to": to, "cycle": number[rank]})
    return rows


def _table(curves):
    head = ["seed", "weight vector", "weights", "keep their rank", "cycles of two or more", "the longest"]
    lines = []
    for curve in curves:
        for vector, permutation in enumerate(permutations_of(curve)):
            lengths = cycle_lengths(permutation)
            still, longer = lengths.pop(1, 0), sum(lengths.values())
            lines.append([curve.seed, vector, len(permutation), still, longer, max(lengths, default=1)])
    note = "Weight vector 0 is the one drawn; the others follow in the order of the layer."
    return f"{markdown_table(head, lines)}\n\n{note}"


EXPERIMENT = Experiment(
    claim="Between two synchronizations of LaPerm a weight vector is permuted, and the permutation is made of cycles.",
    trainings={
        "quick": _trainings(Images("digits", limit=1000), 25),
        "laptop": _trainings(Images("digits", limit=1000), 25),
        "paper": _trainings(Images("cifar10", "z_score", limit=2000), 50),
    },
    seeds={"quick": (0,), "laptop": (0,), "paper": (0,)},
    draw=_draw,
    rows=_rows,
    table=_table,
)
