"""The ranking of the weights follows the training: distances between rankings, percentiles of the weights, loss.

Claim: step by step, the changes in the ranking of the first weight matrix look random under SGD and follow a trend
under Adam; with L2 regularization they are larger, because the weights come closer together; and a jump in them
foretells a rise of the validation loss (Qiu and Suda 2020, section 3 and A.3, Fig. 3 and 13).

Command: `python -m scripts run laperm_fig3 --size paper --data DIR`, about 45 minutes on two busy cores; then
`python -m scripts figure laperm_fig3 --size paper`.

Settings of A.3. The distance is measured at every step. "Divided by 2 and 5 at the 10th and 20th epochs" is read as it
must be read of the ResNet in A.5.4, "divided by 10 at the 80, 120, 160th epoch": each drop divides what the one before
has left, so 1, then 1/2 after 10 epochs, then 1/10 after 20. The paper's validation images are the 10,000 test images,
and so are ours; nothing is chosen by them. The first weight matrix starts the same in all four settings of a seed.
The validation loss shown is the cross-entropy, without the penalty that L2 regularization adds.
"""

from scripts.experiment import Experiment
from scripts.laperm.draw_ranking import draw_figure_3, draw_figure_13
from scripts.laperm.observers import RankingsRecorded
from scripts.laperm.ranking_claims import CLAIMS
from scripts.laperm.ranking_tables import published_rows, traits_table
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Drops
from scripts.running.task import Classification
from scripts.running.training import Training, changed


def _trainings(epochs=30, drops=(10, 20), images=None):
    adam = Training(
        "Adam",
        Images("mnist", limit=images),
        Network("mlp"),
        epochs,
        batch_size=50,
        optimizer=Optimizer(schedule=Drops(dict(zip(drops, (2, 5), strict=True)))),
        observers=(Permutation(), RankingsRecorded("dense1", every=1, percentiles_every=600)),
        task=Classification(("accuracy", "sparse_categorical_crossentropy")),
    )
    return (
        changed(adam, label="SGD", optimizer={"name": "sgd", "learning_rate": 0.1}),
        adam,
        changed(adam, label="Adam, dropout", network={"arguments": {"dropout": (0.4, 0.3)}}),
        changed(adam, label="Adam, L2", network={"arguments": {"l2": 2e-4}}),
    )


EXPERIMENT = Experiment(
    claim="Changes in the ranking of the weights reflect the progress of learning, and each optimizer has its own way.",
    trainings={
        "quick": _trainings(epochs=3, drops=(1, 2), images=2000),
        "laptop": _trainings(epochs=6, drops=(2, 4)),
        "paper": _trainings(),
    },
    seeds={"quick": (0,), "laptop": (0,), "paper": (0, 1, 2)},
    draw=draw_figure_3,
    more_pictures={"laperm_fig13": draw_figure_13},
    rows=published_rows,
    table=traits_table,
    claims=CLAIMS,
)
