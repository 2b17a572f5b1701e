"""One training by LaPerm, Lookahead or a plain optimizer, declared as data and set up from it."""

import dataclasses
import math

import keras
import numpy as np

import models
from scripts import augment, data
from scripts.prepared import Prepared
from scripts.snapshots import SavedSnapshots
from train_by_reconnect import LaPerm, Lookahead, RankingMonitor, SyncEvaluation, share_value, sparsify
from train_by_reconnect.rows import to_rows
from train_by_reconnect.weight_vectors import describe_variables


@dataclasses.dataclass(frozen=True)
class Training:
    """What one curve of a figure needs to know; nothing in it is left to chance but the seed.

    Args:
        label: str, the name of the curve.
        model: str, a function of `models`.
        dataset: str, as in `scripts.data.load`.
        epochs: int.
        batch_size: int, examples a step.
        optimizer: `"laperm"`, `"lookahead"`, `"adam"` or `"sgd"`. The first two are around Adam. Defaults to
            `"laperm"`.
        optimizer_arguments: dict for `LaPerm` or `Lookahead`.
        model_arguments: dict for the model's function.
        scaling: str, as in `scripts.data.load`. Defaults to `"unit"`.
        learning_rate: float, of the first epoch. Defaults to 1e-3.
        learning_rate_decay: float, the factor after each epoch. Defaults to 1.
        learning_rate_drops: dict from an epoch, counted from 0, to the number by which the learning rate is divided
            from that epoch on; several drops multiply.
        augmentation: `scripts.augment.Augmentation` or None.
        sparsity: float, tuple with one for each kernel, or None: as in `train_by_reconnect.sparsify`.
        sparsity_method: as in `sparsify`. Defaults to `"exact"`.
        input_limit: as in `sparsify`. Defaults to 0.2.
        shared_value: float or None: the single value of all weights that are not zero.
        validation: int, training images held out for the curve; with 0 the curve is of the test set, and nothing
            may be chosen by it. Defaults to 0.
        train_limit: int or None, use only so many training images.
        evaluate_every: int, steps between evaluations: at the first synchronization after that many.
        evaluate_before: bool, evaluate just before a synchronization too. Defaults to `False`.
        metrics: tuple of str, the names of Keras' metrics. Defaults to the accuracy.
        ranking_monitor: dict of arguments for `train_by_reconnect.RankingMonitor`, whose files come into the folder of
            the run; or None.
        snapshots: dict of arguments for `train_by_reconnect.KernelSnapshots`, likewise; or None.
    """

    label: str
    model: str
    dataset: str
    epochs: int
    batch_size: int
    optimizer: str = "laperm"
    optimizer_arguments: dict = dataclasses.field(default_factory=dict)
    model_arguments: dict = dataclasses.field(default_factory=dict)
    scaling: str = "unit"
    learning_rate: float = 1e-3
    learning_rate_decay: float = 1.0
    learning_rate_drops: dict = dataclasses.field(default_factory=dict)
    augmentation: augment.Augmentation | None = None
    sparsity: float | tuple | None = None
    sparsity_method: str = "exact"
    input_limit: float | None = 0.2
    shared_value: float | None = None
    validation: int = 0
    train_limit: int | None = None
    evaluate_every: int = 1
    evaluate_before: bool = False
    metrics: tuple = ("accuracy",)
    ranking_monitor: dict | None = None
    snapshots: dict | None = None

    def prepare(self, seed, directory=None, *, jit=False):
        """Make everything that `fit` needs.

        Args:
            seed: int, of the initial weights, the order of the data and all else.
            directory: folder of the data sets, or None.
            jit: bool, whether to compile with XLA. Defaults to `False`.

        Returns:
            `PreparedTraining`.
        """
        keras.utils.set_random_seed(seed)
        loaded = data.load(
            self.dataset, directory, scaling=self.scaling, validation=self.validation, limit=self.train_limit
        )
        model = getattr(models, self.model)(
            input_shape=loaded.x_train.shape[1:], classes=loaded.num_classes, **self.model_arguments
        )
        if self.sparsity is not None:
            sparsify(model, self.sparsity, method=self.sparsity_method, input_limit=self.input_limit, seed=seed)
        if self.shared_value is not None:
            share_value(model, self.shared_value)
        model.compile(
            optimizer=self._optimizer(),
            loss="sparse_categorical_crossentropy",
            metrics=list(self.metrics),
            jit_compile=True if jit else "auto",
        )
        return PreparedTraining(self, model, loaded, seed)

    def _optimizer(self):
        if self.optimizer == "sgd":
            return keras.optimizers.SGD(self.learning_rate)
        adam = keras.optimizers.Adam(self.learning_rate)
        if self.optimizer == "laperm":
            return LaPerm(adam, **self.optimizer_arguments)
        if self.optimizer == "lookahead":
            return Lookahead(adam, **self.optimizer_arguments)
        return adam


class PreparedTraining(Prepared):
    """A training of weights, with what LaPerm's experiments look at.

    Args:
        training: `Training`.
        model: compiled `keras.Model`.
        loaded: `scripts.data.Dataset`.
        seed: int.
    """

    def __init__(self, training, model, loaded, seed):
        super().__init__(training, model, loaded, seed)
        self.augmentation = training.augmentation
        # The paper's accuracies of LaPerm are those after a synchronization; other optimizers have epochs only.
        if training.optimizer == "laperm":
            self.evaluation = SyncEvaluation(
                {self.held_out: self.validation_data}, every=training.evaluate_every, before=training.evaluate_before
            )
            self.validation_data = None
        self._initial = self._sorted_weight_vectors()

    def learning_rate(self, epoch):
        """The learning rate of an epoch: see `Training`."""
        divisors = [divisor for drop, divisor in self.training.learning_rate_drops.items() if drop <= epoch]
        return self.training.learning_rate * self.training.learning_rate_decay**epoch / math.prod(divisors)

    def callbacks(self, folder, log_dir=None):
        """The monitors that the training declares."""
        watching = []
        if self.training.ranking_monitor is not None:
            watching.append(RankingMonitor(**self.training.ranking_monitor, folder=folder, log_dir=log_dir))
        if self.training.snapshots is not None:
            watching.append(SavedSnapshots(folder / "snapshots.npz", **self.training.snapshots))
        return watching

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
