"""How a kernel comes from its initial one: found, written and read in blocks of whole weight vectors."""

import struct
from collections.abc import Iterator, Sequence

import numpy as np

from train_by_reconnect.coding import (
    arrangement_bits,
    bits_bound,
    decode_arrangements,
    decode_bits,
    encode_arrangements,
    encode_bits,
)
from train_by_reconnect.connectivity_files.description import FLIPPED, INITIAL, MASKED, PERMUTED, SIGNED_MASK, ZEROED
from train_by_reconnect.connectivity_files.words import (
    order_words,
    sign_of,
    unorder_words,
)

AT_ONCE = 2**20  # weights in a block, so that reading and writing take little memory beside the network


def block_slices(shape: tuple[int, int]) -> Iterator[slice]:
    """The rows of each block."""
    units, size = shape
    if size:
        step = max(1, AT_ONCE // size)
        yield from (slice(start, min(start + step, units)) for start in range(0, units, step))


def how_from(initial: np.ndarray, rows: np.ndarray) -> str | None:
    """How rows come from the initial ones, both as bits: in the way of fewest bits, or None if in none."""
    changed = initial != rows
    if not changed.any():
        return INITIAL
    sign = sign_of(rows.dtype)
    elementwise = None
    for how in (FLIPPED, MASKED, ZEROED, SIGNED_MASK):
        expected = changed_to(how, initial)
        if how == SIGNED_MASK:
            expected = np.where(rows == initial & sign, rows, initial ^ sign)
        if np.array_equal(np.where(changed, expected, initial), rows):
            elementwise = how
            break
    sorted_rows = np.sort(order_words(initial), axis=1)
    if not np.array_equal(sorted_rows, np.sort(order_words(rows), axis=1)):
        return elementwise
    if elementwise and bound_of_block(elementwise, initial, rows) <= arrangement_bits(sorted_rows):
        return elementwise
    return PERMUTED


def encode_block(how: str, initial: np.ndarray, rows: np.ndarray, codec: str) -> bytes:
    """The bytes that turn the initial rows into these."""
    if how == PERMUTED:
        return encode_arrangements(order_words(rows).ravel(), _lengths(rows), codec)
    changed = initial != rows
    first = encode_bits(changed.ravel(), codec)
    if how != SIGNED_MASK:
        return first
    return struct.pack("<Q", len(first)) + first + encode_bits(_flipped(initial, rows, changed), codec)


def decode_block(how: str, initial: np.ndarray, data: bytes, codec: str) -> np.ndarray:
    """The rows that `encode_block` was given; a ValueError says what is wrong with the bytes."""
    if how == PERMUTED:
        in_order = np.sort(order_words(initial), axis=1).ravel()
        words = decode_arrangements(data, in_order, _lengths(initial), codec)
        return unorder_words(words).reshape(initial.shape)
    first, second = data, b""
    if how == SIGNED_MASK:
        (length,) = struct.unpack("<Q", data[:8].ljust(8, b"\0"))
        first, second = data[8 : 8 + length], data[8 + length :]
    changed = decode_bits(first, initial.size, codec).reshape(initial.shape)
    rows = np.where(changed, changed_to(how, initial), initial)
    if how == SIGNED_MASK:
        is_flipped = decode_bits(second, int(changed.sum()), codec)
        rows[changed] = np.where(is_flipped, initial[changed] ^ sign_of(initial.dtype), rows[changed])
    return rows


def _flipped(initial: np.ndarray, rows: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """Which of the changed connections are flipped, not masked."""
    return (rows == initial ^ sign_of(initial.dtype))[changed]


def _lengths(rows: np.ndarray) -> np.ndarray:
    return np.full(rows.shape[0], rows.shape[1])


def changed_to(how: str, initial: np.ndarray) -> np.ndarray:
    """What a connection is that is masked or flipped: 0 with the sign of its weight, 0, or its negative."""
    sign = sign_of(initial.dtype)
    if how == FLIPPED:
        return initial ^ sign
    return np.zeros_like(initial) if how == ZEROED else initial & sign


def bound_of_block(how: str, initial: np.ndarray, rows: np.ndarray) -> float:
    """The least number of bits for these rows, if all arrangements, or all masks of this sparsity, are as likely."""
    if how == PERMUTED:
        return arrangement_bits(np.sort(order_words(initial), axis=1))
    changed = initial != rows
    of_flips = bits_bound(_flipped(initial, rows, changed)) if how == SIGNED_MASK else 0.0
    return bits_bound(changed.ravel()) + of_flips


def cut(data: memoryview, sizes: Sequence[int]) -> Iterator[bytes]:
    """The parts of some bytes, which must be all of them."""
    if sum(sizes) != len(data):
        raise ValueError(f"{len(data):,} bytes where {sum(sizes):,} are declared")
    place = 0
    for size in sizes:
        yield bytes(data[place : place + size])
        place += size
