"""Arrangements and bits come back from both codecs, near the bound, and damaged data is refused or read as others."""

import sys

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_by_reconnect.coding import (
    arrangement_bits,
    bits_bound,
    decode_arrangements,
    decode_bits,
    default_codec,
    encode_arrangements,
    encode_bits,
    sort_sequences,
)
from train_by_reconnect.coding.entropy import Reader, Writer
from train_by_reconnect.coding.splitting import read_places, write_places
from train_by_reconnect.coding.swaps import PART, write_orders

needs_constriction = pytest.mark.skipif(default_codec() != "range", reason="constriction is not installed")
CODECS = [pytest.param("range", marks=needs_constriction), "packed"]


def lengths_of(rows):
    return np.full(rows.shape[0], rows.shape[1])


def encode_rows(rows, codec):
    return encode_arrangements(rows.ravel(), lengths_of(rows), codec)


def decode_rows(coded, in_order, codec):
    return decode_arrangements(coded, in_order.ravel(), lengths_of(in_order), codec).reshape(in_order.shape)


def ranked(values):
    """The dense ranks of each row."""
    ranks = np.zeros(values.shape, np.int32)
    for row, of_row in zip(ranks, values, strict=True):
        row[:] = np.unique(of_row, return_inverse=True)[1]
    return ranks


def sparse(rows, n, zeros, single=False):
    """Rows of which a fraction is zero and the others differ, or are one value."""
    generator = np.random.default_rng(0)
    values = np.ones((rows, n)) if single else generator.normal(size=(rows, n))
    values[:, : round(zeros * n)] = 0
    return ranked(generator.permuted(values, axis=1))


def test_three_values_packed_by_hand():
    # Ranks 2, 0, 1 have two bits: the low ones are 0, 0, 1 = 4 with the first bit lowest, the high ones 1, 0, 0 = 1.
    assert encode_rows(np.array([[2, 0, 1]]), "packed") == bytes([4, 1])
    assert decode_rows(bytes([4, 1]), np.array([[0, 1, 2]]), "packed").tolist() == [[2, 0, 1]]


class Recording:
    """A writer that keeps what it is told."""

    def __init__(self):
        self.told = []

    def write(self, bits, probabilities):
        self.told += zip(bits.tolist(), probabilities.tolist(), strict=True)

    def write_below(self, numbers, limits):
        self.told += zip(numbers.tolist(), limits.tolist(), strict=True)


def test_three_values_split_by_hand():
    # Sorted 0 1 2: the boundary nearest to place 1 is there, so the upper part are ranks 1 and 2. Of the places 2, 0, 1
    # the first is upper (2 of 3 left), the second is not (1 of 2), the third is certain. Then of the places 2, 1 the
    # first is upper (1 of 2), the second is certain. 3/2 x 2 x 2 = 6 = 3!: log2 of it is the bound.
    writer = Recording()
    write_places(np.array([2, 0, 1]), np.array([0, 1, 2]), np.array([3]), writer)
    assert writer.told == [(True, 2 / 3), (False, 1 / 2), (True, 1 / 2)]
    chances = [chance if bit else 1 - chance for bit, chance in writer.told]
    assert -np.log2(chances).sum() == pytest.approx(arrangement_bits(np.array([[0, 1, 2]])))


def test_three_values_swapped_by_hand():
    # The places hold the numbers 2, 0, 1. Of the last place: number 2 is at place 0 of 3; swapped with it they hold
    # 1, 0, 2. Of the one before: number 1 is at place 0 of 2. 2 x 3 = 6 = 3!. They are written the other way round.
    writer = Recording()
    write_orders(np.array([2, 0, 1]), np.array([3]), writer)
    assert writer.told == [(0, 2), (0, 3)]


def test_two_parts_by_hand():
    # 257 values that fall: of two parts the first has the sorted places i with 2 i // 257 = 0, which are 0 to 128. So
    # 128 values of the second come first. In a part of m that falls number t is at place m - 1 - t until the swaps
    # meet in the middle; below it they have put every number at its own place.
    writer = Recording()
    write_orders(np.arange(257)[::-1].copy(), np.array([257]), writer)
    assert writer.told[:257] == [(1, 2)] * 128 + [(0, 2)] * 129
    swaps = [(min(t, m - 1 - t) if 2 * t > m - 1 else t, t + 1) for m in (129, 128) for t in range(1, m)]
    assert writer.told[257:] == swaps


