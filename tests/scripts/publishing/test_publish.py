import matplotlib.figure
import pandas as pd
import pytest

from scripts.publishing.curves import Curve, collect, ends, evaluations, mean_curve
from scripts.publishing.figures import draw_band
from scripts.publishing.publish import summarize
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.training import Training

F1 = Training("F1", Images("digits"), Network("f1"), epochs=1, batch_size=32)


def curve(seed, before, after, final, training=F1):
    rows = [
        *({"epoch": 0, "step": 250 * (n + 1), "when": "before", "test_accuracy": a} for n, a in enumerate(before)),
        *({"epoch": 0, "step": 250 * (n + 1), "when": "after", "test_accuracy": a} for n, a in enumerate(after)),
        {"epoch": 0, "step": 600, "when": "epoch", "accuracy": 0.99},
    ]
    return Curve(training, seed, pd.DataFrame(rows), {"test_accuracy": final, "is_permutation": seed == 0})


CURVES = [curve(0, [0.9, 0.8], [0.5, 0.6], 0.55), curve(1, [0.7, 0.6], [0.3, 0.2], 0.25)]


def test_summary_by_hand():
    # Final: (55 + 25) / 2 = 40, from 25 to 55. Best after a synchronization: 60. Last before one: (80 + 60) / 2.
    line = summarize(CURVES, {"F1": "85.5 %"}).splitlines()[2]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["F1", "2", "40.00 %", "25.00 %", "55.00 %", "60.00 %", "70.00 %", "1 of 2", "85.5 %"]


def test_what_was_not_measured_is_a_dash():
    unseen = Curve(F1, 0, pd.DataFrame(), {"test_accuracy": 0.5, "is_permutation": False})
    line = summarize([unseen], {}).splitlines()[2]
    assert line == "| F1 | 1 | 50.00 % | 50.00 % | 50.00 % | - | - | 0 of 1 | - |"


def test_values_over_steps_and_epochs_by_hand():
    # 600 steps are one epoch: steps 250 and 500 are 5/12 and 5/6 of it, both in the first.
    run = CURVES[0]
    assert run.values("test_accuracy", "after").to_dict() == {250: 0.5, 500: 0.6}
    assert run.values("test_accuracy", "after", by="epochs").index.tolist() == pytest.approx([5 / 12, 5 / 6])
    assert run.values("test_accuracy", "after", by="epoch").index.tolist() == [1, 1]
    assert run.values("loss").empty
    assert (run.final("accuracy"), run.final("test_accuracy")) == (0.99, 0.55)
    assert mean_curve(CURVES, "test_accuracy", "before").tolist() == pytest.approx([0.8, 0.7])


def test_ends_group_by_what_was_declared():
    found = ends(CURVES, lambda training: {"network": training.network.name})
    assert found.groupby("network")["test_accuracy"].mean().to_dict() == pytest.approx({"f1": 0.4})
    assert found[["label", "seed"]].to_numpy().tolist() == [["F1", 0], ["F1", 1]]


def test_evaluations_have_the_columns_of_all_runs():
    # A column that the second run alone has comes last, and whole numbers stay whole beside what is missing.
    other = Curve(F1, 2, pd.DataFrame({"step": [5], "sync_period": [20]}, dtype="Int64"), {})
    together = evaluations([CURVES[0], other])
    assert list(together) == ["label", "seed", "epoch", "step", "when", "test_accuracy", "accuracy", "sync_period"]
    assert together["sync_period"].dropna().tolist() == [20]
    assert together.to_csv(index=False).splitlines()[-1] == "F1,2,,5,,,,20"


def test_band_is_the_mean_with_minimum_and_maximum():
    axes = matplotlib.figure.Figure().subplots()
    draw_band(axes, CURVES, "test_accuracy", "after", color="black", label="F1")
    assert axes.lines[0].get_xdata().tolist() == [250, 500]
    # Means (0.5 + 0.3) / 2 and (0.6 + 0.2) / 2.
    assert axes.lines[0].get_ydata().tolist() == pytest.approx([0.4, 0.4])
    outline = axes.collections[0].get_paths()[0].vertices
    assert {round(y, 6) for y in outline[:, 1]} == {0.2, 0.3, 0.5, 0.6}


def test_nothing_to_collect_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Run `python -m scripts run quickstart --size quick` first"):
        collect("quickstart", "quick", tmp_path)
