"""Pictures of weights by one call: what is drawn, by hand, and where."""

import builtins
import sys

import keras
import matplotlib.figure
import numpy as np
import pytest

from train_by_reconnect import plot, weight_profiles


def axes():
    return matplotlib.figure.Figure().subplots()


def test_a_profile_by_hand():
    # Two weight vectors, the columns: sorted (1, 3) and (2, 6). The median is 1.5 and 4.5.
    kernel, on = np.array([[3.0, 2.0], [1.0, 6.0]]), axes()
    assert plot.profile(kernel, on) is on
    np.testing.assert_allclose(on.lines[0].get_ydata(), [1.5, 4.5])
    # The rows as weight vectors: (2, 3) and (1, 6).
    np.testing.assert_allclose(plot.profile(kernel, axes(), unit_axes=(0,)).lines[0].get_ydata(), [1.5, 4.5])
    np.testing.assert_allclose(plot.profile(np.array([2.0, 1.0]), axes()).lines[0].get_ydata(), [1, 2])


def test_a_profile_of_a_model_is_that_of_its_kernel():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    [of_model] = weight_profiles(model)
    drawn = [plot.profile(kernel, axes()).lines[0].get_ydata() for kernel in (of_model, model.layers[0].kernel)]
    np.testing.assert_array_equal(*drawn)


def test_a_permuted_kernel_has_its_profile_still():
    kernel, on = np.random.default_rng(0).normal(size=(30, 4)), axes()
    plot.profile_change(kernel, kernel[::-1], on)
    edges = on.collections[0].get_paths()[0].vertices[:, 1]
    for line in on.lines[1:]:  # the extremes
        assert set(line.get_ydata()) <= set(edges)
    other = axes()
    plot.profile_change(kernel, 2 * kernel, other)
    assert not set(other.lines[1].get_ydata()) <= set(edges)


def test_ranking_distances_by_hand():
    rows = [
        {"kernel": name, "step": step, "mean_ratio": step * times}
        for step in (2, 4, 6, 8, 10)
        for name, times in (("a", 1.0), ("b", 0.5))
    ]
    on = plot.ranking_distance(rows, axes(), window=2)
    # Windows of the steps 2, 4 and 6, 8; the fifth measurement fills none.
    assert [line.get_label() for line in on.lines] == ["a", "b"]
    assert [line.get_xdata().tolist() for line in on.lines] == [[3, 7]] * 2
    assert [line.get_ydata().tolist() for line in on.lines] == [[3, 7], [1.5, 3.5]]
    assert len(on.collections) == 2
    assert not plot.ranking_distance(rows, axes(), window=2, band=False).collections
    with pytest.raises(ValueError, match=r"`window` must be from 1 .* Received: window=3, with 2"):
        plot.ranking_distance(np.ones(2), axes(), window=3)


def test_a_permutation_by_hand():
    on = plot.permutation([0.5, -1.0, 2.0], [2.0, 0.5, -1.0], axes())
    # From place 0 to 1, from 1 to 2 and from 2 to 0; the largest weight is drawn last.
    assert [segment[:, 1].tolist() for segment in on.collections[0].get_segments()] == [[0, 1], [1, 2], [2, 0]]
    assert on.collections[0].get_array().tolist() == [0.5, -1.0, 2.0]
    with pytest.raises(ValueError, match="in another order"):
        plot.permutation([1.0, 2.0], [1.0, 3.0], axes())


def test_an_arrow_for_each_rank_that_moves_and_a_style_for_each_cycle():
    # 0 -> 1 -> 2 -> 0, 3 <-> 4, and 5 stays: 3 + 2 arrows in two styles.
    on = plot.cycles([1, 2, 0, 4, 3, 5], axes())
    assert len(on.patches) == 5
    assert len({arrow.get_edgecolor() for arrow in on.patches}) == 2
    points = on.collections[0].get_offsets()
    # Counterclockwise from the right: the second of six points is at 60 degrees.
    np.testing.assert_allclose(points[:2], [[1, 0], [0.5, np.sqrt(0.75)]], atol=1e-12)


def test_more_cycles_than_colours_take_other_lines():
    on = plot.cycles(np.arange(40).reshape(-1, 2)[:, ::-1].ravel(), axes())  # twenty swaps
    assert len({(arrow.get_edgecolor(), arrow.get_linestyle()) for arrow in on.patches}) == 18
    assert on.get_legend().get_title().get_text() == "the longest 10 of 20 cycles"
    assert plot.cycles([0, 1, 2], axes()).get_legend() is None


def test_tiles_by_hand():
    # Five rows in two blocks are 2 + 3, three columns in two are 1 + 2.
    matrix = np.array([[1.0, 0, 0], [3, 0, 4], [0, 6, 0], [0, 0, 0], [9, 0, 0]])
    assert plot.tiles(matrix, 2).tolist() == [[2.0, 1.0], [3.0, 1.0]]
    np.testing.assert_array_equal(plot.tiles(matrix, 5), matrix)
    # One pixel high and two wide, two channels, two filters; each value says its filter, channel and pixel.
    kernel = np.array([[[[100 * f + 10 * c + w for f in range(2)] for c in range(2)] for w in range(2)]])
    assert plot.tiles(kernel).tolist() == [[0, 1, 100, 101], [10, 11, 110, 111]]
    assert plot.tiles(np.ones((784, 100))).shape == (96, 96)
    # One active weight of 192 by 192 is a quarter of its block.
    lonely = np.zeros((3, 3, 64, 64))
    lonely[1, 1, 5, 7] = 1
    assert plot.tiles(lonely).max() == 0.25
    with pytest.raises(ValueError, match=r"Received: an array of shape \(3,\)"):
        plot.tiles(np.ones(3))


def test_activity_beside_an_even_spread():
    # Of 10 %, a weight that is active in 20 % of the epochs is so twice as often; none is drawn as a thirtieth.
    on = plot.activity(np.array([[0.2, 0.0]]), 10, axes())
    np.testing.assert_allclose(on.images[0].get_array(), [[2, 1 / 30]])
    assert len(on.figure.axes) == 2  # with the bar of colours
    with pytest.raises(ValueError, match="`percent` must be above 0"):
        plot.activity(np.ones((1, 1)), 0, axes())


def test_new_axes_are_of_pyplot():
    import matplotlib.pyplot as plt

    on = plot.profile(np.ones((2, 2)))
    assert plt.gcf() is on.figure
    plt.close(on.figure)


def test_no_matplotlib_is_one_sentence(monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return imported(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r"needs matplotlib.*train-by-reconnect\[plot\]"):
        plot.profile(np.ones((2, 2)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.array([[np.nan, 1.0]]), r"The weights of `kernel` must be finite. Received: 1 of 2 are NaN"),
        (np.zeros((0, 3)), r"`kernel` must hold weights. Received: shape=\(0, 3\)"),
    ],
)
def test_no_profile_of_what_is_no_number(wrong, said):
    with pytest.raises(ValueError, match=said):
        plot.profile(wrong, axes())
