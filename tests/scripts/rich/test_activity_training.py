import dataclasses

import keras
import numpy as np
import pytest

from scripts.experiment import find
from scripts.publishing.results import Curve, publish
from scripts.rich.activity_training import ActivityTraining, SavedActivity, block_means, layer_shares, picture
from scripts.rich.draw_activity import table
from scripts.rich.gradient_training import GradientTraining, SortedGradients, sorted_components
from scripts.running.checkpoint import Checkpoint
from scripts.running.files import read_csv, write_csv
from scripts.running.runner import Options, folder_of, run

ON_MNIST = ("rich_fig5", "rich_fig6", "rich_fig17")
QUIET = Options(progress=False)
RELU_NETS, CONV_NETS = ("rich_fig5", "rich_fig18"), ("rich_fig6", "rich_fig17", "rich_fig19", "rich_fig20")
TINY = {
    "dataset": "digits",
    "epochs": 3,
    "learning_rate": 0.01,
    "train_limit": 300,
    "validation": 100,
    "model_arguments": {"units": 5, "depth": 2},
}
COUNTED = ActivityTraining("counted", "relu_net", **TINY)
SORTED = GradientTraining("sorted", "relu_net", gradients_after=(0, 2, 3), **TINY)


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


def test_block_means_by_hand():
    # Five rows in two blocks are 2 + 3, three columns in two are 1 + 2.
    matrix = np.array([[1.0, 0, 0], [3, 0, 4], [0, 6, 0], [0, 0, 0], [9, 0, 0]])
    assert block_means(matrix, 2).tolist() == [[2.0, 1.0], [3.0, 1.0]]
    np.testing.assert_array_equal(block_means(matrix, 5), matrix)


def test_pictures_by_hand():
    # One pixel high and two wide, two channels, two filters; each value says its filter, channel and pixel.
    kernel = np.array([[[[100 * f + 10 * c + w for f in range(2)] for c in range(2)] for w in range(2)]])
    assert picture(kernel).tolist() == [[0, 1, 100, 101], [10, 11, 110, 111]]
    assert picture(np.ones((784, 100))).shape == (96, 96)
    # One active weight of 192 by 192 is a quarter of its block.
    lonely = np.zeros((3, 3, 64, 64))
    lonely[1, 1, 5, 7] = 1
    assert picture(lonely).max() == 0.25


def curve_of(folder, label, seed, shares, active):
    """A run whose layers have 60, 30 and 10 parameters, of which on average `active` were."""
    sizes = {"dense1": 60, "dense2": 30, "output": 10}
    write_csv(
        folder / f"{label}_{seed}" / "shares.csv",
        [
            {"percent": 10, "layer": layer, "parameters": size, "share": share, "fraction": share * active / size}
            for (layer, size), share in zip(sizes.items(), shares, strict=True)
        ],
    )
    return Curve(label, seed, [], {"test_accuracy": 0.8 + seed / 10}, folder / f"{label}_{seed}")


def test_table_by_hand(tmp_path):
    lines = table(
        [
            curve_of(tmp_path, "width 4", 0, (0.5, 0.3, 0.2), 10),
            curve_of(tmp_path, "width 4", 1, (0.7, 0.1, 0.2), 10),
            curve_of(tmp_path, "width 9", 0, (0.9, 0.03, 0.07), 10),
            curve_of(tmp_path, "width 9, learning rate 0.1", 0, (0.0, 0.0, 1.0), 4),  # of 10 only 4 are not zero
        ]
    ).splitlines()
    # Means of 0.5 and 0.7, 0.3 and 0.1: 0.6 of 0.6, 0.2 of 0.3, 0.2 of 0.1.
    assert lines[2:4] == [
        "| width 4 | 2 | 85.00 % | all parameters | - | 60.00 % | 30.00 % | 10.00 % |",
        "| width 4 |  |  | 10 % | 10.00 % | 60.00 % (50.00 to 70.00), 1.00x | 20.00 % (10.00 to 30.00), 0.67x "
        "| 20.00 % (20.00 to 20.00), 2.00x |",
    ]
    start = lines.index("| finding of the paper | alpha | width 4 | width 9 |") + 2
    assert [line.split(" | ")[2:] for line in lines[start : start + 4]] == [
        ["0.67x (dense2) to 2.00x (output)", "0.10x (dense2) to 1.50x (dense1) |"],
        ["60.00 % of the active, 60.00 % of all: 1.00x", "90.00 % of the active, 60.00 % of all: 1.50x |"],
        ["20.00 % of the active, 10.00 % of all: 2.00x", "7.00 % of the active, 10.00 % of all: 0.70x |"],
        ["20.00 % of the active, 30.00 % of all: 0.67x", "3.00 % of the active, 30.00 % of all: 0.10x |"],
    ]
    last = lines[lines.index("### Learning rate 0.1") + 5]
    assert last.startswith("| width 9 |  |  | 10 % | 4.00 % | 0.00 % (0.00 to 0.00), 0.00x |")


