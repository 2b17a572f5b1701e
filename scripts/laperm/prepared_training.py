"""A training by LaPerm, Lookahead or a plain optimizer that is ready to start."""

import math

import numpy as np

from scripts.laperm.snapshots import SavedSnapshots
from scripts.running.best_epoch import BestEpoch, has_best
from scripts.running.earlier_run import earlier_run
from scripts.running.prepared import Prepared
from scripts.running.train_accuracy import TrainAccuracy, random_images
from train_by_reconnect import (
    KeepZeros,
    RankingMonitor,
    SyncEvaluation,
    SyncPeriodScheduler,
    profile_similarity,
    shuffle_weight_vectors,
)
from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.weights.layouts import describe_variables


class PreparedTraining(Prepared):
    """A training of weights, with what LaPerm's experiments look at.

    Args:
        training: `scripts.laperm.training.Training`.
        model: `keras.Model`, to be compiled with `loss` and `metrics()`.
        loaded: `scripts.data.datasets.Dataset`.
        seed: int.
    """

    loss = "sparse_categorical_crossentropy"

    def __init__(self, training, model, loaded, seed):
        super().__init__(training, model, loaded, seed)
        self.augmentation = training.augmentation
        evaluated = {self.held_out: self.validation_data}
        if training.train_evaluation:
            evaluated["train"] = random_images(loaded.x_train, loaded.y_train, training.train_evaluation, seed)
        # The paper's accuracies of LaPerm are those after a synchronization; other optimizers have epochs only.
        if training.optimizer == "laperm":
            self.evaluation = SyncEvaluation(
                evaluated,
                self.sync_metrics(),
                every=training.evaluate_every,
                before=training.evaluate_before,
                compare=training.compare_answers,
            )
            self.validation_data = None
        self._train_images = evaluated.get("train")
        self._initial = self._weight_vectors()

    def metrics(self):
        """What is compiled: list of str or of `keras.metrics.Metric`."""
        return list(self.training.metrics)

    def sync_metrics(self):
        """What is evaluated at synchronizations: list of `keras.metrics.Metric`, or None for the accuracy."""
        return None

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
            watching.append(TrainAccuracy(*self._train_images, metric=self.scores[0]))
        if self.training.sync_period_follows_rate:
            watching.append(SyncPeriodScheduler(self.sync_period))
        if self.training.ranking_monitor is not None:
            watching.append(RankingMonitor(**self.training.ranking_monitor, folder=folder, log_dir=log_dir))
        if self.training.snapshots is not None:
            watching.append(SavedSnapshots(folder / "snapshots.npz", **self.training.snapshots))
        return watching

    def sync_period(self, epoch, now):
        """The k of an epoch: see `Training`."""
        first = self.training.optimizer_arguments["sync_period"]
        return round(first * self.learning_rate(0) / self.learning_rate(epoch))

    def _start_from(self, folder):
        """Take the best weights of a finished run, shuffled; a resumed run learns only what its initial ones were."""
        try:
            with has_best(self.model, folder):
                shuffle_weight_vectors(self.model, seed=self.seed)
                self._initial, shuffled = self._weight_vectors(), self.model.get_weights()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                "`starts_from` must be a training with `keep_best`. Received: starts_from="
                f"{self.training.starts_from!r}, which has left none in {folder}. Declare it so and run it again."
            ) from error
        if not int(self.model.optimizer.iterations):
            self.model.set_weights(shuffled)

    def summary(self):
        """What is known at the end, also of the weights: whether they are the initial ones, moved, and how similar."""
        values = {**super().summary(), "is_permutation": self.is_permutation(), "moved": self.moved()}
        if self.training.dissimilarity is not None:
            similarities = [profile_similarity(rows).plain for rows in self._initial if len(rows) > 1]
            values["initial_similarity"] = float(np.mean(similarities))
        return values

    def is_permutation(self):
        """Whether every weight vector still holds exactly its initial values.

        Returns:
            Bool.
        """
        pairs = zip(self._initial, self._weight_vectors(), strict=True)
        return all(np.array_equal(np.sort(a, axis=1), np.sort(b, axis=1)) for a, b in pairs)

    def moved(self):
        """What share of the weights of all kernels has another value than at first.

        Returns:
            Float from 0 to 1.
        """
        pairs = [*zip(self._initial, self._weight_vectors(), strict=True)]
        return sum(np.count_nonzero(a != b) for a, b in pairs) / sum(a.size for a, _ in pairs)

    def _weight_vectors(self):
        kernels = self.model.trainable_variables
        return [
            to_rows(kernel.numpy(), layout.unit_axes, np)
            for kernel, layout in zip(kernels, describe_variables(kernels), strict=True)
            if layout.kind == "kernel"
        ]
