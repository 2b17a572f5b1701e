import keras
import matplotlib.figure
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.profiles import draw_matrix, draw_training
from scripts.profiles.draw_matrix import draw_pair, draw_steps
from train_by_reconnect import weight_profiles
from train_by_reconnect.instrument import draw_sheets
from train_by_reconnect.instrument.statistics import density, ribbons
from train_by_reconnect.weights.envelope import envelope


def test_envelope_by_hand():
    # Five sorted vectors of five weights; at rank r they are r, r + 1, r + 2, r + 3 and r + 4, so the least is r, the
    # median r + 2, the greatest r + 4, and the 25th percentile lies on the second of the five: r + 1.
    vectors = np.arange(5.0)[:, np.newaxis] + np.arange(5.0)
    ranks, bands = envelope(vectors, points=3)
    assert ranks.tolist() == [0, 2, 4]
    assert bands[[0, 2, 3, 4, 6]].tolist() == [[0, 2, 4], [1, 3, 5], [2, 4, 6], [3, 5, 7], [4, 6, 8]]


def test_density_by_hand():
    # Places 0 and 1 share a column, as do 2 and 3; the values 0..4 fall into [0, 2) and [2, 4].
    rows = np.array([[0.0, 1.0, 2.0, 4.0], [0.0, 3.0, 1.0, 0.0]])
    # first column: 0, 1, 0 low and 3 high; second column: 1, 0 low and 2, 4 high
    assert density(rows, columns=2, bins=2).tolist() == [[0.75, 0.25], [0.5, 0.5]]


def test_ribbons_by_hand():
    rows = np.array([[1.0, 2.0], [3.0, 0.0], [5.0, -1.0], [4.0, 4.0]])
    low, high = ribbons(rows, groups=2, columns=2)
    assert low.tolist() == [[1, 0], [4, -1]]
    assert high.tolist() == [[3, 2], [5, 4]]


matrices = st.tuples(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**31)).map(
    lambda drawn: np.random.default_rng(drawn[2]).standard_normal(drawn[:2], "float32")
)


@given(matrices, st.integers(2, 50))
@settings(max_examples=25, deadline=None)
def test_every_weight_counts(rows, number):
    ordered = np.sort(rows, axis=1)
    ranks, bands = envelope(ordered, number)
    assert ranks[0] == 0
    assert ranks[-1] == rows.shape[1] - 1
    assert bands[0].min() == rows.min()
    assert bands[-1].max() == rows.max()
    assert (np.diff(bands, axis=0) >= 0).all()
    assert (np.diff(bands, axis=1) >= -1e-6).all()
    # Between two ranks no vector leaves the values that the envelope has there.
    for first, last, low, high in zip(ranks[:-1], ranks[1:], bands[0][:-1], bands[-1][1:], strict=True):
        assert ordered[:, first : last + 1].min() >= low
        assert ordered[:, first : last + 1].max() <= high
    shares = density(rows, number, number)
    assert shares.shape == (min(number, rows.shape[1]), number)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    low, high = ribbons(rows, number, number)
    assert low.min() == rows.min()
    assert high.max() == rows.max()


def test_chunks_do_not_change_the_density(monkeypatch):
    rows = np.random.default_rng(0).standard_normal((50, 30))
    whole = density(rows, 7, 5)
    monkeypatch.setattr("train_by_reconnect.instrument.statistics._CHUNK", 40)
    np.testing.assert_array_equal(density(rows, 7, 5), whole)
    assert density(np.ones((3, 4))).sum() == 4  # a single value is a single interval


def network(*layers, shape=(8, 8, 3)):
    return keras.Sequential([keras.Input(shape), *layers])


def titles(figure):
    return [axes.get_title().split("\n") for axes in figure.axes]


def test_a_sheet_shows_each_kernel_with_its_layers_name():
    model = network(
        keras.layers.Conv2D(4, 3, name="first"),
        keras.layers.DepthwiseConv2D(3, name="depthwise"),
        keras.layers.SeparableConv2D(5, 2, name="separable"),
        keras.layers.Flatten(),
        keras.layers.Dense(1, name="single"),
    )
    profiles = weight_profiles(model)
    [figure] = draw_sheets.draw_sheets(profiles, "title", profiles[0].name)
    assert titles(figure) == [
        ["first", "4 x 27"],
        ["depthwise", "4 x 9"],
        ["separable", "depthwise_kernel: 4 x 4"],
        ["separable", "pointwise_kernel: 5 x 4"],
        ["single", "1 x 45"],
    ]
    assert figure.axes[0].spines["top"].get_visible()  # the mark
    assert not figure.axes[1].spines["top"].get_visible()