def test_sorted_components_by_hand():
    # 4, 3 and 0: of the squared norm 25 the largest has 16.
    assert sorted_components([np.array([3.0, 0.0]), np.array([[-4.0]])]) == [
        {"rank": 1, "magnitude": 4.0, "norm_share": 0.64},
        {"rank": 2, "magnitude": 3.0, "norm_share": 1.0},
        {"rank": 3, "magnitude": 0.0, "norm_share": 1.0},
    ]
    thinned = sorted_components([np.arange(30_000.0)])
    assert {1, 30, 300, 3000, 15_000, 30_000} <= {row["rank"] for row in thinned}
    assert len(thinned) <= 304
    assert all(row["magnitude"] == 30_000 - row["rank"] for row in thinned)


def test_gradients_are_taken_without_weight_decay_by_hand(tmp_path):
    # One weight w = 2 at x = 1 with the target 0: the gradient of w^2 is 2 w = 4, that of the decay 0.5 w^2 is w = 2.
    # Steps of 0.25 * 3 w: w = 0.5, the gradient 1; then w = 0.125, the gradient 0.25.
    unit = keras.layers.Dense(1, use_bias=False, kernel_regularizer=keras.regularizers.L2(0.5))
    model = keras.Sequential([keras.Input((1,)), unit])
    model.set_weights([np.array([[2.0]])])
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="mse")
    x, y = np.ones((1, 1)), np.zeros((1, 1))
    gradients = SortedGradients(tmp_path / "gradients.csv", x, y, (0, 1, 2))
    model.fit(x, y, epochs=2, verbose=0, callbacks=[gradients])
    rows = read_csv(tmp_path / "gradients.csv")
    assert [(row["epoch"], row["magnitude"]) for row in rows] == [(0, 4.0), (1, 1.0), (2, 0.25)]


def test_gradients_are_those_of_a_train_step(tmp_path):
    # Normalized with the statistics of its batch, the output does not depend on the offset before: its gradient is 0.
    offset = keras.layers.Dense(1, kernel_initializer="ones", name="offset")
    model = keras.Sequential([keras.Input((1,)), offset, keras.layers.BatchNormalization(scale=False, center=False)])
    model.compile(optimizer="sgd", loss="mse")
    offset.kernel.trainable = False
    x, y = np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [2.0], [3.0]])
    gradients = SortedGradients(tmp_path / "gradients.csv", x, y, (0,))
    gradients.set_model(model)
    gradients.on_epoch_begin(0)
    assert read_csv(tmp_path / "gradients.csv")[0]["magnitude"] < 1e-5


def run_cut_before_saving(patch, training, epoch, folder):
    """Cut a run where what it counts is written, and the model of that epoch is yet to be, then run it to its end."""
    usual = Checkpoint.on_epoch_end

    def cut(self, now, logs=None):
        if now == epoch:
            raise KeyboardInterrupt
        usual(self, now, logs)

    patch.setattr(Checkpoint, "on_epoch_end", cut)
    with pytest.raises(KeyboardInterrupt):
        run(training, 0, folder, QUIET)
    patch.undo()
    return run(training, 0, folder, QUIET)


