"""Edge-popup: of fixed random weights, those with the highest trained scores are kept, always the same number."""

import math
from typing import Any

import keras
from keras import ops

from train_by_reconnect import backend
from train_by_reconnect.backend.types import Identifier, Tensor
from train_by_reconnect.layers.fixed_kernels import FixedKernels


@keras.saving.register_keras_serializable("train_by_reconnect")
class EdgePopup(FixedKernels):
    """A layer that keeps the connections with the highest trained scores; the kernel keeps its initial values.

    Each weight `w` has a trained score `s`, and the layer computes with

        w * h(s),  h(s) = 1 if s is among the k highest scores of this kernel, else 0

    where `k = round((1 - sparsity) * size)`; of equal scores the first ones are kept. In the backward pass the
    derivative of `h` is taken as 1 (straight-through estimator), so a score rises where the loss asks for more of its
    connection, and a connection that was left out can come back. Scores are compared in float32.

    The paper ranks the scores, and so does this layer; the authors' code ranks their absolute values. The scores start
    as far apart as those absolute values do, since that decides how fast connections change.

    Args:
        layer: the layer to mask, as in `FixedKernels`.
        sparsity: float in [0, 1), the fraction of each kernel that is left out; the paper's k% is `1 - sparsity`.
            Defaults to 0.5.
        score_initializer: whatever `keras.initializers.get` takes. Defaults to None for uniform in
            `+-0.5 / sqrt(fan_in)`, half the width of the authors' code, which drops the signs.
        **kwargs: as in `FixedKernels`: `train_bias`, `score_regularizer`, `name`, `trainable`.

    Input and output shapes: those of `layer`.

    Raises:
        ValueError: `sparsity` is out of range, and as in `FixedKernels`.

    Example:

    >>> layer = EdgePopup(keras.layers.Dense(2, use_bias=False, kernel_initializer="ones"), sparsity=0.5)
    >>> layer.build((None, 3))
    >>> _ = layer.scores[0].assign([[0.4, -0.1], [0.3, -0.2], [0.2, -0.3]])  # three of the six are kept
    >>> ops.convert_to_numpy(layer(ops.ones((1, 3))))
    array([[3., 0.]], dtype=float32)

    Reference:
        Ramanujan et al. 2019, "What's Hidden in a Randomly Weighted Neural Network?", section 3.
    """

    def __init__(
        self, layer: keras.Layer, sparsity: float = 0.5, score_initializer: Identifier = None, **kwargs: Any
    ) -> None:
        if not 0 <= sparsity < 1:
            raise ValueError(
                f"`sparsity` is a fraction of zeros, from 0 to below 1. Received: sparsity={sparsity!r}. Write 0.7 to "
                "keep 30 %."
            )
        score_initializer = score_initializer or keras.initializers.VarianceScaling(1 / 12, "fan_in", "uniform")
        super().__init__(layer, score_initializer=score_initializer, **kwargs)
        self.sparsity = sparsity

    def factor(self, scores: Tensor) -> Tensor:
        """The mask: 0 or 1."""
        return backend.straight_through(scores, ops.cast(self._is_kept(scores), scores.dtype))

    def is_changed(self, scores: Tensor) -> Tensor:
        """Where a connection is left out: the same number at any time."""
        return ops.logical_not(self._is_kept(scores))

    def _is_kept(self, scores: Tensor) -> Tensor:
        size = math.prod(scores.shape)
        return highest(scores, round((1 - self.sparsity) * size))

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "sparsity": self.sparsity}


def highest(values: Tensor, count: int) -> Tensor:
    """Where the `count` highest values are, as booleans; of equal values the first ones count.

    Sorting takes several times as long, and under XLA ten times. A float read as an integer keeps its rank, so the
    `count`-th highest is found bit by bit, each time by counting how many are at least as high. Values are compared in
    float32.

    Example:

    >>> ops.convert_to_numpy(highest(ops.array([0.5, 2.0, -1.0, 0.5]), 2))
    array([ True,  True, False, False])
    """
    flat = ops.reshape(ops.cast(values, "float32"), [-1])
    bits = ops.view(ops.where(flat == 0, 0.0, flat), "int32")  # -0.0 becomes 0.0, its equal
    ranks = ops.where(bits < 0, ops.bitwise_xor(bits, 2**31 - 1), bits)  # the lower a negative, the higher its bits

    def number(is_counted: Tensor) -> Tensor:
        return ops.sum(ops.cast(is_counted, "int32"))

    def decide_bit(index: Tensor, threshold: Tensor) -> Tensor:
        raised = threshold + ops.right_shift(2**30, index)
        return ops.where(number(ranks >= raised) >= count, raised, threshold)

    lowest = ops.where(number(ranks >= 0) >= count, 0, -(2**31))
    threshold = ops.fori_loop(0, 31, decide_bit, lowest)
    above, equal = ranks > threshold, ranks == threshold
    first_equal = ops.logical_and(equal, ops.cumsum(ops.cast(equal, "int32")) <= count - number(above))
    return ops.reshape(ops.logical_or(above, first_equal), values.shape)
