"""The weights that LaPerm's authors published, evaluated on the way that our own runs take."""

import dataclasses

from models.published import PUBLISHED, load_published
from scripts.publishing.curves import collect
from scripts.running.choices import check_choice
from scripts.running.evaluation import random_images
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Observation
from scripts.running.training import Training

_EXPERIMENT = "laperm_published"


@dataclasses.dataclass(frozen=True)
class PublishedWeights:
    """Take the weights from the authors' file, which is to lie in the folder of data sets.

    Args:
        name: str, of `models.published.PUBLISHED`.
    """

    name: str

    def __post_init__(self):
        """Refuse what they have not published."""
        check_choice("name", self.name, PUBLISHED)

    def apply(self, prepared):
        """Load the weights; a FileNotFoundError says where the file is to be had."""
        published = load_published(self.name, prepared.directory or ".")
        prepared.model.set_weights(published.get_weights())


@dataclasses.dataclass(frozen=True)
class FinalTrainAccuracy:
    """At the end, the accuracy on some training images, drawn once. Which of them the authors held out is not known."""

    images: int = 5000

    def observe(self, prepared):
        """Draw the images."""
        loaded = prepared.loaded
        x, y = random_images(loaded.x_train, loaded.y_train, self.images, prepared.seed)

        def summary():
            values = prepared.model.evaluate(x, y, batch_size=1000, verbose=0, return_dict=True)
            return {"train_accuracy": values["accuracy"]}

        return Observation(summary=summary)


def published_network(name):
    """A `Training` of no epoch: the network with the published weights, and images scaled as the authors did."""
    published = PUBLISHED[name]
    builder = published.builder.__name__
    return Training(
        f"the authors' {name}",
        Images("cifar10" if builder == "resnet50" else "mnist", scaling=published.scaling),
        Network(builder),
        epochs=0,
        batch_size=50,
        initial_weights=(PublishedWeights(name),),
        observers=(FinalTrainAccuracy(),),
    )


def published_beside(curves, names):
    """The runs of some published networks that have been evaluated into the same folder of results as other runs."""
    folder = curves[0].folder
    if folder is None or not names:
        return []
    try:
        found = collect(_EXPERIMENT, "paper", folder.parents[4])
    except FileNotFoundError:
        return []
    return [curve for curve in found if curve.training.part(PublishedWeights).name in names]
