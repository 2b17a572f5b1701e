import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from train_by_reconnect.backend import row_ranking, scratch, stable_order, threads
from train_by_reconnect.backend.row_ranking import permute_kernels, permute_to_ranking, sort_kernel
from train_by_reconnect.backend.rows import from_rows, to_rows

DTYPES = {name: np.dtype(name) for name in ("float16", "float32", "float64")} | {
    "bfloat16": np.dtype(ml_dtypes.bfloat16)
}
FINITE = {name: ml_dtypes.finfo(dtype) for name, dtype in DTYPES.items()}


def by_definition(rows, sorted_rows):
    """The r-th smallest of one goes where the r-th smallest of the other is."""
    result = np.empty_like(sorted_rows)
    for row, values, into in zip(rows, sorted_rows, result, strict=True):
        into[np.argsort(row, kind="stable")] = values
    return result


def bits(array):
    """The bit patterns, which tell -0.0 from 0.0."""
    return array.view(f"u{array.dtype.itemsize}")


def check(rows, sorted_rows):
    """The result has the ranking, bit by bit the values, and the inputs are left as they were."""
    rows_before, sorted_before = rows.copy(), sorted_rows.copy()
    result = permute_to_ranking(rows, sorted_rows)
    assert (result.shape, result.dtype) == (sorted_rows.shape, sorted_rows.dtype)
    np.testing.assert_array_equal(bits(result), bits(by_definition(rows, sorted_rows)))
    np.testing.assert_array_equal(np.sort(bits(result), axis=1), np.sort(bits(sorted_rows), axis=1))
    np.testing.assert_array_equal(bits(rows), bits(rows_before))
    np.testing.assert_array_equal(bits(sorted_rows), bits(sorted_before))
    assert not np.shares_memory(result, sorted_rows)


@pytest.fixture(params=["packed", "digits"])
def way(request, monkeypatch):
    """Each of the two ways to sort, whatever the length and the processor."""
    monkeypatch.setattr(stable_order, "_SHORT", 0)
    monkeypatch.setattr(stable_order, "_are_digits_faster", lambda: request.param == "digits")


def test_solved_by_hand(way):
    # first row:  0.5 -1.0  0.5  2.0 -1.0   smallest first: -1.0 (at 1), -1.0 (at 4), 0.5 (at 0), 0.5 (at 2), 2.0 (at 3)
    #             10 goes to 1, 20 to 4, 30 to 0, 40 to 2, 50 to 3
    # second row: five equal weights keep their order
    rows = np.array([[0.5, -1.0, 0.5, 2.0, -1.0], [3.0] * 5], "float32")
    sorted_rows = np.array([[10, 20, 30, 40, 50], [1, 2, 3, 4, 5]], "float32")
    expected = [[30, 10, 40, 50, 20], [1, 2, 3, 4, 5]]
    assert permute_to_ranking(rows, sorted_rows).tolist() == expected


def special(name):
    """Both zeros, the least and the largest numbers, with and without a sign, and neighbours."""
    info = FINITE[name]
    tiny, least = float(info.tiny), float(info.smallest_subnormal)
    positive = [0.0, least, 2 * least, tiny - least, tiny, 1.0 - float(info.epsneg), 1.0, 1.0 + float(info.eps)]
    positive += [float(info.max) * 0.5, float(info.max)]
    return np.array([sign * value for value in positive for sign in (1, -1)]).astype(DTYPES[name])


@pytest.mark.parametrize("name", DTYPES)
def test_against_argsort(name, way):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((7, 300)).astype(DTYPES[name])
    check(rows, np.sort(rng.standard_normal((7, 300)).astype(DTYPES[name]), axis=1))


@pytest.mark.parametrize("name", DTYPES)
def test_extreme_values_zeros_and_ties(name, way):
    values = special(name)
    assert np.isfinite(values.astype("float64")).all()
    rng = np.random.default_rng(1)
    rows = rng.choice(values, (20, 100))
    check(rows, np.sort(rng.choice(values, (20, 100)), axis=1, kind="stable"))