@needs_constriction
def test_one_value_twice_by_hand():
    # 5 2 5 7: which places hold a 5, then which of the two others holds which: 4! / 2! = 12 = 6 x 2 orders, 3.6 bits.
    # One word: 4 bytes with their number, and 4.
    values = np.array([[5, 2, 5, 7]])
    coded = encode_rows(values, "range")
    assert len(coded) == 8
    assert decode_rows(coded, np.sort(values), "range").tolist() == values.tolist()
    assert arrangement_bits(np.sort(values)) == pytest.approx(np.log2(12))


def test_four_bits_packed_by_hand():
    # 1, 0, 1, 1: three ones in eight bytes, then 1 + 4 + 8 = 13.
    assert encode_bits(np.array([1, 0, 1, 1]), "packed") == bytes([3, 0, 0, 0, 0, 0, 0, 0, 13])


def test_bounds_by_hand():
    assert arrangement_bits(np.array([[0, 1, 2]])) == pytest.approx(np.log2(6))  # 3! orders
    assert arrangement_bits(np.array([[0, 0, 1, 1], [0, 0, 0, 0]])) == pytest.approx(np.log2(6))  # 4! / (2! 2!), and 1
    assert bits_bound(np.array([1, 0, 0, 0])) == pytest.approx(2 + 3 * np.log2(4 / 3))  # one of 1/4, three of 3/4
    assert bits_bound(np.zeros(9)) == 0


@pytest.mark.parametrize("codec", CODECS)
@given(data=st.data())
def test_arrangements_come_back(codec, data):
    rows, n, values = (data.draw(st.integers(low, high)) for low, high in ((0, 4), (0, 40), (1, 40)))
    seed = data.draw(st.integers(0, 2**32 - 1))
    ranks = ranked(np.random.default_rng(seed).integers(values, size=(rows, n)))
    coded = encode_rows(ranks, codec)
    np.testing.assert_array_equal(decode_rows(coded, np.sort(ranks, axis=1), codec), ranks)


@pytest.mark.parametrize("codec", CODECS)
@given(
    lengths=st.lists(st.integers(0, 20) | st.integers(250, 260), max_size=5),
    values=st.sampled_from([2, 30, 10**6]),
    seed=st.integers(0),
)
def test_sequences_of_different_lengths_come_back(codec, lengths, values, seed):
    lengths = np.array(lengths, np.int64)
    flat = np.random.default_rng(seed).integers(values, size=lengths.sum())
    in_order = sort_sequences(flat, lengths)
    ends = np.cumsum(lengths)
    for start, end in zip(ends - lengths, ends, strict=True):
        np.testing.assert_array_equal(in_order[start:end], np.sort(flat[start:end]))
    coded = encode_arrangements(flat, lengths, codec)
    np.testing.assert_array_equal(decode_arrangements(coded, in_order, lengths, codec), flat)


# Rows about as long as a part, or as two, or as is needed for one value that may occur twice unnoticed.
LENGTHS = st.sampled_from([n + d for n in (PART, 2 * PART) for d in (-1, 0, 1)] + [3 * PART])


@pytest.mark.parametrize("codec", CODECS)
@hypothesis.settings(max_examples=40)
@given(
    n=LENGTHS, rows=st.integers(1, 3), tied=st.integers(0, 6), zeros=st.sampled_from([0, 0.3, 1]), seed=st.integers(0)
)
def test_long_rows_come_back_near_the_bound(codec, n, rows, tied, zeros, seed):
    generator = np.random.default_rng(seed)
    values = generator.permuted(np.tile(np.arange(n, dtype=np.uint32), (rows, 1)), axis=1)
    values[0][values[0] < tied] = 0  # one row has ties that the others have not
    values[values < zeros * n] = 0
    coded, in_order = encode_rows(values, codec), np.sort(values, axis=1)
    np.testing.assert_array_equal(decode_rows(coded, in_order, codec), values)
    if codec == "range":
        assert 8 * len(coded) <= 1.01 * arrangement_bits(in_order) + 8 * 12  # a size and up to two words at the end


