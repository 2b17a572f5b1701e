"""Which optimizer takes the steps, and which of ours is around it: declared by name, and made later."""

import dataclasses
import functools

import keras

from scripts.running.choices import check_choice
from scripts.running.schedules import Constant
from train_by_reconnect import LaPerm, Lookahead

INNER = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
    "momentum": functools.partial(keras.optimizers.SGD, momentum=0.9),
    "nesterov": functools.partial(keras.optimizers.SGD, momentum=0.9, nesterov=True),
}
AROUND = {"laperm": LaPerm, "lookahead": Lookahead}


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """An optimizer with its learning rate, alone or inside one of ours.

    Args:
        name: str, of `INNER`. `"momentum"` and `"nesterov"` are SGD with a momentum of 0.9. Defaults to `"adam"`.
        learning_rate: float, of the first epoch. Defaults to 1e-3.
        schedule: one of `scripts.running.schedules`. Defaults to `Constant()`.
        around: str, of `AROUND`, or None. Defaults to None: the optimizer alone.
        arguments: dict for what is around it.
        l2: float, the factor of an L2 penalty on whatever is trained, twice which is a weight decay that is added to
            the gradient. Keras' own `weight_decay` is apart from the momentum, and with it a tenth as strong. Defaults
            to 0.
    """

    name: str = "adam"
    learning_rate: float = 1e-3
    schedule: object = Constant()
    around: str | None = None
    arguments: dict = dataclasses.field(default_factory=dict)
    l2: float = 0.0

    def __post_init__(self):
        """Refuse names that nothing has, and arguments for nothing."""
        check_choice("name", self.name, INNER)
        check_choice("around", self.around, (*AROUND, None))
        if self.arguments and self.around is None:
            raise ValueError(
                f"`arguments` are for what is `around` the optimizer. Received: arguments={self.arguments}, "
                "around=None. Leave them out, or name what they are for."
            )

    @property
    def sync_period(self):
        """The k of LaPerm, or None where that is not around."""
        return self.arguments.get("sync_period") if self.around == "laperm" else None

    def make(self, model):
        """A new Keras optimizer for a model, whose variables get the penalty."""
        if self.l2:
            for variable in model.trainable_variables:
                variable.regularizer = keras.regularizers.L2(self.l2)
        inner = INNER[self.name](self.learning_rate)
        return inner if self.around is None else AROUND[self.around](inner, **self.arguments)

    def rate(self, epoch, epochs):
        """The learning rate of an epoch, from 0, of so many."""
        return self.schedule.rate(self.learning_rate, epoch, epochs)
