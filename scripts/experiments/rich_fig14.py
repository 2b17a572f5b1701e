"""Two- and five-layer ReLU-Nets on Fashion-MNIST, parameters put back; Fig. 14, 15 and 16.

Claim: on Fashion-MNIST as on MNIST, the parameters that moved farthest matter most; a trained network of width 20 beats
a random one of width 100,000 (Li and Banerjee 2021, appendix A).

Command: `python -m scripts run rich_fig14 --jit --data DIR`; then `python -m scripts figure rich_fig14`.

Settings as in `rich_fig2`. The laptop size is cut as in `rich_fig2` and `rich_fig3`, and leaves out the width of 10,000
at the learning rate of 0.1.
"""

import functools

from scripts.experiment import Experiment
from scripts.rich.draw_movement import drawing_bars, drawing_curves
from scripts.rich.movement_claims import MOVEMENT_CLAIMS
from scripts.rich.movement_settings import LAPTOP, QUICK, trainings_by_width
from scripts.rich.movement_tables import movement_rows, movement_table
from scripts.rich.settings import PRINTED_RATE, USUAL_RATE

_LOG = ((1, "log"), (4, "log"))
_LINEAR = ((1, "linear"), (4, "linear"))
_trainings = functools.partial(trainings_by_width, "fashion_mnist")

EXPERIMENT = Experiment(
    claim="On Fashion-MNIST too, putting back the few parameters that moved far hurts, and training always helps.",
    trainings={
        "quick": (*_trainings(1, (10,), changes=QUICK), *_trainings(4, (10,), changes=QUICK)),
        "laptop": (
            *_trainings(1, (10, 100, 1000), (PRINTED_RATE,), LAPTOP),
            *_trainings(1, (10, 100, 1000, 10_000), (USUAL_RATE,), LAPTOP),
            *_trainings(4, (10, 100, 1000), changes=LAPTOP),
        ),
        "paper": (
            *_trainings(1, (10, 20, 100, 1000, 10_000, 100_000)),
            *_trainings(4, (10, 20, 100, 1000, 5000)),
        ),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing_curves(_LOG, PRINTED_RATE),
    more_pictures={
        "rich_fig14_rate_0.001": drawing_curves(_LOG, USUAL_RATE),
        "rich_fig15": drawing_curves(_LINEAR, PRINTED_RATE),
        "rich_fig15_rate_0.001": drawing_curves(_LINEAR, USUAL_RATE),
        "rich_fig16": drawing_bars(),
    },
    rows=movement_rows,
    table=movement_table,
    claims=MOVEMENT_CLAIMS,
)
