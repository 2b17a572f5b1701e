"""Connectivity training: fixed random weights, of which a trained score masks each, flips its sign, or does either."""

import math
from typing import Any

import keras

from train_by_reconnect import backend
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.layers.fixed_kernels import FixedKernels


@keras.saving.register_keras_serializable("train_by_reconnect")
class Masked(FixedKernels):
    """A layer that trains which of its connections exist; the kernel keeps its initial values.

    Each weight `w` has a trained score `t`, and the layer computes with

        w * m(t),  m(t) = 0 for t <= 0 and 1 for t > 0

    In the backward pass the derivative of `m` is taken as 1 (straight-through estimator), so the gradient of a score is
    the gradient of the effective weight times `w`. Scores start in (0, 0.1], all connections present; a masked one
    comes back as soon as its score is above 0 again.

    Args:
        layer: the layer to mask, as in `FixedKernels`.
        rescale: bool, divide the masked kernel by the fraction of weights that it keeps, as an option of the authors'
            code does. No gradient passes through the fraction. Defaults to `False`.
        **kwargs: as in `FixedKernels`: `train_bias`, `score_initializer`, `score_regularizer`, `name`, `trainable`.

    Input and output shapes: those of `layer`.

    Raises:
        ValueError: as in `FixedKernels`.

    Example:

    >>> layer = Masked(keras.layers.Dense(2, use_bias=False, kernel_initializer="ones"))
    >>> layer.build((None, 3))
    >>> _ = layer.scores[0].assign([[0.1, -0.1], [0.1, -0.1], [0.1, 0.1]])
    >>> keras.ops.convert_to_numpy(layer(keras.ops.ones((1, 3))))
    array([[3., 1.]], dtype=float32)

    Reference:
        Ivan and Florian 2020, "Training highly effective connectivities within neural networks with randomly
        initialized, fixed weights", section 2, equations (1) and (2).
    """

    def __init__(self, layer: keras.Layer, *, rescale: bool = False, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.rescale = rescale

    def factor(self, scores: Tensor) -> Tensor:
        """The mask: 0 or 1, or 0 or the inverse of the fraction kept."""
        return self.effective_kernel(keras.ops.ones_like(scores), scores)

    def effective_kernel(self, kernel: Tensor, scores: Tensor) -> Tensor:
        """The masked kernel, in one pass."""
        masked = backend.times_step(kernel, scores, below=0.0)
        if not self.rescale:
            return masked
        kept = keras.ops.mean(keras.ops.cast(scores > 0, scores.dtype))
        # A layer that has lost all its connections answers 0, and not 0 / 0.
        return masked / keras.ops.maximum(kept, 1 / math.prod(scores.shape))

    def is_changed(self, scores: Tensor) -> Tensor:
        """Where a connection is masked."""
        return scores <= 0

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "rescale": self.rescale}


@keras.saving.register_keras_serializable("train_by_reconnect")
class Signed(FixedKernels):
    """A layer that trains the signs of its connections; the magnitudes keep their initial values.

    Each weight `w` has a trained score `t`, and the layer computes with

        w * s(t),  s(t) = -1 for t <= 0 and 1 for t > 0

    In the backward pass the derivative of `s` is taken as 1 (straight-through estimator). Scores start in (0, 0.1], no
    sign flipped.

    Unlike the paper, whose sign function is 0 at 0, a score of 0 flips: no connection is ever removed, and a sign is
    flipped exactly where `Masked` would mask.

    Args:
        layer: the layer whose signs are trained, as in `FixedKernels`.
        **kwargs: as in `FixedKernels`: `train_bias`, `score_initializer`, `score_regularizer`, `name`, `trainable`.

    Input and output shapes: those of `layer`.

    Raises:
        ValueError: as in `FixedKernels`.

    Example:

    >>> layer = Signed(keras.layers.Dense(2, use_bias=False, kernel_initializer="ones"))
    >>> layer.build((None, 3))
    >>> _ = layer.scores[0].assign([[0.1, -0.1], [0.1, -0.1], [0.1, 0.1]])
    >>> keras.ops.convert_to_numpy(layer(keras.ops.ones((1, 3))))
    array([[ 3., -1.]], dtype=float32)

    Reference:
        Ivan and Florian 2020, section 3.
    """

    def factor(self, scores: Tensor) -> Tensor:
        """The signs: -1 or 1."""
        return self.effective_kernel(keras.ops.ones_like(scores), scores)

    def effective_kernel(self, kernel: Tensor, scores: Tensor) -> Tensor:
        """The kernel with its signs, in one pass."""
        return backend.times_step(kernel, scores, below=-1.0)

    def is_changed(self, scores: Tensor) -> Tensor:
        """Where a sign is flipped."""
        return scores <= 0


@keras.saving.register_keras_serializable("train_by_reconnect")
class SignedMask(FixedKernels):
    """A layer that trains which of its connections exist, and with which signs; the magnitudes stay as they are.

    Each weight `w` has a trained score `t`, and the layer computes with

        w * f(t),  f(t) = 1 for t > 0,  0 for 0 >= t > -masked_range,  -1 for all below

    In the backward pass the derivative of `f` is taken as 1 (straight-through estimator). Scores start in (0, 0.1], all
    connections as they are: one whose score falls is masked first, and flipped if it falls further.

    Unlike the paper, whose thresholds lie on both sides of 0, the upper one is 0 and the lower one `-masked_range`, so
    that a connection is changed exactly where `Masked` would mask. A constant added to all scores is the whole
    difference, which no optimizer without weight decay sees. The paper's initial weights and scores are others, too.

    Args:
        layer: the layer whose connections are trained, as in `FixedKernels`.
        masked_range: float above 0, how far a score falls from masking a connection to flipping it. The wider, the more
            connections are masked and the fewer flipped. Defaults to 0.1.
        **kwargs: as in `FixedKernels`: `train_bias`, `score_initializer`, `score_regularizer`, `name`, `trainable`.

    Input and output shapes: those of `layer`.

    Raises:
        ValueError: `masked_range` is not above 0, and as in `FixedKernels`.

    Example:

    >>> layer = SignedMask(keras.layers.Dense(2, use_bias=False, kernel_initializer="ones"))
    >>> layer.build((None, 3))
    >>> _ = layer.scores[0].assign([[0.1, -0.1], [0.1, -0.1], [-0.05, 0.1]])
    >>> keras.ops.convert_to_numpy(layer(keras.ops.ones((1, 3))))
    array([[ 2., -1.]], dtype=float32)

    Reference:
        Koster, Grothe and Rettinger 2022, "Signing the Supermask: Keep, Hide, Invert".
    """

    def __init__(self, layer: keras.Layer, *, masked_range: float = 0.1, **kwargs: Any) -> None:
        if not 0 < masked_range < math.inf:
            raise ValueError(
                f"`masked_range` must be a number above 0. Received: masked_range={masked_range!r}. Wrap the layer in "
                "`Signed` to mask nothing, or in `Masked` to flip nothing."
            )
        super().__init__(layer, **kwargs)
        self.masked_range = float(masked_range)

    def factor(self, scores: Tensor) -> Tensor:
        """The mask and the signs: -1, 0 or 1."""
        values = keras.ops.cast(scores > 0, scores.dtype) - keras.ops.cast(scores <= -self.masked_range, scores.dtype)
        return backend.straight_through(scores, values)

    def is_changed(self, scores: Tensor) -> Tensor:
        """Where a connection is masked or its sign is flipped."""
        return scores <= 0

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "masked_range": self.masked_range}
