"""A training by LaPerm, Lookahead or a plain optimizer that is ready to start."""

import math

import numpy as np

from scripts.best_epoch import BestEpoch, has_best
from scripts.earlier_run import earlier_run
from scripts.prepared import Prepared
from scripts.snapshots import SavedSnapshots
from scripts.train_accuracy import TrainAccuracy, random_images
from train_by_reconnect import KeepZeros, RankingMonitor, SyncEvaluation, shuffle_weight_vectors
from train_by_reconnect.rows import to_rows
from train_by_reconnect.weight_vectors import describe_variables


class PreparedTraining(Prepared):
    """A training of weights, with what LaPerm's experiments look at.

    Args:
        training: `scripts.training.Training`.
        model: compiled `keras.Model`.
        loaded: `scripts.data.Dataset`.
        seed: int.
    """

    def __init__(self, training, model, loaded, seed):
        super().__init__(training, model, loaded, seed)
        self.augmentation = training.augmentation
        evaluated = {self.held_out: self.validation_data}
        if training.train_evaluation:
            evaluated["train"] = random_images(loaded.x_train, loaded.y_train, training.train_evaluation, seed)
        # The paper's accuracies of LaPerm are those after a synchronization; other optimizers have epochs only.
        if training.optimizer == "laperm":
            self.evaluation = SyncEvaluation(evaluated, every=training.evaluate_every, before=training.evaluate_before)
            self.validation_data = None
        self._train_images = evaluated.get("train")
        self._initial = self._sorted_weight_vectors()

    def learning_rate(self, epoch):
        """The learning rate of an epoch: see `Training`."""
        divisors = [divisor for drop, divisor in self.training.learning_rate_drops.items() if drop <= epoch]
        return self.training.learning_rate * self.training.learning_rate_decay**epoch / math.prod(divisors)

    def callbacks(self, folder, log_dir=None):
        """What the training declares; a run that starts from another one gets its weights here."""
        watching = []
        if self.training.starts_from is not None:
            self._start_from(earlier_run(folder, self.training.starts_from, self.seed))
        if self.training.keep_zeros:
            watching.append(KeepZeros())
        if self.training.keep_best:
            watching.append(BestEpoch(folder, f"{self.held_out}_accuracy"))
        if self._train_images is not None and self.evaluation is None:
            watching.append(TrainAccuracy(*self._train_images))
        if self.training.ranking_monitor is not None:
            watching.append(RankingMonitor(**self.training.ranking_monitor, folder=folder, log_dir=log_dir))
        if self.training.snapshots is not None:
            watching.append(SavedSnapshots(folder / "snapshots.npz", **self.training.snapshots))
        return watching

    def _start_from(self, folder):
        """Take the best weights of a finished run, shuffled; a resumed run learns only what its initial ones were."""
        try:
            with has_best(self.model, folder):
                shuffle_weight_vectors(self.model, seed=self.seed)
                self._initial, shuffled = self._sorted_weight_vectors(), self.model.get_weights()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                "`starts_from` must be a training with `keep_best`. Received: starts_from="
                f"{self.training.starts_from!r}, which has left none in {folder}. Declare it so and run it again."
            ) from error
        if not int(self.model.optimizer.iterations):
            self.model.set_weights(shuffled)

    def summary(self):
        """What is known at the end, and whether the weights are a permutation of the initial ones."""
        return {**super().summary(), "is_permutation": self.is_permutation()}

    def is_permutation(self):
        """Whether every weight vector still holds exactly its initial values.

        Returns:
            Bool.
        """
        now = self._sorted_weight_vectors()
        return all(np.array_equal(a, b) for a, b in zip(self._initial, now, strict=True))

    def _sorted_weight_vectors(self):
        kernels = self.model.trainable_variables
        return [
            np.sort(to_rows(kernel.numpy(), layout.unit_axes, np), axis=1)
            for kernel, layout in zip(kernels, describe_variables(kernels), strict=True)
            if layout.kind == "kernel"
        ]
