"""What a training is given to learn: which images, how many, scaled and augmented how. Declared, and loaded later."""

import dataclasses

from scripts.data.augmentation import Augmentation
from scripts.data.datasets import SCALINGS, load
from scripts.data.sources import SHAPES
from scripts.running.choices import check_choice


@dataclasses.dataclass(frozen=True)
class Images:
    """A data set as one training sees it.

    Args:
        name: str, as in `scripts.data.datasets.load`, and so are all others but the last.
        scaling: Defaults to `"unit"`.
        validation: int, training images held out for the curve; with 0 the curve is of the test set, and nothing may be
            chosen by it. Defaults to 0.
        limit: int or None, only so many training images. Defaults to None: all.
        balanced: bool, as many images of each class. Defaults to `False`.
        skip: int, training images to pass over before those. Defaults to 0.
        augmentation: `Augmentation` of the training images, or None.
    """

    name: str
    scaling: str = "unit"
    validation: int = 0
    limit: int | None = None
    balanced: bool = False
    skip: int = 0
    augmentation: Augmentation | None = None

    def __post_init__(self):
        """Refuse what no data set has."""
        check_choice("name", self.name, SHAPES)
        check_choice("scaling", self.scaling, SCALINGS)

    def load(self, directory):
        """The images: a `scripts.data.datasets.Dataset` from the folder of data sets, or from Keras' cache for None."""
        return load(
            self.name,
            directory,
            scaling=self.scaling,
            validation=self.validation,
            limit=self.limit,
            balanced=self.balanced,
            skip=self.skip,
        )
