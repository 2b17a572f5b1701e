import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models
from train_by_reconnect import (
    LaPerm,
    cycle_lengths,
    cycles,
    fixed_points,
    log10_permutations,
    permutation_between,
    weight_profiles,
)

PERMUTATIONS = st.integers(0, 40).flatmap(lambda size: st.permutations(range(size)))


def test_permutation_by_hand():
    # 0.3 of place 0 goes to place 2; the 0.1 of place 1 is the first 0.1, so it goes to the first place that holds one,
    # 1; 0.7 goes from 2 to 0; the second 0.1 stays at 3.
    permutation = permutation_between([0.3, 0.1, 0.7, 0.1], [0.7, 0.1, 0.3, 0.1])
    assert permutation.tolist() == [2, 1, 0, 3]
    assert cycles(permutation) == [[0, 2], [1], [3]]
    assert fixed_points(permutation) == [1, 3]
    assert cycle_lengths(permutation) == {1: 2, 2: 1}


def test_cycles_by_hand():
    # 0 -> 2 -> 4 -> 0, and 1 -> 3 -> 1.
    assert cycles([2, 3, 4, 1, 0]) == [[0, 2, 4], [1, 3]]
    assert cycles([]) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-2, 2, width=16), max_size=30), st.randoms(use_true_random=False))
def test_applying_the_permutation_gives_the_later_weights(values, random):
    before = np.array(values, "float32")
    after = before[random.sample(range(len(values)), len(values))]
    permutation = permutation_between(before, after)
    np.testing.assert_array_equal(before[permutation], after)
    assert sorted(permutation) == list(range(len(values)))
    for value in set(values):  # ties keep their order
        assert (np.diff(permutation[after == np.float32(value)]) > 0).all()


@settings(max_examples=40, deadline=None)
@given(PERMUTATIONS)
def test_cycles_are_a_partition_that_multiplies_back(permutation):
    found = cycles(permutation)
    assert sorted(place for cycle in found for place in cycle) == list(range(len(permutation)))
    rebuilt = {a: b for cycle in found for a, b in zip(cycle, cycle[1:] + cycle[:1], strict=True)}
    assert [rebuilt[place] for place in range(len(permutation))] == list(permutation)
    lengths = cycle_lengths(permutation)
    assert sum(length * count for length, count in lengths.items()) == len(permutation)
    assert lengths.get(1, 0) == len(fixed_points(permutation))


@settings(max_examples=20, deadline=None)
@given(PERMUTATIONS)
def test_distinct_values_have_one_permutation(permutation):
    before = np.arange(len(permutation), dtype="float32")
    assert permutation_between(before, before[list(permutation)]).tolist() == list(permutation)


def test_of_laperm_between_two_synchronizations():
    model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(1)])
    model.compile(optimizer=LaPerm(keras.optimizers.Adam(0.1), sync_period=4), loss="mse")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((32, 30)), rng.standard_normal((32, 1))
    [profile, _] = weight_profiles(model)
    rows = [profile.unsorted]
    for _ in range(2):
        model.fit(x, y, batch_size=8, verbose=0)  # four steps and a synchronization
        rows.append(profile.unsorted)
    moved = 0
    for before, after in zip(rows[1], rows[2], strict=True):
        permutation = permutation_between(before, after)
        np.testing.assert_array_equal(before[permutation], after)
        moved += 30 - len(fixed_points(permutation))
    assert moved > 0


def test_bad_input_is_one_sentence():
    with pytest.raises(ValueError, match=r"differ in 1 of 2 places. Take both right after a synchronization"):
        permutation_between([1.0, 2.0], [2.0, 1.5])
    with pytest.raises(ValueError, match="differ in 1 of 1"):
        permutation_between([np.nan], [np.nan])
    with pytest.raises(ValueError, match=r"before.shape=\(2,\), after.shape=\(3,\)"):
        permutation_between([1, 2], [1, 2, 3])
    for wrong in ([0, 0], [1, 2], [[0]], [0.0]):
        with pytest.raises(ValueError, match="every integer from 0"):
            cycles(wrong)


def test_count_by_hand():
    # 3 filters of 2 x 2 x 1 and one unit of 3 x 5 x 5: (4!)^3 75!; biases do not count.
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Conv2D(3, 2), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    expected = math.factorial(4) ** 3 * math.factorial(75)
    assert log10_permutations(model) == pytest.approx(math.log10(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "exponent", "paper"),
    # Each agrees with the paper's to the digits it gives; its 5e7 for Conv13 is 4.7e7.
    [
        ("conv2", 16_078_140, 1.6e7),
        ("conv4", 8_078_664, 8e6),
        ("conv7", 829_249, 8e5),
        ("conv13", 47_040_942, 5e7),
    ],
)
def test_the_papers_counts(name, exponent, paper):
    count = log10_permutations(getattr(models, name)())
    assert round(count) == exponent
    digits = 2 if name == "conv2" else 1
    assert float(f"{count:.{digits - 1}e}") == paper
