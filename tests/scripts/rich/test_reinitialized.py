import dataclasses

import keras
import matplotlib.figure
import numpy as np
import pandas as pd
import pytest

from scripts.data.datasets import Dataset
from scripts.experiment import find
from scripts.publishing.curves import Curve
from scripts.rich.draw_movement import drawing_bars, drawing_curves
from scripts.rich.movement_claims import MOVEMENT_CLAIMS
from scripts.rich.movement_settings import trainings_by_width
from scripts.rich.movement_tables import movement_rows, movement_table, networks
from scripts.rich.reinitialized import PERCENTS, Reinitialized
from scripts.rich.settings import adam, balanced, section_3
from scripts.running.files import read_csv, write_csv
from scripts.running.prepared import Prepared


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
    training = section_3("by hand", balanced("digits"), ("relu_net", {}), adam(), epochs=1)
    prepared = Prepared(training, model, Dataset("by hand", 2, *3 * (images, labels)), seed=0, folder=tmp_path)
    observation = Reinitialized((0, 25, 50, 75, 100)).observe(prepared)
    model.set_weights([np.array([[4, -1], [0, 5.5]])])  # for a training
    evaluations = []
    usual = Prepared.evaluate_test
    monkeypatch.setattr(Prepared, "evaluate_test", lambda self: evaluations.append(1) or usual(self))

    summary = observation.summary()
    # Put back   the kernel          right, in the order of the images
    # nothing    4 -1 / 0  5.5       all four: 4 > -1, 5.5 > 0, 4.5 > 4, 8 > 3.5
    # d          4 -1 / 0  0.5       not the third: -0.5 < 4
    # d, a       0 -1 / 0  0.5       not the third: -0.5 < 0
    # d, a, b    0  1 / 0  0.5       neither the first, 0 < 1, nor the fourth, 0 < 2.5
    # all        0  1 / 1  0.5       the third only: 1.5 > 1
    # a, b, c    0  1 / 1  5.5       neither the first nor the fourth, 1 < 7.5
    # b, c       4  1 / 1  5.5       all four: 4 > 1, 5.5 > 1, 6.5 > 5, 9 > 7.5
    # c          4 -1 / 1  5.5       not the third: 4.5 < 5
    rows = read_csv(tmp_path / "reinitialized.csv")
    assert rows["percent"].tolist() == 2 * [0, 25, 50, 75, 100]
    assert rows["test_accuracy"][rows["reinitialized"] == "active"].tolist() == [1, 0.75, 0.75, 0.5, 0.25]
    assert rows["test_accuracy"][rows["reinitialized"] == "lazy"].tolist() == [0.25, 0.5, 1, 0.75, 1]
    assert summary == {"test_accuracy_initial": 0.25, "parameters": 4}
    assert len(evaluations) == 8  # the two ends belong to both curves
    assert model.get_weights()[0].tolist() == [[4, -1], [0, 5.5]]


@pytest.mark.parametrize("percents", [(), (0, 50), (10, 100), (0, 50, 10, 100), (0, 10, 10, 100), (0, 150, 100)])
def test_percents_are_refused_before_the_training(percents):
    with pytest.raises(ValueError, match=r"must rise from 0 to 100. Received: percents=\(.*pass e.g."):
        Reinitialized(percents)


def test_settings_are_those_of_section_3():
    for name, dataset in (("rich_fig2", "mnist"), ("rich_fig3", "mnist"), ("rich_fig14", "fashion_mnist")):
        declared = find(name).trainings["paper"]
        assert len({training.label for training in declared}) == len(declared)
        for training in declared:
            assert training.data == balanced(dataset, limit=10_000)
            assert (training.epochs, training.batch_size, training.steps_at_once) == (100, 128, True)
            assert (training.optimizer.name, training.observers) == ("adam", (Reinitialized(PERCENTS),))
            assert training.network.name == "relu_net"
        assert {training.optimizer.learning_rate for training in declared} == {0.1, 0.001}
    assert {training.network.arguments["depth"] for training in declared} == {1, 4}
    assert 100_000 in {training.network.arguments["units"] for training in declared}


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
        (training,) = trainings_by_width("mnist", 1, (width,), (0.1,))
        return Curve(training, seed, pd.DataFrame(), summary, folder)

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
    assert len(lines) == 4
    assert all(line.count("|") == lines[0].count("|") for line in lines)


