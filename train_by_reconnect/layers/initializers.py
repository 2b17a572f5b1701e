"""Initializers of connectivity training: weights of one magnitude, and scores that start just above zero."""

import math
import numbers
import random
from typing import Any, Literal, Self

import keras

from train_by_reconnect.backend.types import Axes, Tensor


class _Random(keras.initializers.Initializer):
    """An initializer with a seed, as Keras' own; without a given one, a copy made from the configuration draws anew."""

    def __init__(self, seed: int | keras.random.SeedGenerator | None = None) -> None:
        self._given_seed = seed
        self.seed = random.randrange(2**31) if seed is None else seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": keras.saving.serialize_keras_object(self._given_seed)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{**config, "seed": keras.saving.deserialize_keras_object(config.get("seed"))})


def _is_he(magnitude: Any) -> bool:
    return isinstance(magnitude, str) and magnitude == "he"


@keras.saving.register_keras_serializable("train_by_reconnect")
class SignedConstant(_Random):
    """Weights of one magnitude and of random sign.

    With `magnitude="he"` this is the signed He constant distribution, `+-sqrt(2 / fan_in)`, where `fan_in` is the size
    of all axes but the last; with `magnitude=1.0` the weights are `+-1`.

    Args:
        magnitude: `"he"`, or a float above 0. Defaults to `"he"`.
        positive: float in [0, 1], the probability of a positive sign. Defaults to 0.5.
        seed: int, `keras.random.SeedGenerator` or None, as for any initializer of Keras. Defaults to None.

    Raises:
        ValueError: `magnitude` or `positive` is out of range.

    Example:

    >>> keras.ops.convert_to_numpy(SignedConstant(positive=1.0)((8, 2)))[0]
    array([0.5, 0.5], dtype=float32)

    Reference:
        Ramanujan et al. 2019, "What's Hidden in a Randomly Weighted Neural Network?" (the distribution);
        Ivan and Florian 2020, sections 2.2, 2.3 (unit weights) and 2.4 (the probability).
    """

    def __init__(
        self,
        magnitude: float | Literal["he"] = "he",
        positive: float = 0.5,
        seed: int | keras.random.SeedGenerator | None = None,
    ) -> None:
        if not _is_he(magnitude) and not (isinstance(magnitude, numbers.Real) and 0 < magnitude < math.inf):
            raise ValueError(
                f'`magnitude` must be "he" or a number above 0. Received: magnitude={magnitude!r}. Pass e.g. 1.0.'
            )
        if not (isinstance(positive, numbers.Real) and 0 <= positive <= 1):
            raise ValueError(
                f"`positive` must be a probability from 0 to 1. Received: positive={positive!r}. Pass 0.5 for as many "
                "positive as negative weights."
            )
        super().__init__(seed=seed)
        # Python's own numbers: a configuration with NumPy's cannot be saved.
        self.magnitude: Any = magnitude if _is_he(magnitude) else float(magnitude)
        self.positive: float = float(positive)

    def __call__(self, shape: Axes, dtype: str | None = None) -> Tensor:
        """Draw weights.

        Args:
            shape: tuple of ints.
            dtype: str or None for Keras' default.

        Returns:
            Tensor.
        """
        magnitude = self.magnitude
        if _is_he(magnitude):
            magnitude = math.sqrt(2 / max(1, math.prod(shape[:-1])))
        uniform = keras.random.uniform(shape, seed=self.seed, dtype="float32")  # in [0, 1): 1 is always positive
        signs = keras.ops.where(uniform < self.positive, magnitude, -magnitude)
        return keras.ops.cast(signs, dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "magnitude": self.magnitude, "positive": self.positive}


@keras.saving.register_keras_serializable("train_by_reconnect")
class PositiveUniform(_Random):
    """Uniform in (0, high]: no score starts at 0, where its connection would already be masked.

    Args:
        high: float above 0. Defaults to 0.1.
        seed: int, `keras.random.SeedGenerator` or None, as for any initializer of Keras. Defaults to None.

    Raises:
        ValueError: `high` is out of range.

    Example:

    >>> bool(keras.ops.all(PositiveUniform()((1000,)) > 0))
    True

    Reference:
        Ivan and Florian 2020, section 2.
    """

    def __init__(self, high: float = 0.1, seed: int | keras.random.SeedGenerator | None = None) -> None:
        if not (isinstance(high, numbers.Real) and 0 < high < math.inf):
            raise ValueError(f"`high` must be a number above 0. Received: high={high!r}. Pass e.g. 0.1.")
        super().__init__(seed=seed)
        self.high: float = float(high)

    def __call__(self, shape: Axes, dtype: str | None = None) -> Tensor:
        """Draw scores.

        Args:
            shape: tuple of ints.
            dtype: str or None for Keras' default.

        Returns:
            Tensor.
        """
        # Drawn from [0, 1) in float32, of which the largest is 1 - 2**-24: 1 minus it is above 0.
        uniform = keras.random.uniform(shape, seed=self.seed, dtype="float32")
        scores = keras.ops.cast(self.high * (1 - uniform), dtype or keras.config.floatx())
        return keras.ops.where(scores > 0, scores, keras.ops.full_like(scores, self.high))  # float16 underflows

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "high": self.high}
