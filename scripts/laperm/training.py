"""One training by LaPerm, Lookahead or a plain optimizer, declared as data and set up from it."""

import dataclasses
import functools

import keras

import models
from scripts.data import augmentation as augment
from scripts.data import datasets as data
from scripts.laperm.prepared_training import PreparedTraining
from train_by_reconnect import LaPerm, Lookahead, make_dissimilar, reduce_precision, share_value, sparsify

_AROUND = {"laperm": LaPerm, "lookahead": Lookahead}
_INNER = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
    "momentum": functools.partial(keras.optimizers.SGD, momentum=0.9),
}
_INITIALIZERS = {
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
}


@dataclasses.dataclass(frozen=True)
class Training:
    """What one curve of a figure needs to know; nothing in it is left to chance but the seed.

    Args:
        label: str, the name of the curve.
        model: str, a function of `models`.
        dataset: str, as in `scripts.data.datasets.load`.
        epochs: int.
        batch_size: int, examples a step.
        optimizer: `"laperm"`, `"lookahead"`, or an inner optimizer alone. Defaults to `"laperm"`.
        optimizer_arguments: dict for `LaPerm` or `Lookahead`.
        inner_optimizer: of these two, `"adam"`, `"adamw"`, `"rmsprop"`, `"sgd"`, or `"momentum"`, which is SGD with
            momentum 0.9. Defaults to `"adam"`.
        model_arguments: dict for the model's function.
        scaling: str, as in `scripts.data.datasets.load`. Defaults to `"unit"`.
        learning_rate: float, of the first epoch. Defaults to 1e-3.
        learning_rate_decay: float, the factor after each epoch. Defaults to 1.
        learning_rate_drops: dict from an epoch, counted from 0, to the number by which the learning rate is divided
            from that epoch on; several drops multiply.
        augmentation: `scripts.data.augmentation.Augmentation` or None.
        sparsity: float, tuple with one for each kernel, or None: as in `train_by_reconnect.sparsify`.
        sparsity_method: as in `sparsify`. Defaults to `"exact"`.
        input_limit: as in `sparsify`. Defaults to 0.2.
        shared_value: float or None: the single value of all weights that are not zero.
        weight_precision: as `precision` of `train_by_reconnect.reduce_precision`, or None.
        dissimilarity: float or None, `spread` of `train_by_reconnect.make_dissimilar`.
        sync_period_follows_rate: bool, multiply k by whatever the learning rate is divided by, so that the weights go
            about as far between synchronizations in every epoch. Defaults to `False`.
        validation: int, training images held out for the curve; with 0 the curve is of the test set, and nothing
            may be chosen by it. Defaults to 0.
        train_limit: int or None, use only so many training images.
        evaluate_every: int, steps between evaluations: at the first synchronization after that many.
        evaluate_before: bool, evaluate just before a synchronization too. Defaults to `False`.
        compare_answers: bool, with `evaluate_before`, how many answers each synchronization changes. Defaults to
            `False`.
        metrics: tuple of str, the names of Keras' metrics. Defaults to the accuracy.
        ranking_monitor: dict of arguments for `train_by_reconnect.RankingMonitor`, whose files come into the folder of
            the run; or None.
        snapshots: dict of arguments for `train_by_reconnect.KernelSnapshots`, likewise; or None.
        kernel_initializer: `"he_uniform"`, `"he_normal"`, `"glorot_uniform"`, `"glorot_normal"`, or None for what the
            model has by default. Biases keep the model's own.
        starts_from: str or None, the label of a training of the same experiment that is run before, with the same
            seed and `keep_best`. The weights of its best epoch are the initial ones, each weight vector of its kernels
            shuffled: the paper's N_S. Biases and normalization layers start as they were trained.
        keep_best: bool, keep the weights of the epoch with the best held-out accuracy; not with `"laperm"`. Defaults
            to `False`.
        keep_zeros: bool, keep weights that are zero at the start at zero; not with `"laperm"`. Defaults to `False`.
        train_evaluation: int, how many training images, drawn once, are evaluated without dropout and augmentation
            whenever the held-out ones are. Defaults to 0.
    """

    label: str
    model: str
    dataset: str
    epochs: int
    batch_size: int
    optimizer: str = "laperm"
    optimizer_arguments: dict = dataclasses.field(default_factory=dict)
    inner_optimizer: str = "adam"
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
    weight_precision: int | str | None = None
    dissimilarity: float | None = None
    sync_period_follows_rate: bool = False
    validation: int = 0
    train_limit: int | None = None
    evaluate_every: int = 1
    evaluate_before: bool = False
    compare_answers: bool = False
    metrics: tuple = ("accuracy",)
    ranking_monitor: dict | None = None
    snapshots: dict | None = None
    kernel_initializer: str | None = None
    starts_from: str | None = None
    keep_best: bool = False
    keep_zeros: bool = False
    train_evaluation: int = 0

    def __post_init__(self):
        """Refuse what would be lost or could not be."""
        for name, allowed in (("optimizer", {*_AROUND, *_INNER}), ("inner_optimizer", _INNER)):
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"`{name}` must be one of {', '.join(sorted(allowed))}. Received: {name}={getattr(self, name)!r}. "
                    "Choose one of them."
                )
        changed = ("kernel_initializer", "sparsity", "shared_value", "weight_precision", "dissimilarity")
        drawn = [name for name in changed if getattr(self, name) is not None]
        if self.starts_from is not None and drawn:
            raise ValueError(
                f"With `starts_from` the initial weights are those of another training. Received: {drawn[0]}="
                f"{getattr(self, drawn[0])!r}. Leave that out."
            )
        if self.optimizer == "laperm" and (self.keep_best or self.keep_zeros):
            raise ValueError(
                "LaPerm has accuracies after synchronizations and not after epochs, and permutes zeros too. Received: "
                f"keep_best={self.keep_best}, keep_zeros={self.keep_zeros}. Leave both out, or take another optimizer."
            )

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
        loaded = self.load(directory)
        model = self.make_model(loaded, seed)
        if self.sparsity is not None:
            sparsify(model, self.sparsity, method=self.sparsity_method, input_limit=self.input_limit, seed=seed)
        if self.shared_value is not None:
            share_value(model, self.shared_value)
        if self.weight_precision is not None:
            reduce_precision(model, self.weight_precision)
        if self.dissimilarity is not None:
            make_dissimilar(model, self.dissimilarity, seed=seed)
        prepared = self.prepared(model, loaded, seed)
        model.compile(
            optimizer=self._optimizer(),
            loss=prepared.loss,
            metrics=prepared.metrics(),
            jit_compile=True if jit else "auto",
        )
        return prepared

    def load(self, directory):
        """The data.

        Args:
            directory: folder of the data sets, or None.

        Returns:
            `scripts.data.datasets.Dataset`.
        """
        return data.load(
            self.dataset, directory, scaling=self.scaling, validation=self.validation, limit=self.train_limit
        )

    def make_model(self, loaded, seed):
        """The network with its random weights.

        Args:
            loaded: `scripts.data.datasets.Dataset`.
            seed: int, of the run.

        Returns:
            An uncompiled `keras.Model`.
        """
        drawn = {} if self.kernel_initializer is None else {"kernel_initializer": self._initializer(seed)}
        return getattr(models, self.model)(
            input_shape=loaded.x_train.shape[1:], classes=loaded.num_classes, **drawn, **self.model_arguments
        )

    def prepared(self, model, loaded, seed):
        """What is ready to start, once compiled.

        Args:
            model: the `keras.Model`.
            loaded: `scripts.data.datasets.Dataset`.
            seed: int.

        Returns:
            `PreparedTraining`.
        """
        return PreparedTraining(self, model, loaded, seed)

    def _initializer(self, seed):
        if self.kernel_initializer not in _INITIALIZERS:
            raise ValueError(
                f"`kernel_initializer` must be one of {', '.join(_INITIALIZERS)}, or None. Received: "
                f"kernel_initializer={self.kernel_initializer!r}. Choose one of them."
            )
        return _INITIALIZERS[self.kernel_initializer](seed)

    def _optimizer(self):
        if self.optimizer not in _AROUND:
            return _INNER[self.optimizer](self.learning_rate)
        return _AROUND[self.optimizer](_INNER[self.inner_optimizer](self.learning_rate), **self.optimizer_arguments)
