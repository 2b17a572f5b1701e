"""Rules for initial weights that give the same ones on every machine, backend and version."""

import dataclasses
import math
import numbers
import weakref
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from train_by_reconnect.connectivity_files import random_words
from train_by_reconnect.connectivity_files.kernels import kernels_in

# Of variance scaling: the factor, and what the variance is divided by.
_SCALED = {"glorot_uniform": (1, "average"), "he_uniform": (2, "in"), "lecun_uniform": (1, "in")}
RULES = (*_SCALED, "signed_constant", "positive_uniform")


@dataclasses.dataclass(frozen=True)
class InitialRule:
    """A rule and a seed that together are the initial weights of any network.

    By the rule each weight is:

    - `"glorot_uniform"`: uniform in `+-sqrt(6 / (fan_in + fan_out))`, as with Keras' initializers of these names
    - `"he_uniform"`: uniform in `+-sqrt(6 / fan_in)`
    - `"lecun_uniform"`: uniform in `+-sqrt(3 / fan_in)`
    - `"signed_constant"`: `+-magnitude`, as `SignedConstant`: `sqrt(2 / fan_in)`, or a number
    - `"positive_uniform"`: uniform in (0, `magnitude`), as `PositiveUniform`

    The numbers are those of a counter-based generator, Philox4x64-10, whose key is the seed and the number of the
    kernel; all that is computed of them is exact or rounded correctly in float32, and only then cast to the dtype of
    the kernel. So they depend neither on a machine nor on versions (docs/connectivity_files.md says it in full). Normal
    distributions are left out: they need logarithms, which differ between machines in their last bit.

    Args:
        rule: str, see above. Defaults to `"he_uniform"`.
        seed: int from 0 to 2**64 - 1. Defaults to 0.
        sparsity: float in [0, 1], or a tuple with one for each kernel: the fraction of weights that are zero,
            rounded to whole weights of a kernel, in places that the seed decides. Defaults to 0.
        magnitude: `"he"` or float above 0, of `"signed_constant"`; float above 0 of `"positive_uniform"`. Defaults to
            `"he"`, and to 0.1 for `"positive_uniform"`.
        positive: float in [0, 1], the probability of a positive sign with `"signed_constant"`. Defaults to 0.5.

    Raises:
        ValueError: one of these has another value.

    Example:

    >>> InitialRule("signed_constant", seed=3, magnitude=0.5).kernel((2, 3), 0).tolist()
    [[-0.5, 0.5, 0.5], [-0.5, -0.5, 0.5]]
    """

    rule: str = "he_uniform"
    seed: int = 0
    sparsity: float | tuple[float, ...] = 0.0
    magnitude: float | Literal["he"] = "he"
    positive: float = 0.5

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(
                f"`rule` must be one of {', '.join(RULES)}. Received: rule={self.rule!r}. Normal distributions are not "
                "among them, as they cannot be drawn alike on every machine."
            )
        if isinstance(self.seed, bool) or not isinstance(self.seed, numbers.Integral) or not 0 <= self.seed < 2**64:
            raise ValueError(
                f"`seed` must be an integer from 0 to 2**64 - 1. Received: seed={self.seed!r}. Pass e.g. 0."
            )
        rates = self.sparsity if isinstance(self.sparsity, (tuple, list)) else (self.sparsity,)
        for name, values in (("sparsity", rates), ("positive", (self.positive,))):
            if not all(_is_number(value) and 0 <= value <= 1 for value in values):
                received = f"{name}={getattr(self, name)!r}"
                raise ValueError(f"`{name}` must be a fraction from 0 to 1. Received: {received}. Pass e.g. 0.5.")
        if self.magnitude != "he" and not (_is_number(self.magnitude) and 2.0**-60 <= self.magnitude <= 2.0**60):
            raise ValueError(
                '`magnitude` must be "he" or a number from 2**-60 to 2**60. Received: '
                f"magnitude={self.magnitude!r}. Pass e.g. 1.0."
            )
        plain = tuple(map(float, rates)) if isinstance(self.sparsity, (tuple, list)) else float(rates[0])
        magnitude = self.magnitude if self.magnitude == "he" else float(self.magnitude)
        for name, value in (("seed", int(self.seed)), ("sparsity", plain), ("magnitude", magnitude)):
            object.__setattr__(self, name, value)

    def kernel(self, shape: Sequence[int], number: int) -> np.ndarray:
        """The initial weights of one kernel.

        Args:
            shape: tuple of ints.
            number: int, the how manieth kernel of its network it is, from 0.

        Returns:
            Array of float32.
        """
        shape = tuple(shape)
        size = math.prod(shape)
        values = self._values(shape, number, size)
        zeros = round(self._rate(number) * size)
        if zeros:
            values[random_words.lowest(self.seed, number | random_words.ZEROS, size, zeros)] = 0
        return values.reshape(shape)

    def _rate(self, number: int) -> float:
        if not isinstance(self.sparsity, tuple):
            return self.sparsity
        if number >= len(self.sparsity):
            raise ValueError(
                f"`sparsity` must hold a fraction for each kernel. Received: {len(self.sparsity)} of them for "
                f"a network with more than {number} kernels. Pass one for each, or a single one for all."
            )
        return self.sparsity[number]

    def _values(self, shape: tuple[int, ...], number: int, size: int) -> np.ndarray:
        fan_in, fan_out = _fans(shape)
        if self.rule == "signed_constant":
            fan = max(1, math.prod(shape[:-1]))
            magnitude = np.float32(math.sqrt(2 / fan) if self.magnitude == "he" else self.magnitude)
            return np.where(random_words.below(self.seed, number, size, self.positive), magnitude, -magnitude)
        values = random_words.symmetric(self.seed, number, size)
        if self.rule == "positive_uniform":
            return np.abs(values) * np.float32(0.1 if self.magnitude == "he" else self.magnitude)
        scale, mode = _SCALED[self.rule]
        limit = math.sqrt(3 * scale / max(1.0, fan_in if mode == "in" else (fan_in + fan_out) / 2))
        return values * np.float32(limit)


