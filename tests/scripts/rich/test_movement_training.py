import dataclasses

import keras
import matplotlib.figure
import numpy as np
import pytest

from scripts.data.datasets import Dataset
from scripts.experiment import find
from scripts.publishing.results import Curve, publish
from scripts.rich.draw_movement import drawing_bars, drawing_curves
from scripts.rich.movement_tables import movement_rows, movement_table
from scripts.rich.movement_training import PERCENTS, QUICK, MovementTraining, PreparedMovement, Setting, setting_of
from scripts.running.files import read_csv, write_csv
from scripts.running.runner import Options, folder_of, run

QUIET = Options(progress=False)
# 1,437 training images less 200 held out, of which 30 of each class are used: 3 steps of 128 an epoch.
TINY = MovementTraining(
    "d = 1, w = 10, rate 0.01",
    "relu_net",
    "digits",
    epochs=3,
    learning_rate=0.01,
    model_arguments={"units": 10},
    train_limit=300,
    validation=200,
    percents=(0, 1, 10, 50, 100),
)


def curves_in(folder):
    rows = read_csv(folder / "reinitialized.csv")
    return {
        which: {row["percent"]: row["test_accuracy"] for row in rows if row["reinitialized"] == which}
        for which in ("active", "lazy")
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished run, and its summary."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, run(TINY, 3, folder, QUIET)


def test_four_weights_by_hand(tmp_path, monkeypatch):
    # Two inputs, two classes, the kernel [[a, b], [c, d]]; class 0 has the logit a x1 + c x2, class 1 b x1 + d x2.
    #            a  b  c  d      the weights moved by 4, 2, 1 and 5: from far to near d, a, b, c
    #   initial  0  1  1  0.5
    #   trained  4 -1  0  5.5
    # Image and class, and what must hold:  (1, 0) is 0: a > b          (0, 1) is 1: d > c
    #                                       (1, 1) is 1: b + d > a + c  (2, 1) is 0: 2a + c > 2b + d
    images = np.array([[1, 0], [0, 1], [1, 1], [2, 1]], "float32")
    labels = np.array([0, 1, 1, 0])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.set_weights([np.array([[0, 1], [1, 0.5]])])
    training = dataclasses.replace(TINY, percents=(0, 25, 50, 75, 100))
    prepared = PreparedMovement(training, model, Dataset("by hand", 2, *3 * (images, labels)), seed=0)
    model.set_weights([np.array([[4, -1], [0, 5.5]])])  # for a training
    prepared.callbacks(tmp_path)
    evaluations = []
    usual = PreparedMovement.evaluate_test
    monkeypatch.setattr(PreparedMovement, "evaluate_test", lambda self: evaluations.append(1) or usual(self))

    summary = prepared.summary()
    # Put back   the kernel          right, in the order of the images
    # nothing    4 -1 / 0  5.5       all four: 4 > -1, 5.5 > 0, 4.5 > 4, 8 > 3.5
    # d          4 -1 / 0  0.5       not the third: -0.5 < 4
    # d, a       0 -1 / 0  0.5       not the third: -0.5 < 0
    # d, a, b    0  1 / 0  0.5       neither the first, 0 < 1, nor the fourth, 0 < 2.5
    # all        0  1 / 1  0.5       the third only: 1.5 > 1
    # a, b, c    0  1 / 1  5.5       neither the first nor the fourth, 1 < 7.5
    # b, c       4  1 / 1  5.5       all four: 4 > 1, 5.5 > 1, 6.5 > 5, 9 > 7.5
    # c          4 -1 / 1  5.5       not the third: 4.5 < 5
    assert curves_in(tmp_path) == {
        "active": {0: 1, 25: 0.75, 50: 0.75, 75: 0.5, 100: 0.25},
        "lazy": {0: 0.25, 25: 0.5, 50: 1, 75: 0.75, 100: 1},
    }
    assert (summary["test_accuracy"], summary["test_accuracy_initial"], summary["parameters"]) == (1, 0.25, 4)
    assert len(evaluations) == 8  # the two ends belong to both curves
    assert model.get_weights()[0].tolist() == [[4, -1], [0, 5.5]]


def test_the_ends_are_the_trained_and_the_initial_network(finished):
    folder, summary = finished
    curves = curves_in(folder)
    assert list(curves["active"]) == list(curves["lazy"]) == list(TINY.percents)
    prepared = TINY.prepare(3)
    initial = prepared.evaluate_test()["accuracy"]
    assert curves["active"][100] == curves["lazy"][0] == summary["test_accuracy_initial"] == initial
    prepared.model.optimizer.build(prepared.model.trainable_variables)
    prepared.model.load_weights(folder / "final.weights.h5")
    trained = prepared.evaluate_test()["accuracy"]
    assert curves["active"][0] == curves["lazy"][100] == summary["test_accuracy"] == trained
    assert trained > initial + 0.1


def test_a_killed_run_resumes_with_the_same_curves(finished, tmp_path, killed_before):
    with killed_before(2):
        run(TINY, 3, tmp_path, QUIET)
    assert not (tmp_path / "reinitialized.csv").exists()
    summary = run(TINY, 3, tmp_path, QUIET)
    for name in ("reinitialized.csv", "rows.csv"):
        assert (tmp_path / name).read_bytes() == (finished[0] / name).read_bytes()
    assert {**summary, "seconds": 0} == {**finished[1], "seconds": 0}


@pytest.mark.parametrize("percents", [(), (0, 50), (10, 100), (0, 50, 10, 100), (0, 10, 10, 100), (0, 150, 100)])
def test_percents_are_refused_before_the_training(percents):
    with pytest.raises(ValueError, match=r"must rise from 0 to 100. Received: percents=\(.*pass e.g."):
        dataclasses.replace(TINY, percents=percents)


def test_settings_are_those_of_section_3():
    for name, datasets in (("rich_fig2", "mnist"), ("rich_fig3", "mnist"), ("rich_fig14", "fashion_mnist")):
        declared = find(name).trainings["paper"]
        assert len({training.label for training in declared}) == len(declared)
        for training in declared:
            depth, width, rate = setting_of(training.label)
            assert (training.dataset, training.epochs, training.batch_size) == (datasets, 100, 128)
            assert (training.optimizer, training.train_limit, training.percents) == ("adam", 10_000, PERCENTS)
            assert training.model_arguments == {"units": width, "depth": depth}
            assert training.learning_rate == rate
    assert setting_of("d = 1, w = 100000, rate 0.1") == Setting(1, 100_000, 0.1)
    assert {setting_of(training.label).depth for training in declared} == {1, 4}


@pytest.fixture
def made_up(tmp_path):
    """Two networks, the first with two seeds."""

    def curve(width, seed, active, lazy):
        folder = tmp_path / f"{width} {seed}"
        rows = [
            {"reinitialized": which, "percent": percent, "test_accuracy": value}
            for which, values in (("active", active), ("lazy", lazy))
            for percent, value in zip((0, 0.1, 10, 50, 100), values, strict=True)
        ]
        write_csv(folder / "reinitialized.csv", rows)
        summary = {"test_accuracy": active[0], "test_accuracy_initial": lazy[0], "parameters": 1000 * width}
        return Curve(f"d = 1, w = {width}, rate 0.1", seed, [], summary, folder)

    return [
        curve(10, 0, (0.9, 0.8, 0.3, 0.4, 0.2), (0.2, 0.3, 0.89, 0.9, 0.9)),
        curve(10, 1, (0.8, 0.8, 0.1, 0.1, 0.3), (0.3, 0.7, 0.79, 0.8, 0.8)),
        curve(1000, 0, (0.95, 0.5, 0.1, 0.05, 0.15), (0.15, 0.945, 0.93, 0.9, 0.95)),
    ]


def test_table_by_hand(made_up):
    # w = 10, means over two seeds. Trained (90 + 80) / 2 = 85, initial (20 + 30) / 2 = 25.
    #   active: 85, 80, 20, 25, 25: 5 points lost at 0.1 %; lowest at 10 %, from where it rises by 5.
    #   lazy:   25, 50, 84, 85, 85: 84 is one point under 85, so 10 % are enough.
    # w = 1,000: 45 points lost at 0.1 %; lowest 5 at 50 %, from where it rises by 10. Of the lazy ones 94.5 is within a
    #   point of 95, and comes first.
    lines = movement_table(made_up).splitlines()
    assert lines[2:4] == [
        "| d = 1, w = 10, rate 0.1 | 2 | 10,000 | 25.00 % | 85.00 % | 80.00 % | 90.00 % | 80.00 % | 20.00 % (10 %) "
        "| 10 % |",
        "| d = 1, w = 1000, rate 0.1 | 1 | 1,000,000 | 15.00 % | 95.00 % | 95.00 % | 95.00 % | 50.00 % "
        "| 5.00 % (50 %) | 0.1 % |",
    ]
    assert all(line.count("|") == lines[0].count("|") for line in lines[:4])
    assert [line.strip() for line in lines if line.startswith("  -")] == [
        "- d = 1, rate 0.1: 5.0 to 45.0 points lost (w = 10: 5.0, w = 1,000: 45.0)",
        "- d = 1, rate 0.1: w = 10: 20.00 % at 10 %, lowest 20.00 % at 10 %, w = 1,000: 10.00 % at 10 %, lowest "
        "5.00 % at 50 %",
        "- d = 1, rate 0.1: points from the lowest to 100 %, w = 10: 5.0, w = 1,000: 10.0",
        "- d = 1, rate 0.1: w = 10: 25.00 %, w = 1,000: 15.00 %",
        "- d = 1, rate 0.1: trained w = 10: 85.00 %, lowest seed 80.00 %; random w = 1,000: 15.00 %, highest seed "
        "15.00 %",
        "- d = 1, rate 0.1: smallest epsilon within 1 point, w = 10: 10 %, w = 1,000: 0.1 %",
    ]


def test_rows_hold_all_curves(made_up):
    rows = movement_rows(made_up)
    assert len(rows) == 3 * 2 * 5
    assert rows[2] == {
        **{"label": "d = 1, w = 10, rate 0.1", "seed": 0},
        **{"reinitialized": "active", "percent": 10, "test_accuracy": 0.3},
    }


def test_curves_are_drawn_with_mean_and_range(made_up):
    figure = matplotlib.figure.Figure()
    drawing_curves(((1, "log"), (1, "linear")), 0.1, "title")(figure, made_up)
    assert [axes.get_xscale() for axes in figure.axes] == ["symlog", "symlog", "linear", "linear"]
    for active, lazy in (figure.axes[:2], figure.axes[2:]):
        assert active.lines[0].get_xdata().tolist() == [0, 0.1, 10, 50, 100]
        assert active.lines[0].get_ydata() == pytest.approx([0.85, 0.8, 0.2, 0.25, 0.25])
        assert lazy.lines[0].get_ydata() == pytest.approx([0.25, 0.5, 0.84, 0.85, 0.85])
        assert active.lines[1].get_ydata() == pytest.approx([0.95, 0.5, 0.1, 0.05, 0.15])
        outline = active.collections[0].get_paths()[0].vertices[:, 1]
        assert set(outline.round(6)) == {0.9, 0.8, 0.3, 0.1, 0.4, 0.2}
    other = matplotlib.figure.Figure()
    drawing_curves(((1, "log"),), 0.001, "title")(other, made_up)
    assert not any(axes.lines for axes in other.axes)


def test_bars_are_the_initial_and_the_trained_mean(made_up):
    figure = matplotlib.figure.Figure()
    drawing_bars("title")(figure, made_up)
    (axes,) = figure.axes
    # Those at initialization, then the trained ones.
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([0.25, 0.15, 0.85, 0.95])
    assert [text.get_text() for text in axes.texts] == ["25.0", "15.0", "85.0", "95.0"]


# One rate only, the other, and both with a depth each.
@pytest.mark.parametrize(
    ("name", "chosen"),
    [("rich_fig2", slice(1)), ("rich_fig3", slice(3, 4)), ("rich_fig14", slice(0, None, 3))],
)
def test_experiments_run_and_are_published(tmp_path, name, chosen):
    experiment = find(name)
    trainings = experiment.trainings["quick"][chosen]
    for training in trainings:
        run(training, 0, folder_of(name, "quick", training.label, 0, tmp_path), QUIET)
    table = publish(name, "quick", tmp_path, tmp_path)
    assert all(f"| {training.label} | 1 |" in table for training in trainings)
    assert len(read_csv(tmp_path / f"{name}.csv")) == len(trainings) * 2 * len(QUICK["percents"])
    for picture in (name, *experiment.more_pictures):
        assert (tmp_path / f"{picture}.png").stat().st_size > 10_000
