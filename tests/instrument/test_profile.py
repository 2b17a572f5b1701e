"""One object of a model or a file: its numbers by hand, and that nothing is left out."""

import math
import sys
import tracemalloc

import keras
import numpy as np
import pytest

import train_by_reconnect
from train_by_reconnect import ProfileScore, profile, score_profiles, weight_profiles
from train_by_reconnect.instrument import statistics
from train_by_reconnect.instrument.kernel_profiles import null_range
from train_by_reconnect.weights.profile_nulls import score_kernel
from train_by_reconnect.weights.shared_draws import SharedDraws

MEASURES, NULLS = ("plain", "standardized", "distance"), ("initializer", "gaussian", "shuffled")


def dense(*kernels):
    """A network of dense layers that hold these kernels."""
    layers = [keras.layers.Dense(kernel.shape[1], name=f"dense_{place}") for place, kernel in enumerate(kernels)]
    model = keras.Sequential([keras.Input((len(kernels[0]),)), *layers], name="net")
    for layer, kernel in zip(layers, kernels, strict=True):
        layer.kernel.assign(kernel)
    return model


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_p_values_by_hand():
    # Of the draws 0.1 0.2 0.5 0.9 three are at most 0.5, and two at least: (1 + 3) / 5 and (1 + 2) / 5. Their 5 % lies
    # 0.15 of the way from the first to the second of three intervals' ends, their 95 % 0.85 of that from 0.5 to 0.9.
    found = null_range(0.5, [0.9, 0.1, 0.5, 0.2])
    assert found == pytest.approx((0.425, 0.115, 0.84, 0.8, 0.6))
    # Nothing among the draws is as extreme: 1 / (4 + 1), the least there is.
    assert null_range(1.0, [0.9, 0.1, 0.5, 0.2])[3:] == (1.0, 0.2)
    assert null_range(0.0, [0.9, 0.1, 0.5, 0.2])[3:] == (0.2, 1.0)
    # What differs by rounding is as extreme as the score.
    assert null_range(0.3, [0.1 + 0.2, 0.1 + 0.2])[3:] == (1.0, 1.0)
    assert [math.isnan(each) for each in null_range(math.nan, [0.5])] == [False, True, True, True, True]
    assert all(math.isnan(each) for each in null_range(0.5, [0.5, math.nan]))


def test_a_kernel_by_hand():
    # The columns (3, 1) and (3, 9): plain 4/9 and distance 2/3, as in test_profile_scores. Two normal draws with the
    # mean and the deviation of two numbers are these numbers, so every draw of the Gaussian null is as extreme.
    [row] = profile(dense(np.array([[3.0, 3.0], [1.0, 9.0]]))).rows
    assert row["plain"] == pytest.approx(4 / 9)
    assert row["plain_gaussian_low"] == pytest.approx(row["plain_gaussian_high"]) == pytest.approx(4 / 9)
    assert (row["plain_gaussian_p_lower"], row["plain_gaussian_p_higher"]) == (1, 1)
    assert row["plain_against_gaussian"] == "not told apart"
    assert math.isnan(row["standardized_gaussian_p_lower"])
    assert row["standardized_against_gaussian"] == "no answer"


def test_equal_vectors_are_more_alike_than_noise_and_mixed_shapes_less():
    # Of 19 draws none scores 1, as equal vectors do: p = 1 / 20 in one direction, 20 / 20 in the other.
    [same] = profile(dense(np.repeat(noise(30, 1), 40, axis=1))).rows
    assert (same["plain"], same["distance"]) == pytest.approx((1, 0), abs=1e-12)
    assert (same["plain_gaussian_p_higher"], same["plain_gaussian_p_lower"]) == (0.05, 1)
    assert (same["distance_gaussian_p_higher"], same["distance_gaussian_p_lower"]) == (1, 0.05)
    assert {same[f"{measure}_against_gaussian"] for measure in MEASURES} == {"more alike"}
    shapes = np.concatenate([np.sign(noise(200, 20)), np.exp(noise(200, 20, seed=1))], axis=1)
    [mixed] = profile(dense(shapes)).rows
    assert mixed["standardized_against_gaussian"] == "less alike"


