"""Random rotation, shift, zoom and flip of images."""

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
