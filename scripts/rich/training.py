"""One training of the rich regime paper, declared as data and set up from it; what is measured, its subclasses say."""

import dataclasses

import keras

import models
from scripts.data import datasets as data
from scripts.running.prepared import Prepared, steps_at_once

_INITIALIZERS = {"glorot_normal": keras.initializers.GlorotNormal, "he_normal": keras.initializers.HeNormal}
_L2 = 2.5e-4  # its gradient is the paper's weight decay of 5e-4


@dataclasses.dataclass(frozen=True)
class RichTraining:
    """The setting of section 3: what one curve of a figure needs to know.

    Images are divided by their largest possible pixel; of what else is done to them the paper says nothing.

    Args:
        label: str, the name of the curve.
        model: str, a function of `models`.
        dataset: str, as in `scripts.data.datasets.load`.
        epochs: int.
        learning_rate: float, of the first epoch. The paper has 0.1 on MNIST and 0.01 on CIFAR-10.
        optimizer: `"adam"`, or `"nesterov"`: SGD with Nesterov momentum 0.9 and the paper's weight decay of 0.0005,
            which is added to the gradient of whatever is trained. Defaults to `"adam"`.
        halve_every: int or None, the number of epochs after which the learning rate is halved, again and again.
            Defaults to None.
        batch_size: int. Defaults to 128.
        model_arguments: dict for the model's function.
        initializer: `"glorot_normal"`, as in the paper, or `"he_normal"`. Defaults to the first.
        train_limit: int or None: only so many training images, equally many of each class. Defaults to 10,000, as for
            MNIST in the paper.
        train_skip: int, training images to pass over before those, of each class alike. Defaults to 0.
        validation: int, training images held out for the curve. Defaults to 5,000.
    """

    label: str
    model: str
    dataset: str
    epochs: int
    learning_rate: float
    optimizer: str = "adam"
    halve_every: int | None = None
    batch_size: int = 128
    model_arguments: dict = dataclasses.field(default_factory=dict)
    initializer: str = "glorot_normal"
    train_limit: int | None = 10_000
    train_skip: int = 0
    validation: int = 5000

    def prepare(self, seed, directory=None, *, jit=False):
        """Make everything that `fit` needs.

        Args:
            seed: int, of the weights and the order of the data.
            directory: folder of the data sets, or None.
            jit: bool, whether to compile with XLA. Defaults to `False`.

        Returns:
            `PreparedRich`, or the subclass that `prepared` says.
        """
        keras.utils.set_random_seed(seed)
        loaded = data.load(
            self.dataset,
            directory,
            validation=self.validation,
            limit=self.train_limit,
            balanced=self.train_limit is not None,
            skip=self.train_skip,
        )
        model = getattr(models, self.model)(
            input_shape=loaded.x_train.shape[1:],
            classes=loaded.num_classes,
            kernel_initializer=_INITIALIZERS[self.initializer](seed),
            **self.model_arguments,
        )
        model.compile(
            optimizer=self._optimizer(model),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=True if jit else "auto",
            steps_per_execution=self.steps_per_execution(loaded),
        )
        return self.prepared(model, loaded, seed)

    def prepared(self, model, loaded, seed):
        """What is ready to start, with whatever is measured in it: for a subclass to say."""
        return PreparedRich(self, model, loaded, seed)

    def steps_per_execution(self, loaded):
        """How many steps a compiled call makes."""
        return steps_at_once(len(loaded.x_train), self.batch_size)

    def _optimizer(self, model):
        if self.optimizer == "adam":
            return keras.optimizers.Adam(self.learning_rate)
        # Keras' own `weight_decay` is apart from the momentum, and with it a tenth as strong.
        for variable in model.trainable_variables:
            variable.regularizer = keras.regularizers.L2(_L2)
        return keras.optimizers.SGD(self.learning_rate, momentum=0.9, nesterov=True)


class PreparedRich(Prepared):
    """A training of the rich regime paper that is ready to start."""

    def learning_rate(self, epoch):
        """The learning rate of an epoch."""
        halvings = epoch // self.training.halve_every if self.training.halve_every else 0
        return self.training.learning_rate / 2**halvings
