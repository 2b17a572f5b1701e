"""The accuracy on training images that the networks see as they are: without dropout and without augmentation."""

import keras
import numpy as np


def random_images(x, y, count, seed):
    """Some of the images, the same ones for the same seed.

    Args:
        x: array of images.
        y: array of labels.
        count: int, how many.
        seed: int.

    Returns:
        Pair of arrays.

    Raises:
        ValueError: there are not so many.

    Example:

    >>> random_images(np.arange(10), np.arange(10), 3, seed=0)
    (array([5, 9, 6]), array([5, 9, 6]))
    """
    if count > len(x):
        raise ValueError(
            f"`train_evaluation` is at most the number of training images, {len(x):,}. Received: "
            f"train_evaluation={count}. Pass fewer."
        )
    chosen = np.random.default_rng(seed).choice(len(x), count, replace=False)
    return x[chosen], y[chosen]


class TrainAccuracy(keras.callbacks.Callback):
    """Evaluate some training images after every epoch, and report it as `train_accuracy`, or as another metric.

    What Keras itself reports as `accuracy` is a mean over the epoch, with dropout and of augmented images.

    Args:
        x: array of images.
        y: array of labels.
        metric: str, the name of a compiled metric. Defaults to `"accuracy"`.
    """

    def __init__(self, x, y, metric="accuracy"):
        super().__init__()
        self.x, self.y, self.metric = x, y, metric

    def on_epoch_end(self, epoch, logs=None):
        """Add it to the logs."""
        if logs is not None:
            values = self.model.evaluate(self.x, self.y, batch_size=1000, verbose=0, return_dict=True)
            logs[f"train_{self.metric}"] = values[self.metric]
