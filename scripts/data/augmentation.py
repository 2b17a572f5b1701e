"""Batches of images for training: shuffled anew each epoch, augmented, and the same after a restart."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Random rotation, shift, zoom and flip of images, all in one affine map about the image centre.

    The meaning is that of Keras' `ImageDataGenerator`, which LaPerm's authors used: each number is drawn uniformly and
    independently for each image, each output pixel looks up one place in the input (`affine` has the formula), the
    value there is interpolated bilinearly, and a place outside the image has the value of the nearest edge pixel.

    Unlike in `ImageDataGenerator`, `width_shift` moves along the width, and the centre is that of the image. There
    `width_shift_range` moves images along the height, and the reverse, and the centre of an image that is not square
    has its two coordinates swapped. For square images and equal ranges, as in the paper, the two draw alike.

    Args:
        rotation: Largest angle either way, in degrees, from 0 to 180. Defaults to 0.
        width_shift: Largest horizontal shift either way, as a fraction of the width, from 0 to 1. Defaults to 0.
        height_shift: Largest vertical shift either way, as a fraction of the height, from 0 to 1. Defaults to 0.
        zoom: Width and height are each scaled by a factor from `1 - zoom` to `1 + zoom`, at least 0 and below 1.
            Defaults to 0.
        horizontal_flip: Whether to mirror left and right, with probability one half. Defaults to `False`.

    Raises:
        ValueError: A range is not a number within its limits.

    Example:

    >>> augmentation = Augmentation(rotation=15, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
    >>> images = np.random.default_rng(0).random((50, 32, 32, 3))
    >>> augmentation(images, seed=(0, 1)).shape
    TensorShape([50, 32, 32, 3])

    Reference:

    - Qiu and Suda, 2020, A.5.2 (MNIST: rotation 10, shifts 0.1, zoom 0.1) and A.5.3 (CIFAR-10: as above)
    """

    rotation: float = 0.0
    width_shift: float = 0.0
    height_shift: float = 0.0
    zoom: float = 0.0
    horizontal_flip: bool = False

    def __post_init__(self):
        for name, high, allowed in (
            ("rotation", 180, "a number of degrees from 0 to 180"),
            ("width_shift", 1, "a fraction of the width from 0 to 1"),
            ("height_shift", 1, "a fraction of the height from 0 to 1"),
            ("zoom", math.nextafter(1, 0), "a fraction of the size, at least 0 and below 1"),
        ):
            value = getattr(self, name)
            if not isinstance(value, (int, float, np.number)) or not 0 <= value <= high:
                raise ValueError(f"`{name}` must be {allowed}. Received: {name}={value!r}")
        if not isinstance(self.horizontal_flip, (bool, np.bool_)):
            raise ValueError(f"`horizontal_flip` must be a bool. Received: horizontal_flip={self.horizontal_flip!r}")

    def draw(self, count, seed):
        """Draw the arguments of `affine` for `count` images.

        Args:
            count: Number of images.
            seed: Two integers: the same give the same draw, on any device.

        Returns:
            A dictionary of tensors of shape `(count,)`, float32, by the names of the arguments of `affine`.

        Example:

        >>> sorted(Augmentation(rotation=10).draw(3, seed=(0, 0)))
        ['flip', 'height_shift', 'height_zoom', 'rotation', 'width_shift', 'width_zoom']
        """
        uniform = tf.unstack(tf.random.stateless_uniform((6, count), seed, minval=-1.0, alg="philox"))
        return {
            "rotation": self.rotation * uniform[0],
            "width_shift": self.width_shift * uniform[1],
            "height_shift": self.height_shift * uniform[2],
            "width_zoom": 1.0 + self.zoom * uniform[3],
            "height_zoom": 1.0 + self.zoom * uniform[4],
            "flip": tf.cast(uniform[5] < 0.0, "float32") * float(self.horizontal_flip),
        }

    def __call__(self, images, seed):
        """Return a batch of images, each changed by a draw of its own.

        Args:
            images: Shape `(n, height, width, channels)`.
            seed: Two integers: the same give the same images.

        Returns:
            Images of the same shape, float32.
        """
        images = tf.cast(images, "float32")
        return affine(images, **self.draw(tf.shape(images)[0], seed))


