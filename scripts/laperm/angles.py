"""A regression: by which angle an image has been rotated."""

import dataclasses

import keras
import numpy as np

from scripts.data.affine import affine
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.task import Regression

LARGEST_ANGLE = 45  # degrees, either way; the unit of targets, answers and errors
DEVIATION = LARGEST_ANGLE / np.sqrt(3)  # degrees, of a uniform angle: the error of the answer 0 to every image
_AT_ONCE = 1000


@dataclasses.dataclass(frozen=True)
class AngleImages(Images):
    """Images with their angles as labels, as fractions of 45 degrees.

    Every image, also of the test set, is rotated once and for all, by an angle drawn uniformly and independently of the
    seed of the run.
    """

    def load(self, directory):
        """The images, rotated, with their angles."""
        loaded = super().load(directory)
        parts = {}
        for number, part in enumerate(("train", "val", "test")):
            parts[f"x_{part}"], parts[f"y_{part}"] = rotated(getattr(loaded, f"x_{part}"), number)
        return dataclasses.replace(loaded, **parts)


@dataclasses.dataclass(frozen=True)
class AngleNetwork(Network):
    """One of the classifiers with a single linear output in place of the softmax."""

    def build(self, loaded, seed):
        """The classifier with another last layer, called `angle`."""
        classifier = super().build(loaded, seed)
        last = classifier.layers[-1]
        config = {**last.get_config(), "name": "angle", "units": 1, "activation": "linear"}
        output = type(last).from_config(config)(last.input)
        return keras.Model(classifier.input, output, name=classifier.name)


@dataclasses.dataclass(frozen=True)
class AngleRegression(Regression):
    """By which angle an image has been rotated."""


def asked_for_angles(training):
    """The same training with the angles of rotated images in place of classes."""
    return dataclasses.replace(
        training,
        data=AngleImages(**vars(training.data)),
        network=AngleNetwork(**vars(training.network)),
        task=AngleRegression(),
    )


def rotated(images, seed):
    """Rotate images by uniform random angles of at most 45 degrees.

    Args:
        images: array, shape (n, height, width, channels).
        seed: int.

    Returns:
        Pair of float32 arrays: images of the same shape; and angles, fractions of 45 degrees, shape (n,), positive for
        counterclockwise.

    Example:

    >>> images, angles = rotated(np.ones((5, 8, 8, 1), "float32"), seed=0)
    >>> images.shape, bool((abs(angles) <= 1).all())
    ((5, 8, 8, 1), True)
    """
    angles = np.random.default_rng(seed).uniform(-1, 1, len(images)).astype("float32")
    turned = np.empty_like(images)
    for start in range(0, len(images), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        turned[some] = keras.ops.convert_to_numpy(affine(images[some], rotation=LARGEST_ANGLE * angles[some]))
    return turned, angles
