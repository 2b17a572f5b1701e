"""A network as its authors published it, evaluated on the way that our own runs take."""

import dataclasses

import keras

from models.published import PUBLISHED, load_published
from scripts.data import datasets as data
from scripts.publishing.results import collect
from scripts.running.prepared import Prepared
from scripts.running.train_accuracy import random_images

EXPERIMENT_NAME = "laperm_published"


@dataclasses.dataclass(frozen=True)
class PublishedNetwork:
    """Published weights in place of a training: the runner trains them for no epoch and evaluates them.

    Args:
        label: str, the name of its line.
        network: str, as in `models.published.load_published`; its file is to lie in the folder of data sets.
        dataset: str, as in `scripts.data.datasets.load`.
        train_evaluation: int, how many training images, drawn once, are evaluated. Defaults to 5000.
    """

    label: str
    network: str
    dataset: str
    train_evaluation: int = 5000
    # What the runner asks of any training.
    epochs: int = 0
    batch_size: int = 50
    validation: int = 0
    learning_rate: float = 0.0

    def prepare(self, seed, directory=None, *, jit=False):
        """Load the weights and the images, scaled as the authors did.

        Args:
            seed: int, of the choice of training images.
            directory: folder of the data sets and of the weights.
            jit: bool, whether to compile with XLA. Defaults to `False`.

        Returns:
            `PreparedNetwork`.

        Raises:
            FileNotFoundError: the weights are not in `directory`.
        """
        keras.utils.set_random_seed(seed)
        model = load_published(self.network, directory or ".")
        loaded = data.load(self.dataset, directory, scaling=PUBLISHED[self.network].scaling)
        model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit or "auto")
        return PreparedNetwork(self, model, loaded, seed)


class PreparedNetwork(Prepared):
    """Published weights that are ready to be evaluated."""

    def summary(self):
        """The accuracies. Which training images its authors held out is not known."""
        x, y = random_images(self.loaded.x_train, self.loaded.y_train, self.training.train_evaluation, self.seed)
        train = self.model.evaluate(x, y, batch_size=1000, verbose=0, return_dict=True)
        return {**super().summary(), "train_accuracy": train["accuracy"]}


def published_networks(curves, labels):
    """Those of the published networks that have been evaluated beside some runs, in the same folder of results.

    Args:
        curves: list of `scripts.publishing.results.Curve`, the runs of an experiment.
        labels: tuple of str, which of them.

    Returns:
        List of `Curve`.
    """
    folder = curves[0].folder
    if folder is None or not labels:
        return []
    try:
        found = collect(EXPERIMENT_NAME, "paper", folder.parents[4])
    except FileNotFoundError:
        return []
    return [curve for curve in found if curve.label in labels]
