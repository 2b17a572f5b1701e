"""One training of masks, signs or, for comparison, weights, declared as data and set up from it."""

import dataclasses
import functools
import math
import statistics

import keras

import models
from scripts.connectivities.prune_once import PruneOnce, fraction_of_zeros
from scripts.data import datasets as data
from scripts.running.best_epoch import BestEpoch, has_best
from scripts.running.prepared import Prepared, steps_at_once
from train_by_reconnect import (
    BernoulliMask,
    ConnectivityMonitor,
    EdgePopup,
    SignedConstant,
    changed_fractions,
    connectivity_model,
    remove_weights,
)

INITIALIZERS = {
    "glorot_normal": lambda positive, seed: keras.initializers.GlorotNormal(seed=seed),
    "he_normal": lambda positive, seed: keras.initializers.HeNormal(seed=seed),
    "signed_he_constant": lambda positive, seed: SignedConstant(positive=positive, seed=seed),
}
_EDGE_POPUP_L2 = 5e-5  # the gradient of the authors' weight decay of 1e-4
_BERNOULLI_EVALUATIONS = 10  # a mask is drawn for each


@dataclasses.dataclass(frozen=True)
class ConnectivityTraining:
    """What one curve of a figure needs to know.

    Images are scaled as the authors do: minus the mean of each pixel, divided by the overall standard deviation.

    Args:
        label: str, the name of the curve.
        model: str, a function of `models`.
        dataset: str, as in `scripts.data.datasets.load`.
        epochs: int.
        learning_rate: float, of the first epoch.
        mode: `"prune"`, `"flip"`, `"edge_popup"`, `"bernoulli"`, or None to train all weights.
        objective: `"free"` or `"minimal"`.
        average: as in `connectivity_model`. Defaults to `"network"`.
        initializer: `"signed_he_constant"`, `"he_normal"` or `"glorot_normal"`. Defaults to the first.
        positive: float, the probability of a positive sign with the first of these. Defaults to 0.5.
        rescale: bool, as in `Masked`. Defaults to `False`.
        sparsity: float or None: of `"edge_popup"`; or, where all weights are trained, what is pruned by magnitude half
            way through, after which the rest is trained on. Defaults to None.
        optimizer: `"adam"`, or `"sgd"` with a momentum of 0.9 and the learning rate falling to 0 as a cosine.
            Defaults to `"adam"`.
        remove_weights: bool, train with weights of +-1 on inputs that are scaled instead. Defaults to `False`.
        batch_size: int. Defaults to 25.
        model_arguments: dict for the model's function.
        validation: int, training images held out for the curve. Defaults to 5,000.
        train_limit: int or None, use only so many training images.
    """

    label: str
    model: str
    dataset: str
    epochs: int
    learning_rate: float
    mode: str | None = None
    objective: str = "free"
    average: str = "network"
    initializer: str = "signed_he_constant"
    positive: float = 0.5
    rescale: bool = False
    sparsity: float | None = None
    optimizer: str = "adam"
    remove_weights: bool = False
    batch_size: int = 25
    model_arguments: dict = dataclasses.field(default_factory=dict)
    validation: int = 5000
    train_limit: int | None = None

    def prepare(self, seed, directory=None, *, jit=False):
        """Make everything that `fit` needs.

        Args:
            seed: int, of the weights, the scores and the order of the data.
            directory: folder of the data sets, or None.
            jit: bool, whether to compile with XLA. Defaults to `False`.

        Returns:
            `PreparedConnectivity`.
        """
        keras.utils.set_random_seed(seed)
        loaded = data.load(
            self.dataset,
            directory,
            scaling="pixel_mean_overall_std",
            validation=self.validation,
            limit=self.train_limit,
        )
        model = getattr(models, self.model)(
            input_shape=loaded.x_train.shape[1:],
            classes=loaded.num_classes,
            kernel_initializer=INITIALIZERS[self.initializer](self.positive, seed),
            **self.model_arguments,
        )
        if self.mode is not None:
            model = self._converted(model, seed)
        if self.remove_weights:
            model, scale = remove_weights(model)
            for images in (loaded.x_train, loaded.x_val, loaded.x_test):
                images *= scale
        model.compile(
            optimizer=(
                keras.optimizers.Adam(self.learning_rate)
                if self.optimizer == "adam"
                else keras.optimizers.SGD(self.learning_rate, momentum=0.9)
            ),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=True if jit else "auto",
            steps_per_execution=steps_at_once(len(loaded.x_train), self.batch_size),
        )
        return PreparedConnectivity(self, model, loaded, seed)

    def _converted(self, model, seed):
        if self.mode == "edge_popup":
            decay = keras.regularizers.L2(_EDGE_POPUP_L2)
            wrap = functools.partial(EdgePopup, sparsity=self.sparsity, score_regularizer=decay)
            return connectivity_model(model, wrap, seed=seed)
        if self.mode == "bernoulli":
            return connectivity_model(model, BernoulliMask, seed=seed)
        return connectivity_model(
            model, self.mode, self.objective, average=self.average, rescale=self.rescale, seed=seed
        )


class PreparedConnectivity(Prepared):
    """A training of connectivities that is ready to start."""

    def learning_rate(self, epoch):
        """The learning rate of an epoch: constant for Adam."""
        if self.training.optimizer == "adam":
            return self.training.learning_rate
        return self.training.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2

    def callbacks(self, folder, log_dir=None):
        """The fraction of changed connections, and the best epoch on held-out images."""
        self._folder, first_that_counts, watching = folder, 0, []
        if self.training.mode is not None:
            watching.append(ConnectivityMonitor())
        elif self.training.sparsity is not None:
            first_that_counts = self.epochs // 2
            watching.append(PruneOnce(first_that_counts, self.training.sparsity))
        return [*watching, BestEpoch(folder, f"{self.held_out}_accuracy", first_that_counts)]

    def summary(self):
        """What is known at the end: the test accuracy of the last epoch, and of the best one on held-out images."""
        values, training = super().summary(), self.training
        if training.mode is not None:
            values["changed"] = changed_fractions(self.model)["all"]
        elif training.sparsity is not None:
            values["changed"] = fraction_of_zeros(self.model)
        with has_best(self.model, self._folder):
            values["test_accuracy_at_best"] = self.evaluate_test()["accuracy"]
        has_one_magnitude = training.mode in ("prune", "flip") and training.initializer == "signed_he_constant"
        if has_one_magnitude and not training.remove_weights:
            values["different_without_weights"] = self._different_without_weights()
        return values

    def evaluate_test(self):
        """Evaluate on the test set: with a random mask, the mean of several evaluations."""
        times = _BERNOULLI_EVALUATIONS if self.training.mode == "bernoulli" else 1
        each = [super(PreparedConnectivity, self).evaluate_test() for _ in range(times)]
        return {name: statistics.mean(values[name] for values in each) for name in each[0]}

    def _different_without_weights(self):
        """How many test images are classified otherwise once the weights are removed."""
        unit, scale = remove_weights(self.model)
        x = self.loaded.x_test
        with_weights = self.model.predict(x, batch_size=1000, verbose=0).argmax(axis=1)
        return int((unit.predict(x * scale, batch_size=1000, verbose=0).argmax(axis=1) != with_weights).sum())
