"""Pictures of permutations: cycles and arrows by hand, and the two experiments that draw them."""

import matplotlib.figure
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.__main__ import main
from scripts.experiment import find
from scripts.experiments import laperm_fig4, laperm_fig14
from scripts.laperm.draw_permutations import (
    draw_cycle_lengths,
    draw_reconnection,
    draw_vectors,
    moves_of_largest,
    rank_permutation,
)
from scripts.publishing.curves import collect
from scripts.running.files import read_csv
from train_by_reconnect import cycle_lengths, permutation_between, ranking


def axes():
    return matplotlib.figure.Figure().subplots()


def test_rank_permutation_by_hand():
    # Sorted before: 0.1 (place 2), 0.2 (place 0), 0.5 (place 3), 0.9 (place 1). After, these places hold 0.5, 0.9, 0.2
    # and 0.1, of ranks 2, 3, 1 and 0.
    before, after = np.array([0.2, 0.9, 0.1, 0.5]), np.array([0.9, 0.1, 0.5, 0.2])
    assert rank_permutation(before, after).tolist() == [2, 3, 1, 0]


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)), st.permutations(range(12)))
def test_ranks_and_places_have_cycles_of_the_same_lengths(first, second):
    before, after = np.array(first, "float32"), np.array(second, "float32")
    of_ranks = rank_permutation(before, after)
    np.testing.assert_array_equal(of_ranks[ranking(before)], ranking(after))
    assert cycle_lengths(of_ranks) == cycle_lengths(permutation_between(before, after))


def test_lengths_by_hand():
    on = axes()
    # Two vectors: three fixed points, and a swap with one fixed point: (3 + 1) / 2 of length 1, 1 / 2 of length 2.
    draw_cycle_lengths(on, [np.array([0, 1, 2]), np.array([1, 0, 2])])
    np.testing.assert_allclose(on.collections[0].get_offsets(), [[1, 2], [2, 0.5]])
    np.testing.assert_allclose(on.lines[0].get_ydata(), [1, 1 / 2, 1 / 3])


# As (row, column): the 4 goes from bottom right to top left, the 1 the other way; 2 and -3 stay.
BEFORE, AFTER = np.array([[1.0, 2.0], [-3.0, 4.0]]), np.array([[4.0, 2.0], [-3.0, 1.0]])


def test_moves_of_the_largest_by_hand():
    # The largest first: 4, which moves, -3 and 2, which stay, and 1.
    assert moves_of_largest(BEFORE, AFTER, 1) == [((1, 1), (0, 0))]
    assert moves_of_largest(BEFORE, AFTER, 3) == [((1, 1), (0, 0))]
    assert moves_of_largest(BEFORE, AFTER, 4) == [((1, 1), (0, 0)), ((0, 0), (1, 1))]
    with pytest.raises(ValueError, match="values of `before` in another order"):
        moves_of_largest(BEFORE, BEFORE + 1, 4)


def test_an_arrow_for_each_move_and_a_colour_for_each_sign():
    figure = matplotlib.figure.Figure(layout="constrained")
    draw_reconnection(figure, BEFORE, -AFTER[::-1] * [[-1.0], [-1.0]], share=1.0)
    figure.canvas.draw()
    arrows = [artist for artist in figure.axes[1].artists + figure.axes[1].patches if hasattr(artist, "xy1")]
    # Upside down, AFTER is [[-3, 1], [4, 2]]: none of the four stays. Only -3 is negative.
    assert len(arrows) == 4
    assert len({arrow.get_edgecolor() for arrow in arrows}) == 2


def test_a_panel_for_each_weight_vector():
    figure = matplotlib.figure.Figure(layout="constrained")
    draw_vectors(figure, BEFORE, BEFORE[::-1], ["first", "second"])
    assert [axes.get_title() for axes in figure.axes[:2]] == ["first", "second"]
    # Both vectors swap their two weights: from place 0 to 1, and from 1 to 0.
    for axes in figure.axes[:2]:
        assert sorted(segment[:, 1].tolist() for segment in axes.collections[0].get_segments()) == [[0, 1], [1, 0]]


@pytest.fixture(scope="module")
def run_quickly(tmp_path_factory):
    """A function that runs an experiment at quick size, and gives its folder and its curves."""
    results = tmp_path_factory.mktemp("results")

    def run(name):
        assert main(["run", name, "--size", "quick", "--results", str(results)]) == 0
        folder = results / "runs" / name / "quick"
        for picture in (name, *find(name).more_pictures):
            assert (folder / f"{picture}.png").stat().st_size > 10_000
        return folder, collect(name, "quick", results)

    return run


@pytest.mark.slow
def test_reconnected_weights_run_and_are_drawn(run_quickly):
    folder, curves = run_quickly("laperm_fig4")
    before, after = laperm_fig4.before_and_after(curves[0])
    assert before.shape == (8, 8)
    np.testing.assert_array_equal(np.sort(before, axis=None), np.sort(after, axis=None))
    assert (before != after).any()
    rows = read_csv(folder / "laperm_fig4.csv")
    vector = rows[rows["label"] == curves[0].label]
    assert vector["before"].iloc[vector["origin"]].tolist() == vector["after"].tolist()


@pytest.mark.slow
def test_cycles_run_and_are_drawn(run_quickly):
    folder, [curve] = run_quickly("laperm_fig14")
    permutations = laperm_fig14.permutations_of(curve)
    assert [len(permutation) for permutation in permutations] == [128] * 10
    assert read_csv(folder / "laperm_fig14.csv")["to"][:128].tolist() == permutations[0].tolist()