# Which rule drew the weights of a model; it goes with the model.
_drawn: weakref.WeakKeyDictionary[keras.Model, InitialRule] = weakref.WeakKeyDictionary()


def draw_initial_weights(model: keras.Model, rule: str = "he_uniform", seed: int = 0, **arguments: Any) -> InitialRule:
    """Set every kernel of a model to initial weights that a rule and a seed say on every machine.

    A network that is then trained by permutation, masks or signs is stored by `save_connectivity` as the rule, the seed
    and its connectivity. Biases and normalization layers keep their values.

    Args:
        model: a built `keras.Model`, also one with layers such as `Masked`, whose fixed kernels are drawn.
        rule: str, as of `InitialRule`. Defaults to `"he_uniform"`.
        seed: int, at least 0. Defaults to 0.
        **arguments: the others of `InitialRule`: `sparsity`, `magnitude`, `positive`.

    Returns:
        The `InitialRule`; pass it to `save_connectivity` where the model that is saved is another one than this, e.g.
        one that `connectivity_model` made of it.

    Raises:
        ValueError: the model is not built or has no kernel, and as from `InitialRule`.

    Example:

    >>> model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])
    >>> draw_initial_weights(model, "he_uniform", seed=1).rule
    'he_uniform'
    >>> bool(np.abs(keras.ops.convert_to_numpy(model.layers[0].kernel)).max() < 1)  # the limit, sqrt(6 / 6)
    True

    Reference:
        Qiu and Suda 2020, section 7; Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox).
    """
    initial = InitialRule(rule, seed, **arguments)
    kernels = kernels_in(model)
    if not kernels:
        raise ValueError(
            f"`model` must have a kernel. Received: model={model.name!r}, which has none. Pass a model with `Dense` or "
            "convolutional layers."
        )
    for number, kernel in enumerate(kernels):
        kernel.variable.assign(initial.kernel(kernel.variable.shape, number).astype(_dtype(kernel.variable)))
    remember_rule(model, initial)
    return initial


def remember_rule(model: keras.Model, initial: InitialRule) -> None:
    """Let `save_connectivity` know what the weights of a model come from."""
    _drawn[model] = initial


def rule_of(model: keras.Model) -> InitialRule | None:
    """The rule by which the weights of this model were drawn, if they were."""
    return _drawn.get(model)


def _dtype(variable: keras.Variable) -> np.dtype:
    return keras.ops.convert_to_numpy(variable).dtype


def _fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """The fans that Keras' variance scaling takes of a shape."""
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
