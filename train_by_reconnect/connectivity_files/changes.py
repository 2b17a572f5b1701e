"""How a kernel changes between two networks from the same initial weights: the places, and what comes to them."""

from collections.abc import Iterator

import numpy as np

from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.coding import (
    decode_arrangements,
    decode_bits,
    encode_arrangements,
    encode_bits,
    sort_sequences,
)
from train_by_reconnect.connectivity_files.blocks import block_slices, changed_to, encode_block
from train_by_reconnect.connectivity_files.description import ARRAY, INITIAL, PERMUTED, RESCALED, SIGNED_MASK, Entry
from train_by_reconnect.connectivity_files.reading import decode_kernel
from train_by_reconnect.connectivity_files.rescaling import rescaled
from train_by_reconnect.connectivity_files.words import bits_of, numpy_dtype, order_words, unorder_words

# How a change is stored: an array as it is; which weights moved within their vectors, and their order; which
# connections are masked or flipped that were not, or the other way round; or as in a file of the whole network.
MOVED, TOGGLED, ANEW = "moved", "toggled", "anew"
WAYS = (ARRAY, MOVED, TOGGLED, ANEW)


def encode_change(
    before: Entry, after: Entry, initial: np.ndarray, old: np.ndarray, new: np.ndarray, codec: str
) -> tuple[str, list[bytes]]:
    """The blocks that turn an old kernel into a new one, all as bits, and the way: that of fewest bytes."""
    if after.how == INITIAL:
        return ANEW, []
    olds, news = (np.ascontiguousarray(to_rows(each, after.axes or (), np)) for each in (old, new))
    base, hows = _base(after, initial), {before.how, after.how}
    places = list(block_slices(news.shape))
    found = {ANEW: [encode_block(after.how, base[place], news[place], codec) for place in places]}
    if hows <= {PERMUTED, INITIAL}:
        found[MOVED] = [part for place in places for part in _encode_moves(olds[place], news[place], codec)]
    elif not hows & {PERMUTED, SIGNED_MASK}:
        toggled = (_base(before, initial) != olds) != (base != news)
        found[TOGGLED] = [encode_bits(toggled[place].ravel(), codec) for place in places]
    return min(found.items(), key=lambda item: sum(map(len, item[1])))


def decode_change(
    way: str, before: Entry, after: Entry, initial: np.ndarray, old: np.ndarray, blocks: Iterator[bytes], codec: str
) -> np.ndarray:
    """The new kernel, as bits; a ValueError says what is wrong with the blocks."""
    if way == ANEW:
        return decode_kernel(after, initial, blocks, codec)
    axes = after.axes or ()
    olds = np.ascontiguousarray(to_rows(old, axes, np))
    places = list(block_slices(olds.shape))
    if len(after.blocks) != len(places) * (2 if way == MOVED else 1):
        raise ValueError(f"{len(after.blocks)} blocks for {after.path}, which has {len(places)}")
    news = np.empty_like(olds)
    if way == MOVED:
        for place in places:
            news[place] = _decode_moves(olds[place], next(blocks), next(blocks), codec)
    else:
        masked, base = _base(before, initial) != olds, _base(after, initial)
        for place in places:
            toggled = decode_bits(next(blocks), olds[place].size, codec).reshape(olds[place].shape)
            news[place] = np.where(masked[place] != toggled, changed_to(after.how, base[place]), base[place])
    return from_rows(news, after.shape, axes, np)


def _encode_moves(olds: np.ndarray, news: np.ndarray, codec: str) -> tuple[bytes, bytes]:
    changed = olds != news
    return (
        encode_bits(changed.ravel(), codec),
        encode_arrangements(order_words(news[changed]), changed.sum(axis=1), codec),
    )


def _decode_moves(olds: np.ndarray, places: bytes, order: bytes, codec: str) -> np.ndarray:
    changed = decode_bits(places, olds.size, codec).reshape(olds.shape)
    lengths = changed.sum(axis=1)
    in_order = sort_sequences(order_words(olds[changed]), lengths)
    news = olds.copy()
    news[changed] = unorder_words(decode_arrangements(order, in_order, lengths, codec))
    return news


def _base(entry: Entry, initial: np.ndarray) -> np.ndarray:
    """The rows that a mask or signs are applied to."""
    if entry.how == RESCALED:
        initial = bits_of(rescaled(initial.view(numpy_dtype(entry.dtype)), entry.factor, entry.divides))
    return np.ascontiguousarray(to_rows(initial, entry.axes or (), np))
