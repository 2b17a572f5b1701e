"""Reconnection, seen: where each weight of a weight vector was before training and where it is afterwards.

Claim: LaPerm trains a network only by giving the random weights of each weight vector other places (Qiu and Suda 2020,
section 4, Fig. 4, right).

Command: `python -m scripts run laperm_fig4 --data DIR`, a minute on two cores; then
`python -m scripts figure laperm_fig4`.

As in the paper the network has one hidden layer and learns MNIST. The paper gives neither its size nor k nor the
epochs: here 100 units, k = 20 and 5 epochs. The weight vector drawn is the one whose mean change in rank is the median
of all, with arrows for the tenth of its weights that are largest. The second picture shows a whole matrix, the last one
of a network of 24 hidden units: each panel is the weight vector of a class, of which all weights are drawn. The quick
size draws scikit-learn's digits.
"""

import math

import numpy as np

from scripts.experiment import Experiment
from scripts.laperm.draw_permutations import draw_reconnection, draw_vectors
from scripts.laperm.observers import SnapshotsKept
from scripts.laperm.settings import laperm, observed_by
from scripts.laperm.snapshots import load_snapshots
from scripts.running.evaluation import Evaluation
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.training import Training, changed
from train_by_reconnect import permutation_between, ranking_distance

HIDDEN, LAST = "dense1", "output"
_START_AND_END = 10**9  # steps between snapshots: the start and the end are kept in any case


def _trainings(units, matrix_units, dataset, epochs, batch_size):
    def training(label, layer, hidden):
        return changed(
            Training(
                label,
                Images(dataset),
                Network("mlp", {"units": (hidden,)}),
                epochs,
                batch_size,
                evaluation=Evaluation(every=1000),
            ),
            laperm(20, skip_bias=True),
            observed_by(SnapshotsKept(layer, _START_AND_END)),
        )

    return (
        training("one weight vector of the hidden layer", HIDDEN, units),
        training("the matrix of the last layer", LAST, matrix_units),
    )


def _first_of(curves, layer):
    """The first run in which a layer was kept."""
    return next(curve for curve in curves if curve.training.part(SnapshotsKept).layer == layer)


def before_and_after(curve):
    """The weights to draw, at the start and at the end of a run.

    Args:
        curve: `scripts.publishing.curves.Curve`.

    Returns:
        Pair of arrays of one shape: the weight vector laid out like the images, or the matrix.
    """
    _, rows = load_snapshots(curve.folder / "snapshots.npz")
    before, after = rows[0], rows[-1]
    if curve.training.part(SnapshotsKept).layer == LAST:
        return before.T, after.T
    distances = [ranking_distance(*pair)[0] for pair in zip(before, after, strict=True)]
    typical = int(np.argsort(distances, kind="stable")[len(distances) // 2])
    side = math.isqrt(before.shape[1])
    return before[typical].reshape(side, side), after[typical].reshape(side, side)


def _draw(figure, curves):
    figure.set_size_inches(7, 7)
    curve = _first_of(curves, HIDDEN)
    draw_reconnection(figure, *before_and_after(curve), titles=("before training", f"after training: {_right(curve)}"))


def _draw_matrix(figure, curves):
    curve = _first_of(curves, LAST)
    before, after = before_and_after(curve)
    draw_vectors(figure, before, after, [f"class {number}" for number in range(before.shape[1])])
    figure.suptitle(f"The last layer, before and after training: {_right(curve)}", x=0.01, ha="left")


def _right(curve):
    return f"{100 * curve.summary['test_accuracy']:.1f} % of the test images right"


def _rows(curves):
    """Every drawn weight of the first seed: its value before and after, and where the one that is there now was."""
    rows = []
    for layer in (HIDDEN, LAST):
        curve = _first_of(curves, layer)
        before, after = before_and_after(curve)
        vectors = range(before.shape[1]) if layer == LAST else [slice(None)]
        for vector in vectors:
            old, new = before[:, vector].ravel(), after[:, vector].ravel()
            for place, origin in enumerate(permutation_between(old, new).tolist()):
                number = {"vector": vector} if layer == LAST else {}
                values = {"before": float(old[place]), "after": float(new[place]), "origin": origin}
                rows.append({"label": curve.label, "seed": curve.seed, **number, "place": place, **values})
    return rows


EXPERIMENT = Experiment(
    claim="Training by reconnection: every weight keeps its value and only its place in the weight vector changes.",
    trainings={
        "quick": _trainings(16, 12, "digits", epochs=3, batch_size=32),
        "laptop": _trainings(100, 24, "mnist", epochs=5, batch_size=50),
    },
    seeds={"quick": (0,), "laptop": (0,)},
    draw=_draw,
    more_pictures={"laperm_fig4_matrix": _draw_matrix},
    rows=_rows,
)