@pytest.mark.parametrize("name", DTYPES)
def test_the_two_zeros_are_equal(name, way):
    rows = np.array([[0.0, -0.0, 0.0, -0.0]], DTYPES[name])
    sorted_rows = np.array([[1, 2, 3, 4]], DTYPES[name])
    np.testing.assert_array_equal(permute_to_ranking(rows, sorted_rows), sorted_rows)
    check(rows, rows)  # and both survive as values


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 5)])
def test_one_weight_and_one_vector(name, shape, way):
    rng = np.random.default_rng(2)
    check(rng.standard_normal(shape).astype(DTYPES[name]), np.sort(rng.random(shape).astype(DTYPES[name]), axis=1))


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_vectors_longer_than_16_bits_can_number(name, way):
    rng = np.random.default_rng(3)
    rows = rng.integers(-500, 500, (2, 70_000)).astype(name)  # mostly ties
    check(rows, np.sort(rng.standard_normal(rows.shape).astype(name), axis=1))


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_kernels_of_many_vectors(name):
    # more weights than are sorted at a time, the last part smaller than the others
    rng = np.random.default_rng(5)
    rows = rng.integers(-5, 5, (1_025, 300)).astype(name)
    sorted_rows = np.sort(rng.standard_normal(rows.shape).astype(name), axis=1)
    check(rows, sorted_rows)
    rows[-1, -1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        permute_to_ranking(rows, sorted_rows)


# Units last, as in most layers; before the channels, as in transposed convolutions; at both ends; and one vector.
LAYOUTS = {(3, 3, 40, 33): (-1,), (2, 3, 5, 40): (-2,), (7, 4, 9): (0, -1), (6, 5, 4): (1, 2), (30,): ()}


@pytest.mark.parametrize("weights", [0, 1 << 30], ids=["threads", "one thread"])
@pytest.mark.parametrize("name", DTYPES)
def test_kernels_in_their_own_layout(name, weights, way, monkeypatch):
    monkeypatch.setattr(threads, "_MANY", weights)
    monkeypatch.setattr(threads, "_cores", lambda: 3)
    monkeypatch.setattr(row_ranking, "_BLOCK", 1_000)  # several blocks of several strips
    monkeypatch.setattr(row_ranking, "_FEW", 100)
    monkeypatch.setattr(row_ranking, "_LARGE", 400)
    rng = np.random.default_rng(6)
    axes = [LAYOUTS[shape] for shape in LAYOUTS] * 2  # kernels alike go together
    kernels = [rng.choice(special(name), shape) for shape in [*LAYOUTS] * 2]
    sorted_rows = [sort_kernel(rng.permutation(kernel), each) for kernel, each in zip(kernels, axes, strict=True)]
    for new, kernel, each, rows in zip(
        permute_kernels(kernels, axes, sorted_rows), kernels, axes, sorted_rows, strict=True
    ):
        expected = from_rows(by_definition(to_rows(kernel, each, np), rows), kernel.shape, each, np)
        assert (new.shape, new.dtype) == (kernel.shape, kernel.dtype)
        np.testing.assert_array_equal(bits(np.ascontiguousarray(new)), bits(np.ascontiguousarray(expected)))


@pytest.mark.parametrize("weights", [0, 1 << 30], ids=["threads", "one thread"])
@pytest.mark.parametrize("shape", LAYOUTS)
@pytest.mark.parametrize("name", DTYPES)
def test_sorted_as_a_stable_sort_does(name, shape, weights, monkeypatch):
    monkeypatch.setattr(threads, "_MANY", weights)
    kernel = np.random.default_rng(7).choice(special(name), shape)  # both zeros in most weight vectors
    rows = np.ascontiguousarray(to_rows(kernel, LAYOUTS[shape], np))
    expected = np.take_along_axis(rows, np.argsort(rows, axis=1, kind="stable"), axis=1)
    np.testing.assert_array_equal(bits(sort_kernel(kernel, LAYOUTS[shape])), bits(expected))


@pytest.mark.parametrize("weights", [0, 1 << 30], ids=["threads", "one thread"])
def test_one_kernel_that_is_not_finite_among_many(weights, way, monkeypatch):
    monkeypatch.setattr(threads, "_MANY", weights)
    monkeypatch.setattr(threads, "_cores", lambda: 3)
    monkeypatch.setattr(row_ranking, "_BLOCK", 2_000)  # each kernel is a block
    kernels = [np.ones((50, 40), "float32") for _ in range(4)]
    sorted_rows = [sort_kernel(kernel, (-1,)) for kernel in kernels]
    kernels[2][49, 39] = -np.inf
    with pytest.raises(ValueError, match="a weight is NaN or infinite"):
        permute_kernels(kernels, [(-1,)] * 4, sorted_rows)
    with pytest.raises(ValueError, match="a weight is NaN or infinite"):
        sort_kernel(kernels[2], (-1,))


def test_long_vectors_by_whichever_way_is_faster_here():
    rng = np.random.default_rng(8)
    check(rng.integers(-50, 50, (3, 700)).astype("float32"), np.sort(rng.random((3, 700), "float32"), axis=1))


def test_blocks_by_hand(monkeypatch):
    # Seven strips of 40 weights are 280, two times the 100 of a block and more: blocks of four and of three.
    monkeypatch.setattr(row_ranking, "_BLOCK", 100)
    assert row_ranking._blocks(list("abcdefg"), 40) == [list("abcd"), list("efg")]
    assert row_ranking._blocks(list("ab"), 40) == [list("ab")]
    assert row_ranking._blocks(list("ab"), 500) == [["a"], ["b"]]


def test_scratch_memory_is_of_one_at_a_time():
    with scratch.borrowed() as one, scratch.borrowed() as other:
        first = one.array("keys", (3,), np.dtype("int32"))
        assert not np.shares_memory(first, other.array("keys", (3,), np.dtype("int32")))
        assert not np.shares_memory(first, one.array("signs", (3,), np.dtype("int32")))
        assert np.shares_memory(first, one.array("keys", (2, 2), np.dtype("int16")))
    scratch.give_back()
    assert len(scratch._FREE) <= scratch._THREADS


def test_nothing_to_permute():
    assert permute_kernels([], [], []) == []


def test_arrays_in_any_memory_order():
    rng = np.random.default_rng(4)
    rows, values = rng.standard_normal((2, 9, 6)).astype("float32")
    sorted_rows = np.sort(values.T, axis=1)
    expected = by_definition(rows.T, sorted_rows)
    np.testing.assert_array_equal(permute_to_ranking(rows.T, np.asfortranarray(sorted_rows)), expected)
    rows.flags.writeable = False
    np.testing.assert_array_equal(permute_to_ranking(rows.T, sorted_rows), expected)


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", DTYPES)
def test_what_is_not_finite_has_no_ranking(name, bad, way):
    rows = np.ones((3, 4), DTYPES[name])
    sorted_rows = np.ones((3, 4), DTYPES[name])
    for index in [(0, 0), (1, 2), (2, 3)]:
        poisoned = rows.copy()
        poisoned[index] = np.copysign(bad, bad)
        with pytest.raises(ValueError, match="a weight is NaN or infinite"):
            permute_to_ranking(poisoned, sorted_rows)
        with pytest.raises(ValueError, match="a weight is NaN or infinite"):
            permute_to_ranking(np.full((1, 1), bad, DTYPES[name]), sorted_rows[:1, :1])


def test_every_nan_of_float32(way):
    # quiet and signalling, of both signs, with the least and the largest payload
    patterns = np.array([0x7FC00000, 0x7F800001, 0x7FFFFFFF, 0xFFC00000, 0xFF800001, 0xFFFFFFFF], "uint32")
    for pattern in patterns:
        with pytest.raises(ValueError, match="NaN"):
            permute_to_ranking(np.array([[1.0, pattern.view("float32")]], "float32"), np.ones((1, 2), "float32"))


@st.composite
def two_arrays(draw):
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 12)))
    name = draw(st.sampled_from(sorted(DTYPES)))
    values = special(name)
    chosen = npst.arrays("int64", shape, elements=st.integers(0, len(values) - 1))
    return values[draw(chosen)], np.sort(values[draw(chosen)], axis=1, kind="stable")


@settings(max_examples=100, deadline=None)
@given(two_arrays())
def test_multiset_and_ranking(case):
    check(*case)


@settings(max_examples=60, deadline=None)
@given(npst.arrays("float32", (2, 20), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_own_values_come_back_where_they_were(rows):
    # With the sorted weights themselves a synchronization changes nothing, except which of the two zeros is where.
    np.testing.assert_array_equal(permute_to_ranking(rows, np.sort(rows, axis=1)), rows)


@pytest.mark.parametrize(("said", "cores"), [("", 3), ("2", 2), ("8", 3), ("0", 3), ("2,1", 3)])
def test_threads_by_hand(monkeypatch, said, cores):
    # Three cores may be used; OMP_NUM_THREADS, by which processes share them, can only make it fewer.
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert threads._cores() == cores
