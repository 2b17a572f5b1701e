"""Bernoulli supermask: fixed random weights, each kept with a trained probability."""

import math
from typing import Any

import keras
from keras import ops

from train_by_reconnect import backend
from train_by_reconnect.backend.types import Identifier, Tensor
from train_by_reconnect.layers.fixed_kernels import FixedKernels


@keras.saving.register_keras_serializable("train_by_reconnect")
class BernoulliMask(FixedKernels):
    """A layer that trains the probability of keeping each connection; the kernel keeps its initial values.

    Each weight `w` has a trained score `t`, and the layer computes with

        w * m,  m = 1 with probability sigmoid(t), else 0

    The mask is drawn anew in each forward pass. In the backward pass the drawn mask counts as its probability, so the
    gradient of a score is the gradient of the effective weight times `w * sigmoid'(t)`. That is small: the paper trains
    with SGD, momentum 0.9 and a learning rate of 100.

    The mask is random at inference too, as in the paper, which reports the mean over ten evaluations. For a single
    network, take the kernels that `effective_kernels` draws.

    Args:
        layer: the layer to mask, as in `FixedKernels`.
        seed: int or None, the seed of the masks; layers with the same seed draw the same. Defaults to None, each layer
            has its own, which `keras.utils.set_random_seed` makes reproducible.
        rescale: bool, divide the masked kernel by the fraction of weights that the mask keeps (the paper's dynamic
            weight rescaling); the gradient passes through the fraction too. Defaults to `False`.
        score_initializer: whatever `keras.initializers.get` takes. Defaults to `"zeros"`, every probability a half.
        **kwargs: as in `FixedKernels`: `train_bias`, `score_regularizer`, `name`, `trainable`.

    Input and output shapes: those of `layer`.

    Raises:
        ValueError: as in `FixedKernels`.

    Example:

    >>> layer = BernoulliMask(keras.layers.Dense(2, use_bias=False, kernel_initializer="ones"), seed=0)
    >>> layer.build((None, 3))
    >>> _ = layer.scores[0].assign([[99.0, 99.0], [99.0, -99.0], [99.0, -99.0]])  # surely kept, surely not
    >>> ops.convert_to_numpy(layer(ops.ones((1, 3))))
    array([[3., 1.]], dtype=float32)

    Reference:
        Zhou et al. 2019, "Deconstructing Lottery Tickets: Zeros, Signs, and the Supermask", section 5.
    """

    def __init__(
        self,
        layer: keras.Layer,
        *,
        seed: int | None = None,
        rescale: bool = False,
        score_initializer: Identifier = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(layer, score_initializer=score_initializer, **kwargs)
        self.seed, self.rescale = seed, rescale
        self.seed_generator = keras.random.SeedGenerator(seed)

    def factor(self, scores: Tensor) -> Tensor:
        """A newly drawn mask: 0 or 1, or 0 or the inverse of the fraction kept."""
        probability = ops.sigmoid(scores)
        uniform = keras.random.uniform(scores.shape, dtype=scores.dtype, seed=self.seed_generator)
        mask = backend.straight_through(probability, ops.cast(uniform < probability, scores.dtype))
        if not self.rescale:
            return mask
        # A layer that has lost all its connections answers 0, and not 0 / 0.
        return mask / ops.maximum(ops.mean(mask), 1 / math.prod(scores.shape))

    def is_changed(self, scores: Tensor) -> Tensor:
        """Where a connection is more likely left out than kept."""
        return scores < 0

    def save_own_variables(self, store: Any) -> None:
        """Save the scores, and the state of the random masks for a training that is resumed.

        Args:
            store: dict-like.
        """
        super().save_own_variables(store)
        store["seed"] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` wrote.

        Args:
            store: dict-like.
        """
        self.seed_generator.state.assign(store["seed"])
        super().load_own_variables({key: store[key] for key in store.keys() if key != "seed"})  # noqa: SIM118

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "seed": self.seed, "rescale": self.rescale}