def test_the_scores_are_those_of_score_profiles():
    model = keras.Sequential([keras.Input((9, 9, 3)), keras.layers.Conv2D(20, 3), keras.layers.DepthwiseConv2D(3)])
    found = profile(model, n_draws=3, max_units=8, seed=4).rows
    for row, score in zip(found, score_profiles(model, n_draws=3, max_units=8, seed=4), strict=True):
        for field in ProfileScore.__dataclass_fields__:
            assert row[field] == getattr(score, field), field
    # What is drawn for a kernel depends on its place among all.
    last = profile(model, found[1]["layer"], n_draws=3, max_units=8, seed=4).rows
    assert last == [found[1]]


def test_nan_in_one_kernel_leaves_the_others(tmp_path):
    broken = noise(5, 7)
    broken[2, 3] = math.nan
    kernels = [noise(9, 5), broken, noise(7, 4)]
    model = dense(*kernels)
    found = profile(model)
    assert [row["layer"] for row in found.rows] == ["dense_0", "dense_2"]
    [reason] = [each.reason for each in found.skipped if "kernel" in each.name]
    assert "1 of 35 are NaN or infinite" in reason
    assert reason in found.summary()
    whole = profile(dense(kernels[0], noise(5, 7), kernels[2])).rows
    assert [row["plain_gaussian"] for row in found.rows] == [whole[0]["plain_gaussian"], whole[2]["plain_gaussian"]]
    with pytest.raises(ValueError, match="NaN"):
        score_profiles(model)


def test_all_that_is_no_kernel_is_listed():
    layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.LSTM(3)]
    model = keras.Sequential([keras.Input((6, 5)), *layers])
    found = profile(model)
    assert len(found.rows) + len(found.skipped) == len(model.weights)
    assert len(found.rows) == len(weight_profiles(model))
    assert all(each.reason.endswith(".") for each in found.skipped)
    assert "Not profiled:" in found.summary()
    assert repr(found).startswith("<Profile of sequential")


def test_the_summary_answers_for_the_gaussian_null():
    same = profile(dense(np.repeat(noise(30, 1), 40, axis=1))).summary()
    assert "Does the plain similarity survive the Gaussian null? It exceeds it" in same
    assert "More alike than the noise: 1 of 1 kernels" in same
    mixed = np.concatenate([np.sign(noise(200, 20)), np.exp(noise(200, 20, seed=1))], axis=1)
    assert "Does the standardized similarity survive the Gaussian null? No" in profile(dense(mixed)).summary()
    one = profile(dense(noise(9, 1))).summary()
    assert "Nothing to compare. 1 kernels have no answer" in one
    few = profile(dense(noise(9, 5)), n_draws=18).summary()
    assert "With 18 draws no p-value can be as small as 0.05" in few
    assert "It is not told apart from that of such noise" in few
    assert "by chance about 0 either way" in few
    assert "whether the network was trained" in few


def test_without_draws_the_scores_stand_alone():
    model = dense(noise(30, 20))
    alone, beside = profile(model, n_draws=0), profile(model)
    for row, with_nulls in zip(alone.rows, beside.rows, strict=True):
        assert [row[measure] for measure in MEASURES] == [with_nulls[measure] for measure in MEASURES]
        assert {row[f"{measure}_against_gaussian"] for measure in MEASURES} == {"no answer"}
        assert all(math.isnan(row[f"{measure}_{null}"]) for measure in MEASURES for null in NULLS)
    assert "The scores stand alone" in alone.summary()
    assert "no answer" in alone.to_html()
    assert alone.plot("dense_0").axes


def test_nothing_to_profile_and_other_bad_input():
    empty = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    with pytest.raises(ValueError, match=r"must hold a kernel that can be profiled. Received: 4 tensors \(.*gamma"):
        profile(empty)
    with pytest.raises(ValueError, match=r"1 of 6 are NaN or infinite"):
        profile(dense(np.where(np.arange(6).reshape(3, 2) == 4, np.inf, 0.0)))
    model = dense(noise(4, 3))
    with pytest.raises(ValueError, match=r"Received: layers='dens', which is none of the 1. Choose among: .*dense_0"):
        profile(model, "dens")
    with pytest.raises(ValueError, match="`n_draws` must be at least 0"):
        profile(model, n_draws=-1)
    with pytest.raises(ValueError, match="max_units=1"):
        profile(model, max_units=1)
    with pytest.raises(TypeError, match="Received: model_or_file=3"):
        profile(3)


