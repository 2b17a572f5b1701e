"""Five-layer ReLU-Nets on MNIST, the parameters that moved most or least put back; Fig. 3 and 4 (b).

Claim: as `rich_fig2`, and with a width of 5,000 keeping less than 10 % of the parameters as trained is enough to keep
the trained accuracy (Li and Banerjee 2021, section 4).

Command: `python -m scripts run rich_fig3 --jit --data DIR`; then `python -m scripts figure rich_fig3`.

Settings as in `rich_fig2`. The laptop size has widths up to 1,000 for 20 of 100 epochs and 3 of 5 seeds.
"""

from scripts.experiment import Experiment
from scripts.rich.draw_movement import drawing_bars, drawing_curves
from scripts.rich.movement_claims import MOVEMENT_CLAIMS
from scripts.rich.movement_settings import LAPTOP, QUICK, trainings_by_width
from scripts.rich.movement_tables import movement_rows, movement_table
from scripts.rich.settings import PRINTED_RATE, USUAL_RATE

_ROWS = ((4, "log"), (4, "linear"))

EXPERIMENT = Experiment(
    claim="With four hidden layers too, putting back the few parameters that moved far hurts, and few are enough.",
    trainings={
        "quick": trainings_by_width("mnist", 4, (10, 20), changes=QUICK),
        "laptop": trainings_by_width("mnist", 4, (10, 100, 1000), changes=LAPTOP),
        "paper": trainings_by_width("mnist", 4, (10, 20, 100, 1000, 5000)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing_curves(_ROWS, PRINTED_RATE),
    more_pictures={
        "rich_fig3_rate_0.001": drawing_curves(_ROWS, USUAL_RATE),
        "rich_fig4b": drawing_bars(),
    },
    rows=movement_rows,
    table=movement_table,
    claims=MOVEMENT_CLAIMS,
)