def affine(images, *, rotation=0.0, width_shift=0.0, height_shift=0.0, width_zoom=1.0, height_zoom=1.0, flip=0.0):
    """Rotate, shift, zoom and flip images in one interpolation.

    The output at `(column, row)`, counted from the image centre, is the input at

        R(rotation) ((width_shift * width, height_shift * height) + (±width_zoom * column, height_zoom * row))

    with minus where the image is flipped. So a positive rotation turns the content counterclockwise, a positive shift
    moves it left and up, and a zoom above 1 makes it smaller.

    Args:
        images: Shape `(n, height, width, channels)`.
        rotation: Degrees. This and the following are one number for all images or one for each, shape `(n,)`.
        width_shift: Fraction of the width.
        height_shift: Fraction of the height.
        width_zoom: Factor.
        height_zoom: Factor.
        flip: 1 to mirror left and right, 0 not to.

    Returns:
        Images of the same shape, float32.

    Example:

    >>> image = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    >>> affine(image, rotation=90)[0, :, :, 0].numpy().round(3)
    array([[2., 4.],
           [1., 3.]], dtype=float32)
    """
    images = tf.cast(images, "float32")
    height, width = images.shape[1:3]
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    angle = tf.cast(rotation, "float32") * (math.pi / 180)
    cos, sin = tf.cos(angle), tf.sin(angle)
    zoom_x, zoom_y = width_zoom * (1.0 - 2.0 * tf.cast(flip, "float32")), height_zoom
    shift_x, shift_y = width_shift * width, height_shift * height
    x_from_x, x_from_y = cos * zoom_x, -sin * zoom_y
    y_from_x, y_from_y = sin * zoom_x, cos * zoom_y
    x_offset = cos * shift_x - sin * shift_y + center_x - x_from_x * center_x - x_from_y * center_y
    y_offset = sin * shift_x + cos * shift_y + center_y - y_from_x * center_x - y_from_y * center_y
    rows = [x_from_x, x_from_y, x_offset, y_from_x, y_from_y, y_offset, 0.0, 0.0]
    transforms = tf.stack([tf.broadcast_to(tf.cast(row, "float32"), tf.shape(images)[:1]) for row in rows], axis=1)
    return keras.ops.image.affine_transform(
        images, transforms, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )


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

    The examples are held in memory once more, as a tensor. The cheapest are `uint8` images; they are not scaled here.

    Args:
        x: Examples, shape `(n, ...)`; with `augmentation`, images of shape `(n, height, width, channels)`.
        y: Labels, shape `(n, ...)`.
        batch_size: Number of examples a batch, at least 1.
        augmentation: An `Augmentation`, or `None` for the examples as they are. Defaults to `None`.
        seed: Integer from which all orders and augmentations are drawn.
        shuffle: Whether to draw a new order for every epoch. Defaults to `True`; `False` keeps that of `x`.
        first_epoch: Number of epochs to leave out, at least 0. Defaults to 0.

    Returns:
        An endless `tf.data.Dataset` of pairs: float32 of shape `(batch, ...)` and labels of the dtype of `y`.

    Raises:
        ValueError: An argument is out of range, or `x` and `y` do not fit each other.

    Example:

    >>> x, y = np.zeros((10, 28, 28, 1)), np.arange(10)
    >>> batches = pipeline(x, y, 4, Augmentation(rotation=10, zoom=0.1), seed=0)
    >>> [images.shape[0] for images, _ in batches.take(6)]
    [4, 4, 2, 4, 4, 2]
    """
    _check_integer("batch_size", batch_size, 1)
    _check_integer("first_epoch", first_epoch, 0)
    _check_integer("seed", seed, -(2**63))
    if not isinstance(augmentation, (Augmentation, type(None))):
        raise ValueError(
            f"`augmentation` must be an `Augmentation`, or `None` for none. Received: augmentation={augmentation!r}"
        )
    with tf.device("CPU:0"):
        x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    if not x.shape.rank or not y.shape.rank or x.shape[0] != y.shape[0] or not x.shape[0]:
        raise ValueError(
            "`x` and `y` must hold the same number of examples, at least 1. "
            f"Received: x.shape={tuple(x.shape)}, y.shape={tuple(y.shape)}"
        )
    if augmentation is not None and x.shape.rank != 4:
        raise ValueError(
            "`x` must be images of shape (n, height, width, channels) for `augmentation`. "
            f"Received: x.shape={tuple(x.shape)}. Reshape the images, or pass `augmentation=None`."
        )
    count = x.shape[0]
    steps = math.ceil(count / batch_size)
    batch_shape = [None if count % batch_size else batch_size]

    def numbered_indices(epoch):
        order = tf.range(count)
        if shuffle:
            # Steps are 0, 1, 2, ...: the epochs take the negative numbers, so that no two draws share a seed.
            order = tf.random.experimental.stateless_shuffle(order, [seed, -1 - epoch], alg="philox")

        def batch_indices(position):
            indices = order[position * batch_size : (position + 1) * batch_size]
            return epoch * steps + position, tf.ensure_shape(indices, batch_shape)

        return tf.data.Dataset.range(steps).map(batch_indices)

    def batch(step, indices):
        examples = tf.cast(tf.gather(x, indices), "float32")
        if augmentation is not None:
            examples = augmentation(examples, [seed, step])
        return examples, tf.gather(y, indices)

    return (
        tf.data.Dataset.counter(first_epoch)
        .flat_map(numbered_indices)
        .map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def _check_integer(name, value, low):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value < 2**63:
        raise ValueError(f"`{name}` must be an integer, at least {low}. Received: {name}={value!r}")