@needs_constriction
@given(data=st.data())
def test_what_the_first_version_wrote_is_read(data):
    rows, n, values = (data.draw(st.integers(low, high)) for low, high in ((0, 4), (0, 40), (1, 40)))
    ranks = ranked(np.random.default_rng(data.draw(st.integers(0, 99))).integers(values, size=(rows, n)))
    writer, in_order = Writer(), np.sort(ranks, axis=1)
    write_places(ranks.ravel(), in_order.ravel(), lengths_of(ranks), writer)
    words = writer.data()
    read = read_places(in_order.ravel(), lengths_of(ranks), Reader(words))
    np.testing.assert_array_equal(read, ranks.ravel())
    coded = (len(words) // 4).to_bytes(4, "little") + words
    np.testing.assert_array_equal(decode_rows(coded, np.sort(ranks, axis=1), "splitting"), ranks)
    with pytest.raises(ValueError, match="codec='splitting'"):
        encode_rows(ranks, "splitting")


@pytest.mark.parametrize("codec", CODECS)
@given(bits=st.lists(st.booleans(), max_size=70))
def test_bits_come_back(codec, bits):
    assert decode_bits(encode_bits(np.array(bits, bool), codec), len(bits), codec).tolist() == bits


@pytest.mark.parametrize(
    ("zeros", "single", "bits"),
    [(0, False, 7.7), (0.5, False, 4.4), (0.7, False, 2.7), (0.9, False, 0.9), (0.9, True, 0.46)],
)
@needs_constriction
def test_ranges_are_within_a_percent_of_the_bound(zeros, single, bits):
    ranks = sparse(64, 576, zeros, single)
    bound = arrangement_bits(np.sort(ranks, axis=1))
    assert bound / ranks.size == pytest.approx(bits, abs=0.06)  # the numbers have one or two digits
    assert 8 * len(encode_rows(ranks, "range")) <= 1.01 * bound


def mutated(coded, generator):
    """Data with a few bytes changed, cut or added."""
    changed = bytearray(coded)
    for _ in range(generator.integers(1, 4)):
        changed[generator.integers(len(changed))] = generator.integers(256)
    end = generator.integers(3)
    return bytes([changed[: generator.integers(len(changed))], changed + b"\0\0\0\0", changed][end])


@needs_constriction
@pytest.mark.parametrize("n", [100, 257, 513, 4608])
@pytest.mark.parametrize("tied", [0, 1])
def test_rows_whose_order_costs_most_are_within_a_percent_of_the_bound(n, tied):
    # Parts cost most for 257 values; of those n // 256 that may be tied and count as if they differed, one value takes
    # all, which costs most too.
    values = np.arange(64 * n).reshape(64, n)
    values[:, : tied * (n // 256) + 1] = 0
    values = np.random.default_rng(0).permuted(values, axis=1)
    bound = arrangement_bits(np.sort(values, axis=1))
    assert bound <= 8 * len(encode_rows(values, "range")) <= 1.01 * bound


@pytest.mark.parametrize("codec", [*CODECS, pytest.param("splitting", marks=needs_constriction)])
@pytest.mark.parametrize(
    ("n", "times"),
    [
        *((12, 300), (600, 50)),
        pytest.param(12, 10_000, marks=pytest.mark.slow),
        pytest.param(600, 1000, marks=pytest.mark.slow),
    ],
)
def test_damaged_data_is_refused_or_another_arrangement(codec, n, times):
    ranks, generator = sparse(2, n, 0.3), np.random.default_rng(1)
    known, bits = np.sort(ranks, axis=1), ranks.ravel() > 2
    written = "range" if codec == "splitting" else codec
    arrangement, flat = encode_rows(ranks, written), encode_bits(bits, written)
    refused = 0
    for _ in range(times):
        try:
            read = decode_rows(mutated(arrangement, generator), known, codec)
            np.testing.assert_array_equal(np.sort(read, axis=1), known)
        except ValueError:
            refused += 1
        try:
            assert decode_bits(mutated(flat, generator), bits.size, codec).shape == bits.shape
        except ValueError:
            refused += 1
    assert refused > times / 2  # two of three are cut or longer


@pytest.mark.parametrize("codec", CODECS)
def test_every_cut_and_every_addition_is_refused(codec):
    ranks = sparse(2, 50, 0.3)
    coded = encode_rows(ranks, codec)
    for changed in [*(coded[:end] for end in range(len(coded))), coded + b"\0", coded + b"\0\0\0\0"]:
        with pytest.raises(ValueError, match="Received"):
            decode_rows(changed, np.sort(ranks, axis=1), codec)


@needs_constriction
def test_without_constriction_bits_are_packed(monkeypatch):
    assert default_codec() == "range"
    monkeypatch.setitem(sys.modules, "constriction", None)
    assert default_codec() == "packed"
    assert encode_rows(np.array([[2, 0, 1]]), default_codec()) == bytes([4, 1])
    with pytest.raises(ValueError, match="Install it by"):
        encode_rows(np.array([[2, 0, 1]]), "range")


def test_an_unknown_codec_is_refused():
    with pytest.raises(ValueError, match="codec='zip'"):
        encode_bits(np.zeros(3), "zip")
