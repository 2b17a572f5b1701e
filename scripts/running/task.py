"""What a network is asked: the loss, the metrics, and how it is evaluated on the test set."""

import dataclasses
import typing

import keras


@dataclasses.dataclass(frozen=True)
class Classification:
    """Which class an image is of.

    Args:
        metrics: tuple of str, the names of Keras' metrics. Defaults to the accuracy.
        evaluations: int, of how many evaluations of the test set the mean is taken, for a network that answers at
            random. Defaults to 1.
    """

    metrics: tuple = ("accuracy",)
    evaluations: int = 1

    loss: typing.ClassVar = "sparse_categorical_crossentropy"
    scores: typing.ClassVar = ("accuracy", "loss")  # of the test set, the first for tables

    def compiled_metrics(self):
        """New metrics for `compile`."""
        return list(self.metrics)

    def sync_metrics(self):
        """New metrics for `SyncEvaluation`, or None for its own."""
        return None


@dataclasses.dataclass(frozen=True)
class Regression:
    """Which number is asked for: trained on the squared error and evaluated by its root."""

    loss: typing.ClassVar = "mse"
    scores: typing.ClassVar = ("error", "loss")
    evaluations: typing.ClassVar = 1

    def compiled_metrics(self):
        """The root of the mean squared error."""
        return [keras.metrics.RootMeanSquaredError(name="error")]

    def sync_metrics(self):
        """The same."""
        return self.compiled_metrics()
