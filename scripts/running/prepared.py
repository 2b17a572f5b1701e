"""A declared training that is ready to start: the model, the batches, what watches, and what is known at the end."""

import math
import statistics

from scripts.data.batches import pipeline
from scripts.running.distribution import can_make_several_steps

_MOST_STEPS_AT_ONCE = 100


def steps_at_once(steps_per_epoch, sync_period=None):
    """How many steps a compiled call should make: so many that they divide an epoch, and k, if there is one.

    A small network is trained faster than Keras can call its step.

    >>> steps_at_once(400), steps_at_once(40, sync_period=20)
    (100, 20)
    """
    steps = math.gcd(steps_per_epoch, sync_period or steps_per_epoch)
    return max(n for n in range(1, _MOST_STEPS_AT_ONCE + 1) if steps % n == 0)


class Prepared:
    """What the runner needs of any training, whatever trains in it.

    Args:
        training: `scripts.running.training.Training`.
        model: `keras.Model`, compiled before `observe`.
        loaded: `scripts.data.datasets.Dataset`.
        seed: int.
        directory: the folder of data sets, or None.
        folder: `pathlib.Path` of the run, or None where nothing is to be written.
        log_dir: path for the logs of TensorBoard, or None.
    """

    def __init__(self, training, model, loaded, seed, directory=None, folder=None, log_dir=None):
        self.training, self.model, self.loaded, self.seed = training, model, loaded, seed
        self.directory, self.folder, self.log_dir = directory, folder, log_dir
        self.steps_per_epoch = math.ceil(len(loaded.x_train) / training.batch_size)
        self.epochs = training.epochs
        self.held_out = "val" if training.data.validation else "test"
        held_out = (loaded.x_val, loaded.y_val) if training.data.validation else (loaded.x_test, loaded.y_test)
        self.validation_data = held_out
        self.evaluation, self.callbacks, self._observations = None, [], []

    def observe(self):
        """Let everything that is declared watch from here on."""
        self._observations = [observer.observe(self) for observer in self.training.observers]
        self.evaluation, watching = self.training.evaluation.callbacks(self)
        self.callbacks = [*watching, *(each for observed in self._observations for each in observed.callbacks)]
        if self.evaluation is not None:
            self.validation_data = None

    def part_done(self, epoch, batch):
        """Which part of all its steps a run has made after a batch, both counted from 0."""
        return (epoch * self.steps_per_epoch + batch + 1) / (self.epochs * self.steps_per_epoch)

    def compiled_steps(self):
        """How many steps a call of the compiled train step makes; one where nothing else works."""
        if not self.training.steps_at_once or not can_make_several_steps():
            return 1
        return steps_at_once(self.steps_per_epoch, self.training.optimizer.sync_period)

    def batches(self, first_epoch):
        """The training data from an epoch on, without end: as of `scripts.data.batches.pipeline`."""
        images, labels, training = self.loaded.x_train, self.loaded.y_train, self.training
        options = {"seed": self.seed, "first_epoch": first_epoch}
        return pipeline(images, labels, training.batch_size, training.data.augmentation, **options)

    def learning_rate(self, epoch):
        """The learning rate of an epoch, counted from 0."""
        return self.training.optimizer.rate(epoch, self.epochs)

    def summary(self):
        """What is known at the end, as dict of numbers: the test set is looked at here, once."""
        values = self.evaluate_test()
        summary = {
            **{f"test_{name}": values[name] for name in self.training.task.scores},
            "test_images": len(self.loaded.x_test),
            "train_images": len(self.loaded.x_train),
        }
        for observed in self._observations:
            summary |= observed.summary()
        return summary

    def evaluate_test(self):
        """Evaluate the model as it is on the test set: dict of numbers, as of `evaluate`."""
        x, y = self.loaded.x_test, self.loaded.y_test
        options = {"batch_size": 1000, "verbose": 0, "return_dict": True}
        each = [self.model.evaluate(x, y, **options) for _ in range(self.training.task.evaluations)]
        return {name: statistics.mean(values[name] for values in each) for name in each[0]}
