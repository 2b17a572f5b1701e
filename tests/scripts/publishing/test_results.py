import matplotlib.figure
import pytest

from scripts.publishing.results import Curve, collect, draw_band, summarize


def curve(seed, before, after, final, label="F1"):
    rows = [
        *({"epoch": 0, "step": 250 * (n + 1), "when": "before", "test_accuracy": a} for n, a in enumerate(before)),
        *({"epoch": 0, "step": 250 * (n + 1), "when": "after", "test_accuracy": a} for n, a in enumerate(after)),
        {"epoch": 0, "step": 600, "when": "epoch", "accuracy": 0.99},
    ]
    return Curve(label, seed, rows, {"test_accuracy": final, "is_permutation": seed == 0})


CURVES = [curve(0, [0.9, 0.8], [0.5, 0.6], 0.55), curve(1, [0.7, 0.6], [0.3, 0.2], 0.25)]


def test_summary_by_hand():
    # Final: (55 + 25) / 2 = 40, from 25 to 55. Best after a synchronization: 60. Last before one: (80 + 60) / 2.
    line = summarize(CURVES, {"F1": "85.5 %"}).splitlines()[2]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["F1", "2", "40.00 %", "25.00 %", "55.00 %", "60.00 %", "70.00 %", "1 of 2", "85.5 %"]


def test_what_was_not_measured_is_a_dash():
    line = summarize([Curve("Adam", 0, [], {"test_accuracy": 0.5, "is_permutation": False})], {}).splitlines()[2]
    assert line == "| Adam | 1 | 50.00 % | 50.00 % | 50.00 % | - | - | 0 of 1 | - |"


def test_band_is_the_mean_with_minimum_and_maximum():
    axes = matplotlib.figure.Figure().subplots()
    draw_band(axes, CURVES, "test_accuracy", ("after",), "black", "F1")
    assert axes.lines[0].get_xdata().tolist() == [250, 500]
    # Means (0.5 + 0.3) / 2 and (0.6 + 0.2) / 2.
    assert axes.lines[0].get_ydata().tolist() == pytest.approx([0.4, 0.4])
    outline = axes.collections[0].get_paths()[0].vertices
    assert {round(y, 6) for y in outline[:, 1]} == {0.2, 0.3, 0.5, 0.6}


def test_nothing_to_collect_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Run `python -m scripts run quickstart --size quick` first"):
        collect("quickstart", "quick", tmp_path)
