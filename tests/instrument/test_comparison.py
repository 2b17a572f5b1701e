"""Two models beside each other: by hand, what stays in a permutation, and what does not match."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_by_reconnect import LaPerm, compare_profiles, prune_by_magnitude, ranking_distance, shuffle_weight_vectors
from train_by_reconnect.instrument import comparison
from train_by_reconnect.weights.differences import difference_sums, differences


def dense(*kernels, names="abc", title="net"):
    layers = [keras.layers.Dense(kernel.shape[1], name=name) for name, kernel in zip(names, kernels, strict=False)]
    model = keras.Sequential([keras.Input((len(kernels[0]),)), *layers], name=title)
    for layer, kernel in zip(layers, kernels, strict=True):
        layer.kernel.assign(kernel)
    return model


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


BEFORE, AFTER = (np.array(columns, "float64").T for columns in ([[1, 2, 3], [-1, 0, 1]], [[3, 2, 1], [-1, 0, -2]]))


def test_by_hand():
    # 1 2 3 becomes 3 2 1: the profile stays, ranks 0 1 2 become 2 1 0. -1 0 1 becomes -1 0 -2: the profile -2 -1 0 is 1
    # away at each of three ranks; ranks 0 1 2 become 1 2 0; one sign flips, and a zero has none. Of six weights five
    # ranks moved, by 2 + 2 + 1 + 1 + 2 = 8 of 6 x 3 places, and three values are others. The deviation of
    # 1 2 3 -1 0 1 is sqrt(16 / 6 - 1).
    found = compare_profiles(dense(BEFORE), dense(AFTER))
    [row] = found.rows
    # The sums are of small integers and exact; a quotient and a root round thrice.
    assert {key: value for key, value in row.items() if isinstance(value, float)} == pytest.approx(
        {
            "profile_distance": 0.5 / math.sqrt(10 / 6),
            "rank_moved": 5 / 6,
            "ranking_distance": 8 / 18,
            "sign_flips": 1 / 6,
            "changed": 3 / 6,
            "zeros_first": 1 / 6,
            "zeros_second": 1 / 6,
        },
        rel=1e-14,
    )
    assert row["ranking_distance"] == pytest.approx(ranking_distance(BEFORE, AFTER)[0] / 3, rel=1e-14)
    assert "50.00% of the weights have another value, 16.67% another sign, and 83.33% another rank" in found.summary()


def test_the_same_model():
    model = dense(noise(9, 5), noise(5, 3))
    found = compare_profiles(model, model)
    assert all(
        row[key] == 0 for row in found.rows for key in ("profile_distance", "rank_moved", "changed", "sign_flips")
    )
    assert "All their weights are the same." in found.summary()


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 9))
def test_permuting_vectors_leaves_the_profile(seed, units, size):
    random = np.random.default_rng(seed)
    before = random.integers(-3, 4, (units, size)).astype("float64")
    after = random.permuted(before, axis=1)
    found = differences(difference_sums(before, after))
    assert found["profile_distance"] == 0
    assert found["zeros_first"] == found["zeros_second"]
    backwards = differences(difference_sums(after, before))
    assert backwards["rank_moved"] == found["rank_moved"]
    assert backwards["sign_flips"] == found["sign_flips"]


def test_in_parts_as_in_one(monkeypatch):
    models = [dense(noise(30, 40, seed=seed)) for seed in (0, 1)]
    whole = compare_profiles(*models).rows
    monkeypatch.setattr(comparison, "_BLOCK", 70)
    parts = compare_profiles(*models).rows
    # 1200 numbers are added in 20 parts: each of three sums rounds at most 20 + log2(60) times more or less, each time
    # by 2^-53.
    for name, value in whole[0].items():
        assert parts[0][name] == (pytest.approx(value, rel=3 * 26 * 2**-53) if isinstance(value, float) else value)


def test_trained_by_permuting_and_pruned():
    keras.utils.set_random_seed(0)
    model = dense(noise(20, 30) / 5, noise(30, 2))
    before = keras.models.clone_model(model)
    before.set_weights(model.get_weights())
    model.compile(LaPerm("adam", sync_period=2), "mse")
    model.fit(noise(64, 20), noise(64, 2), batch_size=8, verbose=0)
    for row in compare_profiles(before, model).rows:
        assert row["profile_distance"] == 0
        assert row["rank_moved"] > 0
    pruned = keras.models.clone_model(before)
    pruned.set_weights(before.get_weights())
    prune_by_magnitude(pruned, 0.5)
    row = compare_profiles(before, pruned).rows[0]
    assert (row["zeros_first"], row["zeros_second"], row["changed"]) == (0, 0.5, 0.5)
    assert row["sign_flips"] == 0


def test_what_does_not_match_is_listed():
    broken = noise(4, 3)
    broken[0, 0] = np.inf
    one = dense(noise(9, 5), noise(5, 4), broken)
    other = dense(noise(9, 5), noise(5, 6), noise(6, 3), noise(3, 2), names="abcd", title="other")
    found = compare_profiles(one, dense(noise(9, 5), noise(5, 4), noise(4, 3)))
    assert len(found.rows) == 2
    assert any("NaN or infinite" in each.reason for each in found.skipped)
    found = compare_profiles(dense(noise(9, 5), noise(5, 4)), dense(noise(9, 5), noise(5, 6)))
    assert [row["layer"] for row in found.rows] == ["a"]
    assert "Its shape is (5, 4) in one and (5, 6) in the other." in found.summary()
    with pytest.raises(ValueError, match=r"none of which could be compared.*no kernel of this name"):
        compare_profiles(one, other)


def test_other_names_of_the_same_shapes_are_matched_by_place():
    kernels = noise(9, 5), noise(5, 3)
    found = compare_profiles(dense(*kernels), dense(*kernels, names="xyz", title="other"))
    assert found.by_place
    assert [row["changed"] for row in found.rows] == [0, 0]
    assert "matched by their place" in found.summary()


def test_constant_weights_have_no_deviation():
    before, after = np.full((7, 9), 0.1), np.full((7, 9), 0.3)
    assert differences(difference_sums(before, before))["profile_distance"] == 0
    assert differences(difference_sums(before, after))["profile_distance"] == math.inf


def test_frame_csv_and_picture(tmp_path):
    pytest.importorskip("matplotlib")
    model = dense(noise(9, 5), noise(5, 3))
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    shuffle_weight_vectors(other, seed=0)
    found = compare_profiles(model, other)
    assert found.frame["rank_moved"].tolist() == [row["rank_moved"] for row in found.rows]
    assert found.to_csv(tmp_path / "a.csv").startswith("name,layer,shape")
    assert len(found.plot().axes) == 5
    assert "rank_moved" in found._repr_html_()
    # Weights that were all the same have no deviation to measure a distance in.
    infinite = compare_profiles(dense(np.ones((9, 5))), dense(noise(9, 5))).plot()
    assert [text.get_text() for text in infinite.axes[0].texts] == [" infinite"]
    infinite.savefig(tmp_path / "infinite.png")
    assert "2 kernels, 2 not compared" in repr(found)
