"""A declared training that is ready to start: what the runner needs of any, whatever trains in it."""

import math

from scripts.data import augmentation as augment

_MOST_STEPS_AT_ONCE = 100


def steps_at_once(images, batch_size):
    """How many steps a compiled call should make: a small network is trained faster than Keras can call its step.

    Args:
        images: int, the training images.
        batch_size: int.

    Returns:
        Int that divides the number of steps in an epoch.

    Example:

    >>> steps_at_once(10_000, 25)  # 400 steps
    100
    """
    steps = math.ceil(images / batch_size)
    return max(n for n in range(1, _MOST_STEPS_AT_ONCE + 1) if steps % n == 0)


class Prepared:
    """The model, the batches, the learning rate and what is known at the end.

    Args:
        training: a declared training, with `epochs`, `batch_size`, `validation` and `learning_rate`.
        model: compiled `keras.Model`.
        loaded: `scripts.data.datasets.Dataset`.
        seed: int.
    """

    augmentation = None
    scores = ("accuracy", "loss")  # of the test set, the first for tables

    def __init__(self, training, model, loaded, seed):
        self.training, self.model, self.loaded, self.seed = training, model, loaded, seed
        self.steps_per_epoch = math.ceil(len(loaded.x_train) / training.batch_size)
        self.epochs = training.epochs
        self.held_out = "val" if training.validation else "test"
        self.validation_data = (loaded.x_val, loaded.y_val) if training.validation else (loaded.x_test, loaded.y_test)
        self.evaluation = None

    def batches(self, first_epoch):
        """The training data from an epoch on.

        Args:
            first_epoch: int.

        Returns:
            Endless `tf.data.Dataset`.
        """
        return augment.pipeline(
            self.loaded.x_train,
            self.loaded.y_train,
            self.training.batch_size,
            self.augmentation,
            seed=self.seed,
            first_epoch=first_epoch,
        )

    def learning_rate(self, epoch):
        """The learning rate of an epoch.

        Args:
            epoch: int, from 0.

        Returns:
            Float.
        """
        return self.training.learning_rate

    def callbacks(self, folder, log_dir=None):
        """What watches the training, beside its evaluation.

        Args:
            folder: path, the folder of the run.
            log_dir: path for the logs of TensorBoard, or None.

        Returns:
            List of `keras.callbacks.Callback`.
        """
        return []

    def summary(self):
        """What is known at the end: the test set is looked at here, once.

        Returns:
            Dict of numbers.
        """
        values = self.evaluate_test()
        return {
            **{f"test_{name}": values[name] for name in self.scores},
            "test_images": len(self.loaded.x_test),
            "train_images": len(self.loaded.x_train),
        }

    def evaluate_test(self):
        """Evaluate the model as it is on the test set.

        Returns:
            Dict of numbers, as of `evaluate`.
        """
        return self.model.evaluate(self.loaded.x_test, self.loaded.y_test, batch_size=1000, verbose=0, return_dict=True)
