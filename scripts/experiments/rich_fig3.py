"""Five-layer ReLU-Nets on MNIST, the parameters that moved most or least put back; Fig. 3 and 4 (b).

Claim: as `rich_fig2`, and with a width of 5,000 keeping less than 10 % of the parameters as trained is enough to keep
the trained accuracy (Li and Banerjee 2021, section 4).

Command: `python -m scripts run rich_fig3 --jit --data DIR`; then `python -m scripts figure rich_fig3`.

Settings as in `rich_fig2`. The laptop size has widths up to 1,000 for 20 of 100 epochs and 3 of 5 seeds.
"""

from scripts.experiment import Experiment
from scripts.rich.draw_movement import drawing_bars, drawing_curves
from scripts.rich.movement_tables import movement_rows, movement_table
from scripts.rich.movement_training import QUICK, RATES, trainings_by_width

_TITLE = "Five-layer ReLU-Nets (d = 4) on MNIST"
_ROWS = ((4, "log"), (4, "linear"))


def _trainings(widths, epochs, **changes):
    return tuple(t for rate in RATES for t in trainings_by_width(4, widths, epochs, rate, **changes))


EXPERIMENT = Experiment(
    claim="With four hidden layers too, putting back the few parameters that moved far hurts, and few are enough.",
    trainings={
        "quick": _trainings((10, 20), 2, **QUICK),
        "laptop": _trainings((10, 100, 1000), 20),
        "paper": _trainings((10, 20, 100, 1000, 5000), 100),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing_curves(_ROWS, 0.1, _TITLE),
    more_pictures={
        "rich_fig3_rate_0.001": drawing_curves(_ROWS, 0.001, _TITLE),
        "rich_fig4b": drawing_bars(_TITLE),
    },
    rows=movement_rows,
    table=movement_table,
)