def test_frame_and_csv(tmp_path):
    pd = pytest.importorskip("pandas")
    found = profile(dense(noise(9, 5), noise(5, 1)))
    assert found.frame["plain"].tolist()[0] == found.rows[0]["plain"]
    found.to_csv(tmp_path / "scores.csv")
    read = pd.read_csv(tmp_path / "scores.csv")
    assert read["shape"].tolist() == ["9x5", "5x1"]
    assert math.isnan(read["plain"][1])
    assert list(read) == list(found.rows[0])
    with pytest.raises(OSError, match=r"in a folder that exists.* Received: .*none.*\(No such file or directory\)"):
        found.to_html(tmp_path / "none" / "page.html")


def test_without_pandas_and_matplotlib(monkeypatch):
    found = profile(dense(noise(9, 5)))
    for name in ("draw_sheets", "pictures"):
        monkeypatch.delitem(sys.modules, f"train_by_reconnect.instrument.{name}", raising=False)
        monkeypatch.delattr(train_by_reconnect.instrument, name, raising=False)
    for name in ("pandas", "matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"A data frame needs pandas.*pip install \"train-by-reconnect\[profiles\]\""):
        _ = found.frame
    with pytest.raises(ImportError, match=r"A picture needs matplotlib.*\[profiles\]"):
        found.plot()
    assert "<svg" in found.to_html()  # whose pictures need neither
    assert found.to_csv().startswith("name,")


def test_pictures():
    pytest.importorskip("matplotlib")
    found = profile(dense(noise(9, 5), noise(5, 3)))
    sheet = found.plot()
    assert len(sheet.axes) == 2
    one = found.plot("dense_1")
    assert "dense_1/kernel: 3 weight vectors of 5 weights" in one.get_suptitle()
    assert {text.get_text() for text in one.axes[1].get_legend().get_texts()} == {*NULLS, "the weights"}
    assert {figure._repr_png_()[:4] for figure in (sheet, one)} == {b"\x89PNG"}
    with pytest.raises(ValueError, match=r"Received: layer='dense'.*Choose among: .*net/dense_0/kernel"):
        found.plot("dense")
    with pytest.raises(ValueError, match=r"`page` must be from 1 to 1. Received: page=2"):
        found.plot(page=2)


def test_only_the_scored_vectors_are_copied(tmp_path):
    units, size = 4000, 500
    mapped = np.memmap(tmp_path / "kernel", "float32", "w+", shape=(size, units))
    mapped[:] = noise(size, units)

    def constant(shape, dtype):
        return np.zeros((shape[0], 8), dtype)

    with SharedDraws(n_draws=1, seed=0, threads=1) as draws:
        score_kernel(mapped, (-1,), constant, max_units=8, draws=draws, place=0)
        tracemalloc.start()
        scores = score_kernel(mapped, (-1,), constant, max_units=8, draws=draws, place=0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert scores.units == units
    # 8 x 500 float64 numbers are 32 kB: of them some copies, and nothing like the 8 MB of the kernel.
    assert peak < 30 * 8 * size * 8 < mapped.nbytes / 4


def test_weights_are_neither_changed_nor_need_be_writable():
    kernel = noise(20, 30).astype("float32")  # of few rows, all of which are scored, and which lie as in memory
    for writable in (True, False):
        value = kernel.copy()
        value.flags.writeable = writable
        with SharedDraws(n_draws=2, seed=0) as draws:
            assert score_kernel(value, (0,), None, max_units=None, draws=draws, place=0).scored_units == 20
        np.testing.assert_array_equal(value, kernel)


def test_what_goes_wrong_in_a_score_is_not_taken_for_weights_that_are_skipped():
    def broken(shape, dtype):
        return np.full(shape, np.nan, dtype)

    with pytest.raises(ValueError, match="must be finite numbers of shape"):
        profile(dense(noise(9, 5)), initializer=broken)


def test_the_spread_in_parts_is_that_of_the_whole(monkeypatch):
    value = noise(3, 50, 40).astype("float32")
    for axes in ((-1,), (1, 2), (0,), ()):
        whole = statistics.spread(value, axes, np.random.default_rng(0))
        monkeypatch.setattr(statistics, "_PART", 120)
        parts = statistics.spread(value, axes, np.random.default_rng(0))
        monkeypatch.undo()
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(one, other)
    monkeypatch.setattr(statistics, "_MOST_VECTORS", 30)
    assert statistics.spread(value, (-1,), np.random.default_rng(0))[2] == 30
