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
from scripts.rich.movement_claims import MOVEMENT_CLAIMS
from scripts.rich.movement_settings import LAPTOP, QUICK, trainings_by_width
from scripts.rich.movement_tables import movement_rows, movement_table
from scripts.rich.settings import PRINTED_RATE, USUAL_RATE

_ROWS = ((1, "log"), (1, "linear"))

EXPERIMENT = Experiment(
    claim="Few parameters move far, and putting them back hurts; a narrow trained ReLU-Net beats a wide random one.",
    trainings={
        "quick": trainings_by_width("mnist", 1, (10, 20), changes=QUICK),
        "laptop": trainings_by_width("mnist", 1, (10, 100, 1000, 10_000), changes=LAPTOP),
        "paper": trainings_by_width("mnist", 1, (10, 20, 100, 1000, 10_000, 100_000)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
    draw=drawing_curves(_ROWS, PRINTED_RATE),
    more_pictures={
        "rich_fig2_rate_0.001": drawing_curves(_ROWS, USUAL_RATE),
        "rich_fig4a": drawing_bars(),
    },
    rows=movement_rows,
    table=movement_table,
    claims=MOVEMENT_CLAIMS,
)