def test_a_killed_run_goes_on_counting(tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    summary = run(COUNTED, 0, whole, QUIET)
    assert {**run_cut_before_saving(monkeypatch, COUNTED, 1, parts), "seconds": 0} == {**summary, "seconds": 0}
    for name in ("rows.csv", "shares.csv"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes()
    with np.load(whole / "frequencies.npz") as expected, np.load(parts / "frequencies.npz") as frequencies:
        assert list(expected)[:3] == ["1/dense1/kernel", "1/dense2/kernel", "1/output/kernel"]
        assert all(np.array_equal(frequencies[name], expected[name]) for name in expected)
        assert max(expected[name].max() for name in expected) == 1
    # A run cut in its last epoch needs the counts of the one before.
    assert sorted(path.name[9:14] for path in parts.glob("activity_*.npz")) == ["00002", "00003"]
    # 30 % of the 64*5 + 5 + 5*5 + 5 + 5*10 + 10 = 415 parameters are round(124.5) = 124, in every epoch.
    shares = [row for row in read_csv(parts / "shares.csv") if row["percent"] == 30]
    assert sum(row["fraction"] * row["parameters"] for row in shares) == pytest.approx(124)
    assert sum(row["share"] for row in shares) == pytest.approx(1)


def test_a_killed_run_goes_on_sorting(tmp_path, monkeypatch):
    summary = run(SORTED, 0, tmp_path / "whole", QUIET)
    resumed = run_cut_before_saving(monkeypatch, SORTED, 2, tmp_path / "parts")
    assert {**resumed, "seconds": 0} == {**summary, "seconds": 0}
    rows = read_csv(tmp_path / "parts/gradients.csv")
    assert rows == read_csv(tmp_path / "whole/gradients.csv")
    assert [row["epoch"] for row in rows if row["rank"] == 1] == [0, 2, 3]


@pytest.mark.parametrize(("name", "chosen"), [("rich_fig5", (0, 2)), ("rich_fig20", (0, 1)), ("rich_fig1", (0,))])
def test_experiments_run_and_are_published(tmp_path, name, chosen):
    experiment = find(name)
    trainings = [dataclasses.replace(experiment.trainings["quick"][index], epochs=1) for index in chosen]
    for declared in trainings:
        run(declared, 0, folder_of(name, "quick", declared.label, 0, tmp_path), QUIET)
    text = publish(name, "quick", tmp_path, tmp_path)
    assert all(f"| {declared.label.split(', ')[0]} | 1 |" in text for declared in trainings)
    for shown in (name, *experiment.more_pictures):
        assert (tmp_path / f"{shown}.png").stat().st_size > 10_000
    assert {row["label"] for row in read_csv(tmp_path / f"{name}.csv")} == {declared.label for declared in trainings}


def test_settings_are_those_of_the_paper():
    for name in (*RELU_NETS, *CONV_NETS):
        experiment = find(name)
        declared = experiment.trainings["paper"]
        key, widths, depth = ("units", {100, 5000}, 4) if name in RELU_NETS else ("filters", {10, 100}, None)
        depth = depth or (2 if name in ("rich_fig6", "rich_fig19") else 4)
        for training in declared:
            assert (training.epochs, training.train_limit, training.batch_size) == (100, 10_000, 128)
            assert (training.optimizer, training.percents) == ("adam", (1, 10, 30))
            assert training.model_arguments["depth"] == depth
            assert training.dataset == ("mnist" if name in ON_MNIST else "fashion_mnist")
        assert {training.model_arguments[key] for training in declared} == widths
        assert {training.learning_rate for training in declared} == ({0.001, 0.1} if name in RELU_NETS else {0.001})
        assert len(experiment.seeds["paper"]) == 5
    vgg, resnet = find("rich_fig1").trainings["paper"]
    assert (vgg.epochs, vgg.optimizer, vgg.train_limit) == (100, "adam", 10_000)
    assert vgg.model_arguments == {"batch_norm": True, "inner_kernel_size": 3}
    assert (resnet.epochs, resnet.optimizer, resnet.halve_every, resnet.train_limit) == (180, "nesterov", 30, None)
