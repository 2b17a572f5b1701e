"""Which network is trained, from which random weights: declared by name, and built later."""

import dataclasses

import keras

import models
from scripts.running.choices import check_choice
from train_by_reconnect import SignedConstant

INITIALIZERS = {
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
    "signed_he_constant": SignedConstant,
}


@dataclasses.dataclass(frozen=True)
class Network:
    """An architecture with its random weights.

    Args:
        name: str, a function of `models`.
        arguments: dict for this function.
        initializer: str, of `INITIALIZERS`, for the kernels; or None for what the function has by default. Biases keep
            the function's own.
        initializer_arguments: dict for the initializer. The seed is that of the run.
    """

    name: str
    arguments: dict = dataclasses.field(default_factory=dict)
    initializer: str | None = None
    initializer_arguments: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        """Refuse names that nothing has."""
        check_choice("name", self.name, models.__all__)
        check_choice("initializer", self.initializer, (*INITIALIZERS, None))

    def build(self, loaded, seed):
        """An uncompiled `keras.Model` for the images of a `Dataset`."""
        drawn = {}
        if self.initializer is not None:
            make = INITIALIZERS[self.initializer]
            drawn["kernel_initializer"] = make(seed=seed, **self.initializer_arguments)
        make = getattr(models, self.name)
        return make(input_shape=loaded.x_train.shape[1:], classes=loaded.num_classes, **drawn, **self.arguments)
