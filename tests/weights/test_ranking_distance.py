import keras
import numpy as np
import pytest
from backends import FLOAT64, with_64_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from train_by_reconnect import LaPerm, ranking, ranking_distance

KERNELS = npst.arrays(
    "float32", npst.array_shapes(min_dims=2, max_dims=4, max_side=6), elements=st.floats(-2, 2, width=16)
)


def test_ranking_by_hand():
    # First column 0.5, -1, 2, -1: the -1 of row 1 is smallest, that of row 3 comes next (ties: in order of position),
    # then 0.5, then 2. The second column is all ties.
    kernel = np.array([[0.5, 7.0], [-1.0, 7.0], [2.0, 7.0], [-1.0, 7.0]], "float32")
    assert ranking(kernel).tolist() == [[2, 0], [0, 1], [3, 2], [1, 3]]
    # By rows: 0.5 < 7 in each.
    assert ranking(kernel, unit_axes=(0,)).tolist() == [[0, 1]] * 4
    # All eight together: -1, -1, 0.5, 2, then the four 7 in order of position.
    assert ranking(kernel, unit_axes=()).tolist() == [[2, 4], [0, 5], [3, 6], [1, 7]]
    assert ranking([3.0, 1.0, 2.0]).tolist() == [2, 0, 1]


def test_distance_by_hand():
    # Ranks of the first column: 0 1 2 before and 2 0 1 after: changes 2 1 1; of the second 0 1 2 and 1 0 2: 1 1 0.
    # D = (2 + 1 + 1 + 1 + 1 + 0) / 6 = 1; SD = sqrt((1 + 0 + 0 + 0 + 0 + 1) / 6) = sqrt(1 / 3).
    before = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    after = np.array([[9.0, 0.2], [0.0, 0.1], [5.0, 0.3]])
    assert ranking_distance(before, after) == pytest.approx((1, np.sqrt(1 / 3)))


@settings(max_examples=40, deadline=None)
@given(KERNELS)
def test_a_ranking_is_a_permutation_that_respects_the_order(kernel):
    ranks = ranking(kernel)
    assert (ranks.shape, ranks.dtype) == (kernel.shape, np.int32)
    for unit in range(kernel.shape[-1]):
        values, of_unit = kernel[..., unit].ravel(), ranks[..., unit].ravel()
        assert sorted(of_unit) == list(range(values.size))
        assert (np.diff(values[np.argsort(of_unit)]) >= 0).all()
        for value in set(values.tolist()):
            assert (np.diff(of_unit[values == value]) > 0).all()


@settings(max_examples=30, deadline=None)
@given(KERNELS, st.integers(0, 9))
def test_invariants_of_the_distance(kernel, seed):
    other = np.random.default_rng(seed).permuted(kernel, axis=0)
    assert ranking_distance(kernel, kernel) == (0, 0)
    assert ranking_distance(kernel, other) == ranking_distance(other, kernel)
    assert ranking_distance(kernel * 4, other * 0.5) == ranking_distance(kernel, other)
    size = kernel.size // kernel.shape[-1]
    # Reversing a vector changes ranks most: by size / 2 on average if that is even.
    assert 0 <= ranking_distance(kernel, other)[0] <= size / 2


def test_the_longest_distance_is_half_the_size():
    vector = np.arange(8.0)
    assert ranking_distance(vector, -vector)[0] == 4


@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "float32", FLOAT64, pytest.param("int64", marks=with_64_bits)]
)
def test_dtypes_tensors_and_variables(dtype):
    values = np.array([[3, 1], [1, 1], [2, 0]])
    expected = [[2, 1], [0, 2], [1, 0]]
    tensor = keras.ops.cast(values, dtype)
    assert ranking(tensor).tolist() == expected
    assert ranking(keras.Variable(tensor, dtype=dtype, trainable=False)).tolist() == expected


def test_large_integers_and_float64_are_not_rounded():
    assert ranking(np.array([2**40 + 2, 2**40 + 1, 2**40])).tolist() == [2, 1, 0]
    assert ranking(np.array([1 + 2e-16 * n for n in (3, 2, 0)])).tolist() == [2, 1, 0]


def test_a_synchronization_keeps_the_ranking():
    model = keras.Sequential([keras.Input((6, 6, 2)), keras.layers.Conv2D(4, 3)])
    optimizer = LaPerm("sgd")
    optimizer.build(model.trainable_variables)
    optimizer.recapture()
    moved = np.random.default_rng(0).standard_normal(model.layers[0].kernel.shape)
    model.layers[0].kernel.assign(moved)
    before = model.layers[0].kernel.numpy()
    optimizer.synchronize()
    assert ranking_distance(before, model.layers[0].kernel) == (0, 0)
    assert (before != model.layers[0].kernel.numpy()).any()


def test_empty_kernels():
    assert ranking(np.zeros((0, 3))).shape == (0, 3)
    assert ranking_distance(np.zeros((3, 0)), np.zeros((3, 0))) == (0, 0)


def test_bad_input_is_one_sentence():
    with pytest.raises(ValueError, match=r"before.shape=\(2, 2\), after.shape=\(2, 3\)"):
        ranking_distance(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"finite weights. Received: kernel of shape \(2, 2\) with 1 that"):
        ranking(np.array([[1, np.nan], [1, 1]]))
    for axes in ((2,), (0, 0), (0, -2)):
        with pytest.raises(ValueError, match="must be axes of the kernel's shape"):
            ranking(np.ones((2, 2)), axes)
