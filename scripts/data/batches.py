"""Batches of images for training: shuffled anew each epoch, augmented, and the same after a restart."""

import numpy as np

from scripts.data.augmentation import Augmentation
from scripts.data.route import batches


def pipeline(x, y, batch_size, augmentation=None, *, seed, shuffle=True, first_epoch=0):
    """Endless batches for `fit`, epoch after epoch, each a function of `seed` and its step number only.

    Every epoch has `ceil(n / batch_size)` batches, its last one smaller where `batch_size` does not divide `n`, and
    every example once. The order is drawn from `(seed, epoch)` and the augmentation from `(seed, step)`, with steps
    counted on over the epochs. So nothing depends on how many batches were taken before, nor on how many threads
    prepare them: with `first_epoch=e`, training that was stopped after `e` epochs goes on with the very batches it
    would have had. Give `fit` the number of steps, for the end of an epoch is not marked in the batches; its own
    `shuffle` has nothing left to do, and it warns unless told so:

        steps = math.ceil(len(x) / batch_size)
        batches = pipeline(x, y, batch_size, seed=0, first_epoch=e)
        model.fit(batches, steps_per_epoch=steps, initial_epoch=e, epochs=n, shuffle=False)

    Under TensorFlow the examples are held in memory once more, as a tensor. The cheapest are `uint8` images; they are
    not scaled here.

    Args:
        x: Examples, shape `(n, ...)`; with `augmentation`, images of shape `(n, height, width, channels)`.
        y: Labels, shape `(n, ...)`.
        batch_size: Number of examples a batch, at least 1.
        augmentation: An `Augmentation`, or `None` for the examples as they are. Defaults to `None`.
        seed: Integer from which all orders and augmentations are drawn.
        shuffle: Whether to draw a new order for every epoch. Defaults to `True`; `False` keeps that of `x`.
        first_epoch: Number of epochs to leave out, at least 0. Defaults to 0.

    Returns:
        Endless pairs of float32 of shape `(batch, ...)` and labels of the dtype of `y`: a `tf.data.Dataset` under
        TensorFlow, and a generator of arrays, made ahead by threads, under any other backend. The numbers that are
        drawn are not the same on both.

    Raises:
        ValueError: An argument is out of range, or `x` and `y` do not fit each other.

    Example:

    >>> x, y = np.zeros((10, 28, 28, 1)), np.arange(10)
    >>> endless = iter(pipeline(x, y, 4, Augmentation(rotation=10, zoom=0.1), seed=0))
    >>> [next(endless)[0].shape[0] for _ in range(6)]
    [4, 4, 2, 4, 4, 2]
    """
    _check_integer("batch_size", batch_size, 1)
    _check_integer("first_epoch", first_epoch, 0)
    _check_integer("seed", seed, -(2**63))
    if not isinstance(augmentation, (Augmentation, type(None))):
        raise ValueError(
            f"`augmentation` must be an `Augmentation`, or `None` for none. Received: augmentation={augmentation!r}"
        )
    shape, labels = np.shape(x), np.shape(y)
    if not shape or not labels or shape[0] != labels[0] or not shape[0]:
        raise ValueError(
            "`x` and `y` must hold the same number of examples, at least 1. "
            f"Received: x.shape={shape}, y.shape={labels}"
        )
    if augmentation is not None and len(shape) != 4:
        raise ValueError(
            "`x` must be images of shape (n, height, width, channels) for `augmentation`. "
            f"Received: x.shape={shape}. Reshape the images, or pass `augmentation=None`."
        )
    return batches(x, y, batch_size, augmentation, seed=seed, shuffle=shuffle, first_epoch=first_epoch)


def _check_integer(name, value, low):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value < 2**63:
        raise ValueError(f"`{name}` must be an integer, at least {low}. Received: {name}={value!r}")
