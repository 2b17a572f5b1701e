"""Random rotation, shift, zoom and flip of images."""

import dataclasses
import math

import keras
import numpy as np

from scripts.data.route import as_float32, moved, uniform


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Random rotation, shift, zoom and flip of images, all in one affine map about the image centre.

    The meaning is that of Keras' `ImageDataGenerator`, which LaPerm's authors used: each number is drawn uniformly and
    independently for each image, each output pixel looks up one place in the input (`scripts.data.affine.affine` has
    the formula), the value there is interpolated bilinearly, and a place outside the image has the value of the nearest
    edge pixel.

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
    >>> tuple(augmentation(images, seed=(0, 1)).shape)
    (50, 32, 32, 3)

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
            A dictionary by the names of the arguments of `affine`, float32 of shape `(count,)`: tensors under
            TensorFlow, which draws other numbers than NumPy, and arrays under any other backend.

        Example:

        >>> sorted(Augmentation(rotation=10).draw(3, seed=(0, 0)))
        ['flip', 'height_shift', 'height_zoom', 'rotation', 'width_shift', 'width_zoom']
        """
        drawn = uniform(6, count, seed)
        return {
            "rotation": self.rotation * drawn[0],
            "width_shift": self.width_shift * drawn[1],
            "height_shift": self.height_shift * drawn[2],
            "width_zoom": 1.0 + self.zoom * drawn[3],
            "height_zoom": 1.0 + self.zoom * drawn[4],
            "flip": as_float32(drawn[5] < 0.0) * float(self.horizontal_flip),
        }

    def __call__(self, images, seed):
        """Return a batch of images, each changed by a draw of its own.

        Args:
            images: Shape `(n, height, width, channels)`.
            seed: Two integers: the same give the same images.

        Returns:
            Images of the same shape, float32: a tensor under TensorFlow, and an array under any other backend.
        """
        images = as_float32(images)
        return moved(images, **self.draw(keras.ops.shape(images)[0], seed))
