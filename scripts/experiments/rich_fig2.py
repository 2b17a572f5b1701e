"""Two-layer ReLU-Nets on MNIST, the parameters that moved most or least put back; Fig. 2 and 4 (a).

Claim: to put back 0.1 % of the parameters, those that moved farthest in training, already hurts; accuracy is lowest
where about 10 % of them are back, and rises from there to that of the random network, more in wider ones. Yet a trained
network of width 10 beats a random one of width 100,000 (Li and Banerjee 2021, section 4).

Command: `python -m scripts run rich_fig2 --jit --data DIR`; then `python -m scripts figure rich_fig2`.

Settings of section 3: 10,000 images, equally many of each class, Adam, batches of 128. Curves for Adam's learning rate
of 0.1, as printed, and for a usual 0.001. The laptop size has widths up to 10,000 for 20 of 100 epochs, and 3 of 5
seeds. The paper leaves open how images are scaled, whether there are biases, and which percentages were measured.
"""

from scripts.experiment import Experiment
from scripts.rich.draw_movement import drawing_bars, drawing_curves
from scripts.rich.movement_tables import movement_rows, movement_table
from scripts.rich.movement_training import QUICK, RATES, trainings_by_width

_TITLE = "Two-layer ReLU-Nets (d = 1) on MNIST"
_ROWS = ((1, "log"), (1, "linear"))


def _trainings(widths, epochs, **changes):
    return tuple(t for rate in RATES for t in trainings_by_width(1, widths, epochs, rate, **changes))


EXPERIMENT = Experiment(
    claim="Few parameters move far, and putting them back hurts; a narrow trained ReLU-Net beats a wide random one.",
    trainings={
        "quick": _trainings((10, 20), 2, **QUICK),
        "laptop": _trainings((10, 100, 1000, 10_000), 20),
        "paper": _trainings((10, 20, 100, 1000, 10_000, 100_000), 100),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing_curves(_ROWS, 0.1, _TITLE),
    more_pictures={
        "rich_fig2_rate_0.001": drawing_curves(_ROWS, 0.001, _TITLE),
        "rich_fig4a": drawing_bars(_TITLE),
    },
    rows=movement_rows,
    table=movement_table,
)