def test_claims_by_hand(made_up):
    # w = 10: 10 and 0 points lost at 0.1 %: mean 5, error 5; lowest at 100 and 10 %, from where the seeds rise
    # by 0 and 20 points. Of w = 1,000 there is one seed: 45 points lost.
    texts = [claim.text(made_up) for claim in MOVEMENT_CLAIMS]
    ten, thousand = (f"d = 1, rate 0.1, w = {width}" for width in ("10", "1,000"))
    assert [text.split(" Ours: ")[1] for text in texts] == [
        f"{ten}: 5.00 points; {thousand}: 45.00 points. Verdict: cannot tell.",
        f"{ten}: 20.00 % at 10 %; {thousand}: 5.00 % at 50 %. Verdict: cannot tell.",
        f"{ten}: 10.00 points; {thousand}: 10.00 points. Verdict: cannot tell.",
        "d = 1, w = 1,000 minus 10: -5.00 points. Verdict: cannot tell.",
        "d = 1, rate 0.1: trained w = 10 85.00 %, random w = 1,000 15.00 %. Verdict: cannot tell.",
        f"{thousand}: 0.1 %. Verdict: cannot tell.",
    ]
    # Alone, its lazy accuracies are within a point of the trained 90 and 80 % from 10 % on in both seeds.
    assert MOVEMENT_CLAIMS[-1].text(made_up[:2]).endswith(f"Ours: {ten}: 10 %. Verdict: holds.")


def test_rows_hold_all_curves_as_they_were_written(made_up, tmp_path):
    rows = movement_rows(made_up)
    assert len(rows) == 3 * 2 * 5
    write_csv(tmp_path / "rows.csv", rows)
    assert (tmp_path / "rows.csv").read_text().splitlines()[:4] == [
        "label,seed,reinitialized,percent,test_accuracy",
        '"d = 1, w = 10, rate 0.1",0,active,0,0.9',
        '"d = 1, w = 10, rate 0.1",0,active,0.1,0.8',
        '"d = 1, w = 10, rate 0.1",0,active,10,0.3',
    ]


def test_networks_are_told_apart_by_what_was_declared(made_up):
    # Whatever the curves are called.
    renamed = [
        dataclasses.replace(curve, training=dataclasses.replace(curve.training, label=f"{number // 2}"))
        for number, curve in enumerate(made_up)
    ]
    found = [(each.depth, each.width, each.rate, len(each.trained)) for each in networks(renamed)]
    assert found == [(1, 10, 0.1, 2), (1, 1000, 0.1, 1)]


def test_curves_are_drawn_with_mean_and_range(made_up):
    figure = matplotlib.figure.Figure()
    drawing_curves(((1, "log"), (1, "linear")), 0.1)(figure, made_up)
    assert [axes.get_xscale() for axes in figure.axes] == ["symlog", "symlog", "linear", "linear"]
    for active, lazy in (figure.axes[:2], figure.axes[2:]):
        assert active.lines[0].get_xdata().tolist() == [0, 0.1, 10, 50, 100]
        assert active.lines[0].get_ydata() == pytest.approx([0.85, 0.8, 0.2, 0.25, 0.25])
        assert lazy.lines[0].get_ydata() == pytest.approx([0.25, 0.5, 0.84, 0.85, 0.85])
        assert active.lines[1].get_ydata() == pytest.approx([0.95, 0.5, 0.1, 0.05, 0.15])
        outline = active.collections[0].get_paths()[0].vertices[:, 1]
        assert set(outline.round(6)) == {0.9, 0.8, 0.3, 0.1, 0.4, 0.2}
    other = matplotlib.figure.Figure()
    drawing_curves(((1, "log"),), 0.001)(other, made_up)
    assert not any(axes.lines for axes in other.axes)


def test_bars_are_the_initial_and_the_trained_mean(made_up):
    figure = matplotlib.figure.Figure()
    drawing_bars()(figure, made_up)
    (axes,) = figure.axes
    # Those at initialization, then the trained ones.
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([0.25, 0.15, 0.85, 0.95])
    assert [text.get_text() for text in axes.texts] == ["25.0", "15.0", "85.0", "95.0"]
