"""Random numbers, changed images and batches where TensorFlow is not the backend: NumPy, in threads of its own."""

import collections
import concurrent.futures
import itertools
import math

import numpy as np

from scripts.data.affine import affine_of_arrays as moved

__all__ = ["as_float32", "batches", "moved", "uniform"]

_AHEAD = 4  # batches for each thread that are made before they are asked for


def as_float32(values):
    """An array."""
    return np.asarray(values, "float32")


def uniform(rows, count, seed):
    """Numbers from -1 to 1, from two integers alone: an array of shape `(rows, count)`, float32.

    >>> uniform(6, 3, seed=(0, 1)).shape
    (6, 3)
    """
    # Of 24 bits, so that float32 holds them all, and the highest is below 1.
    return (_generator(*seed).integers(-(2**23), 2**23, (rows, count)) / 2**23).astype("float32")


def _generator(seed, number):
    """A generator that is keyed by the two integers, each taken as 64 bits: no state is carried from draw to draw."""
    return np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, number % 2**64], "uint64")))


def batches(x, y, batch_size, augmentation, *, seed, shuffle, first_epoch, threads=1):
    """As `scripts.data.batches.pipeline`: an endless generator of pairs of arrays.

    A thread makes batches ahead, and a batch is the same whichever thread makes it. More threads are slower: NumPy
    holds Python's lock between its many short calls (3.4 ms a batch of two threads, 0.5 ms of one, 50 images of MNIST).
    """
    x, y = np.asarray(x), np.asarray(y)

    def batch(step, indices):
        examples = x[indices].astype("float32")
        if augmentation is not None:
            examples = augmentation(examples, (seed, step))
        return examples, y[indices]

    def in_order():
        pool = concurrent.futures.ThreadPoolExecutor(threads, "batches")
        numbered = _numbered_indices(len(x), batch_size, seed, shuffle, first_epoch)
        waiting = collections.deque(pool.submit(batch, *each) for each in itertools.islice(numbered, _AHEAD * threads))
        try:
            while True:
                waiting.append(pool.submit(batch, *next(numbered)))
                yield waiting.popleft().result()
        finally:  # whoever took the batches is gone
            pool.shutdown(wait=False, cancel_futures=True)

    return in_order()


def _numbered_indices(count, batch_size, seed, shuffle, first_epoch):
    """Pairs of the number of a step and the indices of its examples, without end."""
    steps = math.ceil(count / batch_size)
    for epoch in itertools.count(first_epoch):
        # Steps are 0, 1, 2, ...: the epochs take the negative numbers, so that no two draws share a key.
        order = _generator(seed, -1 - epoch).permutation(count) if shuffle else np.arange(count)
        for position in range(steps):
            yield epoch * steps + position, order[position * batch_size : (position + 1) * batch_size]
