"""The gap to Adam against width and steps: what is declared, and what is said of runs made by hand."""

import matplotlib.figure
import pytest
from hand_made_runs import curve, said, verdicts

from scripts.experiment import find, trainings_of

NAME = "laperm_gap"
NARROW, WIDE = "width 0.0625", "width 0.125"


def runs(setting, adam, laperm, tests, seed):
    """A pair of runs, made up; the test accuracies of Adam and of LaPerm."""
    declared = {training.label: training for training in trainings_of(NAME, "quick")}
    return [
        curve(declared[f"{setting}, Adam"], adam, tests[0], seed),
        curve(declared[f"{setting}, k = 10"], laperm, tests[1], seed),
    ]


# Held-out accuracies after 10, 20 and 30 steps. A third of the steps is the first evaluation: of the narrow network the
# gap goes from -30 to -20 points, of the wide one from -30 to -10. Test accuracies: -20 and -10, so that the wide one
# is 10 points nearer to Adam.
CURVES = [
    run
    for seed in (0, 1)
    for run in (
        *runs(NARROW, [0.4, 0.5, 0.6], [0.1, 0.3, 0.4], (0.6, 0.4), seed),
        *runs(WIDE, [0.5, 0.6, 0.7], [0.2, 0.4, 0.6], (0.7, 0.6), seed),
    )
]


def test_the_wider_network_is_nearer_to_adam():
    ours = said(NAME, CURVES)
    length = "4 epochs of 1,000 images"
    assert ours["The larger the net"] == f"{length}, width 0.125 minus 0.0625: +10.00 points."
    assert ours["Asked here: LaPerm"].startswith(
        f"width 0.0625, {length}: -20.00 points; width 0.125, {length}: -10.00"
    )
    assert ours["Asked here: In the"].startswith(
        f"width 0.0625, {length}: +10.00 points; width 0.125, {length}: +20.00"
    )
    assert verdicts(NAME, CURVES) == {
        "The larger the net": "holds",
        "Asked here: LaPerm": "does not hold",
        "Asked here: In the": "holds",
    }


def test_a_run_without_its_other_half_is_left_out():
    ours = said(NAME, CURVES[:1] + CURVES[2:4] + CURVES[4:])  # LaPerm's narrow one of seed 0 has not ended
    assert ours["Asked here: LaPerm"].count("points") == 2
    assert said(NAME, CURVES[:1]) == {"The larger the net": "not run."} | dict.fromkeys(
        ("Asked here: LaPerm", "Asked here: In the"), "not run."
    )


def test_the_picture_has_a_line_for_each_width():
    figure = matplotlib.figure.Figure(layout="constrained")
    find(NAME).draw(figure, CURVES)
    by_width, by_steps = figure.axes
    lines = {line.get_label(): line.get_ydata() for line in by_steps.lines if line.get_label().startswith("width")}
    assert lines["width 0.125, 4 epochs of 1,000 images"] == pytest.approx([-0.3, -0.2, -0.1])
    (joined,) = (line for line in by_width.lines if line.get_label() == "4 epochs of 1,000 images")
    assert [*joined.get_xdata()] == [0.0625, 0.125]
    assert joined.get_ydata() == pytest.approx([-0.2, -0.1])


@pytest.mark.parametrize("size", ["overnight", "paper"])
def test_a_larger_size_has_the_smaller_ones_for_its_left_end(size):
    labels = [training.label for training in trainings_of(NAME, size)]
    assert labels[:6] == [training.label for training in trainings_of(NAME, "laptop")]
    assert len(set(labels)) == len(labels) == {"overnight": 10, "paper": 12}[size]


def test_runs_are_those_of_the_sync_period():
    (ours,) = (t for t in trainings_of(NAME, "overnight") if t.label == "width 0.5, 25 epochs of all images, k = 1000")
    (theirs,) = (t for t in trainings_of("laperm_fig6", "overnight") if t.label == "k = 1000")
    assert vars(ours) | {"label": ""} == vars(theirs) | {"label": ""}