def test_two_to_many_matrices(tmp_path, monkeypatch):
    name = "a_very_long_name_of_a_layer_in_a_block_of_a_cell_of_a_network_number_"
    many = [keras.layers.Dense(1, name=f"{name}{number}") for number in range(12)]
    profiles = weight_profiles(network(*many, shape=(1,)))
    for count in (1, 2, 12):
        [figure] = draw_sheets.draw_sheets(profiles[:count], "title")
        assert len(figure.axes) == count
        figure.savefig(tmp_path / "a.png", dpi=50)
    assert all(len(line) <= 27 for line in titles(figure)[11][:2])
    assert titles(figure)[11][0].startswith("a_very_long")
    monkeypatch.setattr(draw_sheets, "PER_SHEET", 5)
    sheets = list(draw_sheets.draw_sheets(profiles, "title"))
    assert [len(sheet.axes) for sheet in sheets] == [5, 5, 2]
    assert [sheet.texts[0].get_text() for sheet in sheets] == ["title (1 to 5)", "title (6 to 10)", "title (from 11)"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (5, 1), (6, 7)])
@pytest.mark.parametrize("points", [0, 10**6])
def test_a_pair_of_any_shape(shape, points, tmp_path, monkeypatch):
    monkeypatch.setattr(draw_matrix, "MAX_POINTS", points)
    [profile] = weight_profiles(network(keras.layers.Dense(shape[0]), shape=(shape[1],)))
    figure = matplotlib.figure.Figure(figsize=(9, 7))
    draw_pair(figure, profile)
    figure.savefig(tmp_path / "a.png", dpi=50)
    assert "(c) sorted, seen from the side" in [text.get_text() for text in figure.texts]


def test_points_have_the_papers_colours_in_turn():
    [profile] = weight_profiles(network(keras.layers.Dense(5), shape=(2,)))
    figure = matplotlib.figure.Figure()
    draw_pair(figure, profile)
    [points] = figure.axes[3].collections  # (d)
    expected = [matplotlib.colors.to_rgba(color) for color in ("midnightblue", "gold", "darkgreen", "steelblue")]
    np.testing.assert_array_equal(points.get_facecolors()[::2], [*expected, expected[0]])
    np.testing.assert_array_equal(points.get_offsets()[:, 1], profile.vectors.ravel())


def test_vector_formats_do_not_explode(tmp_path, monkeypatch):
    [profile] = weight_profiles(network(keras.layers.Dense(100), shape=(100,)))
    for points in (0, 10**6):
        monkeypatch.setattr(draw_matrix, "MAX_POINTS", points)
        figure = matplotlib.figure.Figure(figsize=(9, 7))
        draw_pair(figure, profile)
        figure.savefig(tmp_path / "a.svg", dpi=50)
        assert (tmp_path / "a.svg").stat().st_size < 500_000


def test_the_four_steps(tmp_path):
    for profile in weight_profiles(network(keras.layers.Dense(2), keras.layers.Dense(9), shape=(30,))):
        figure = matplotlib.figure.Figure(figsize=(12, 3.4))
        draw_steps(figure, profile)
        figure.savefig(tmp_path / "a.png", dpi=50)
        given, ordered = (np.asarray(axes.images[0].get_array()).T for axes in figure.axes[:2])
        np.testing.assert_array_equal(given, profile.unsorted[:4, :24])
        np.testing.assert_array_equal(ordered, np.sort(given, axis=1))


def test_moments_of_a_training():
    assert draw_training.moments(4, 6) == [0, 1, 2, 3]
    chosen = draw_training.moments(100, 6)
    assert chosen[0] == 0
    assert chosen[-1] == 99
    assert (np.diff(chosen, 2) > 0).all()  # ever further apart
    recording = draw_training.Recording("LaPerm", [0, 15, 20, 33], [], 0.5, sync_period=20)
    said = [recording.when(index) for index in range(4)]
    assert said == ["step 0", "step 15, 15 after a sync", "step 20", "step 33"]  # `fit` ends with one
