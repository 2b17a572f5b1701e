import keras
import numpy as np
import pandas as pd

from scripts.experiment import find
from scripts.publishing.curves import Curve
from scripts.rich.activity import Activity, SavedActivity, layer_shares
from scripts.rich.activity_claims import activity_claims
from scripts.rich.activity_tables import activity_table
from scripts.rich.settings import adam, balanced, section_3
from scripts.running.files import write_csv

ON_MNIST = ("rich_fig5", "rich_fig6", "rich_fig17")
RELU_NETS, CONV_NETS = ("rich_fig5", "rich_fig18"), ("rich_fig6", "rich_fig17", "rich_fig19", "rich_fig20")


def test_an_epoch_by_hand(tmp_path):
    # One unit w1 x1 + w2 x2 + b with the target 0 at (2, 0), w = (1, 2), b = 0: error 2, and the gradient
    # 2 * error * (x1, x2, 1) is (8, 0, 4). A step of 0.25: w = (-1, 2), b = -1, error -3, the gradient (-12, 0, -6).
    # 34 % of three parameters (1.02) is w1; 100 % would be all, but w2 has no gradient: w1 and b.
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="unit")])
    model.set_weights([np.array([[1.0], [2.0]]), np.array([0.0])])
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="mse")
    x, y = np.array([[2.0, 0.0]]), np.zeros((1, 1))
    activity = SavedActivity(tmp_path, x, y, (34, 100))
    model.fit(x, y, verbose=0, callbacks=[activity])
    with np.load(tmp_path / "activity_00001.npz") as file:
        assert {name: file[name].tolist() for name in file} == {
            **{"34/0": [[1], [0]], "34/1": [0]},
            **{"100/0": [[1], [0]], "100/1": [1]},
        }
    assert layer_shares(activity) == [
        {"percent": 34, "layer": "unit", "parameters": 3, "share": 1.0, "fraction": 1 / 3},
        {"percent": 100, "layer": "unit", "parameters": 3, "share": 1.0, "fraction": 2 / 3},
    ]


def curve_of(folder, width, seed, shares, active, rate=0.001):
    """A run whose layers have 60, 30 and 10 parameters, of which on average `active` were."""
    sizes = {"dense1": 60, "dense2": 30, "output": 10}
    folder = folder / f"{width} {rate} {seed}"
    write_csv(
        folder / "shares.csv",
        [
            {"percent": 10, "layer": layer, "parameters": size, "share": share, "fraction": share * active / size}
            for (layer, size), share in zip(sizes.items(), shares, strict=True)
        ],
    )
    label, images = f"some {width} at {rate}", balanced("digits")
    training = section_3(label, images, ("relu_net", {"units": width}), adam(rate), 1, (Activity((10,)),))
    return Curve(training, seed, pd.DataFrame(), {"test_accuracy": 0.8 + seed / 10}, folder)


def test_table_by_hand(tmp_path):
    lines = activity_table(
        [
            curve_of(tmp_path, 4, 0, (0.5, 0.3, 0.2), 10),
            curve_of(tmp_path, 4, 1, (0.7, 0.1, 0.2), 10),
            curve_of(tmp_path, 9, 0, (0.9, 0.03, 0.07), 10),
            curve_of(tmp_path, 9, 0, (0.0, 0.0, 1.0), 4, rate=0.1),  # of 10 only 4 are not zero
        ]
    ).splitlines()
    # Means of 0.5 and 0.7, 0.3 and 0.1: 0.6 of 0.6, 0.2 of 0.3, 0.2 of 0.1.
    assert lines[2:4] == [
        "| width 4 | 2 | 85.00 % | all parameters | - | 60.00 % | 30.00 % | 10.00 % |",
        "| width 4 |  |  | 10 % | 10.00 % | 60.00 % (50.00 to 70.00), 1.00x | 20.00 % (10.00 to 30.00), 0.67x "
        "| 20.00 % (20.00 to 20.00), 2.00x |",
    ]
    start = lines.index("| layers | alpha | width 4 | width 9 |") + 2
    assert [line.split(" | ")[2:] for line in lines[start : start + 4]] == [
        ["0.67x (dense2) to 2.00x (output)", "0.10x (dense2) to 1.50x (dense1) |"],
        ["60.00 % of the active, 60.00 % of all: 1.00x", "90.00 % of the active, 60.00 % of all: 1.50x |"],
        ["20.00 % of the active, 10.00 % of all: 2.00x", "7.00 % of the active, 10.00 % of all: 0.70x |"],
        ["20.00 % of the active, 30.00 % of all: 0.67x", "3.00 % of the active, 30.00 % of all: 0.10x |"],
    ]
    last = lines[lines.index("### Learning rate 0.1") + 5]
    assert last.startswith("| width 9 |  |  | 10 % | 4.00 % | 0.00 % (0.00 to 0.00), 0.00x |")


def test_claims_by_hand(tmp_path):
    # Of 60, 30 and 10 % of the parameters the narrow network has 60, 20 and 20 % of the active ones, so 0.67 to 2 times
    # as many; the wide one 1.5 times at the bottom in the mean, 1.4 and 1.6 in its seeds, 0.3 at the top,
    # 0.23 between.
    curves = [
        curve_of(tmp_path, 4, 0, (0.6, 0.2, 0.2), 10),
        curve_of(tmp_path, 4, 1, (0.6, 0.2, 0.2), 10),
        curve_of(tmp_path, 9, 0, (0.84, 0.12, 0.04), 10),
        curve_of(tmp_path, 9, 1, (0.96, 0.02, 0.02), 10),
    ]
    said = [claim.text(curves).split(" Ours: ")[1] for claim in activity_claims(concentrated_at_top=False)]
    assert said == [
        "alpha = 10 %, dense2: 0.67x (holds); alpha = 10 %, output: 2.00x (does not hold). Verdict: does not hold "
        "(1 of 2 hold).",
        "alpha = 10 %: 1.50x. Verdict: holds.",
        "alpha = 10 %: 0.30x. Verdict: holds.",
        "alpha = 10 %: 0.23x. Verdict: holds.",
    ]
    top = activity_claims(concentrated_at_top=True)[2]
    assert top.text(curves).endswith("in the top layer. Ours: alpha = 10 %: 0.30x. Verdict: does not hold.")
    assert top.text(curves[:2]).endswith("Ours: not run. Verdict: cannot tell.")


def test_settings_are_those_of_the_paper():
    for name in (*RELU_NETS, *CONV_NETS):
        experiment = find(name)
        declared = experiment.trainings["paper"]
        key, widths, depth = ("units", {100, 5000}, 4) if name in RELU_NETS else ("filters", {10, 100}, None)
        depth = depth or (2 if name in ("rich_fig6", "rich_fig19") else 4)
        for training in declared:
            assert (training.epochs, training.data.limit, training.data.balanced) == (100, 10_000, True)
            assert (training.batch_size, training.optimizer.name) == (128, "adam")
            assert training.observers == (Activity((1, 10, 30)),)
            assert training.network.arguments["depth"] == depth
            assert training.data.name == ("mnist" if name in ON_MNIST else "fashion_mnist")
        assert {training.network.arguments[key] for training in declared} == widths
        rates = {training.optimizer.learning_rate for training in declared}
        assert rates == ({0.001, 0.1} if name in RELU_NETS else {0.001})
        assert len(experiment.seeds["paper"]) == 5
