"""What the networks share: layers that each have an initializer, a regularizer and a name of their own."""

import collections
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np

# A class of layers, or another function of its arguments.
MakeLayer: TypeAlias = Callable[..., keras.Layer]
# What `keras.initializers.get` takes.
Initializer: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None
# One rate of dropout, or one for each place; None is 0.
Dropout: TypeAlias = float | Sequence[float] | None


class LayerFactory:
    """Makes the layers of one network.

    Layers are named by their kind and counted from 1 (`"conv1"`, `"dense2"`, `"output"`), so that two networks of one
    architecture have the same names. Each weight gets an initializer of its own. An instance with an integer seed would
    draw the same values for every layer of one shape, so the n-th weight of the network draws with a seed derived from
    that seed and n: one seed determines the network, and no two layers are alike.

    Args:
        conv: Callable with the arguments of `keras.layers.Conv2D`: the class of the convolutional layers.
        dense: Callable with the arguments of `keras.layers.Dense`: the class of the dense layers.
        kernel_initializer: Whatever `keras.initializers.get` takes, for every kernel. Default `"he_uniform"`.
        bias_initializer: The same for every bias. Default `"zeros"`.
        use_bias: Boolean, whether the layers have a bias. Default `True`.
        l2: Float in [0, inf), rate of the L2 regularization of the kernels of all layers but the output. Default 0.
        width: Float in (0, inf), factor on the filters and units of all layers but the output. Default 1.

    Raises:
        ValueError: If `l2` or `width` is out of range.

    Example:

    >>> layers = LayerFactory(width=0.5)
    >>> images = keras.Input((8, 8, 3))
    >>> layers.conv(images, 16).shape
    (None, 8, 8, 8)
    """

    def __init__(
        self,
        *,
        conv: MakeLayer = keras.layers.Conv2D,
        dense: MakeLayer = keras.layers.Dense,
        kernel_initializer: Initializer = "he_uniform",
        bias_initializer: Initializer = "zeros",
        use_bias: bool = True,
        l2: float = 0.0,
        width: float = 1.0,
    ) -> None:
        if not l2 >= 0:
            raise ValueError(f"`l2` must be at least 0. Received: l2={l2}. Pass l2=0 for no regularization.")
        if not 0 < width < float("inf"):
            raise ValueError(
                f"`width` must be a finite number above 0. Received: width={width}. Pass width=1 for the full network."
            )
        self._conv_class = conv
        self._dense_class = dense
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer
        self._use_bias = use_bias
        self._l2 = l2
        self._width = width
        self._counts: collections.Counter[str] = collections.Counter()

    def conv(
        self,
        inputs: keras.KerasTensor,
        filters: int,
        kernel_size: int = 3,
        *,
        strides: int = 1,
        padding: str = "same",
        activation: str | None = "relu",
    ) -> keras.KerasTensor:
        """Apply a convolutional layer: (batch, height, width, channels) to (batch, height', width', filters)."""
        layer = self._conv_class(
            self._scaled(filters),
            kernel_size,
            strides=strides,
            padding=padding,
            activation=activation,
            kernel_regularizer=self._regularizer(),
            name=self._name("conv"),
            **self._weights(),
        )
        return layer(inputs)

    def dense(self, inputs: keras.KerasTensor, units: int) -> keras.KerasTensor:
        """Apply a hidden dense layer with ReLU: (batch, features) to (batch, units)."""
        layer = self._dense_class(
            self._scaled(units),
            activation="relu",
            kernel_regularizer=self._regularizer(),
            name=self._name("dense"),
            **self._weights(),
        )
        return layer(inputs)

    def output(self, inputs: keras.KerasTensor, classes: int) -> keras.KerasTensor:
        """Apply the softmax layer, which is neither scaled nor regularized: (batch, features) to (batch, classes).

        Under mixed precision it computes in the dtype of its weights: a softmax in float16 loses small probabilities.
        """
        dtype = keras.config.dtype_policy().variable_dtype
        return self._dense_class(classes, activation="softmax", name="output", dtype=dtype, **self._weights())(inputs)

    def relu(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Apply ReLU."""
        return keras.layers.ReLU(name=self._name("relu"))(inputs)

    def add(self, *inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Add tensors of one shape."""
        return keras.layers.Add(name=self._name("add"))(inputs)

    def batch_norm(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Apply batch normalization with Keras' defaults."""
        return keras.layers.BatchNormalization(name=self._name("batch_norm"))(inputs)

    def dropout(self, inputs: keras.KerasTensor, rate: float) -> keras.KerasTensor:
        """Apply dropout, and no layer at all for a rate of 0."""
        return keras.layers.Dropout(rate, name=self._name("dropout"))(inputs) if rate else inputs

    def _name(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{kind}{self._counts[kind]}"

    def _scaled(self, units: int) -> int:
        return max(1, round(units * self._width))

    def _regularizer(self) -> keras.Regularizer | None:
        return keras.regularizers.L2(self._l2) if self._l2 else None

    def _weights(self) -> dict[str, Any]:
        return {
            "use_bias": self._use_bias,
            "kernel_initializer": self._own(self._kernel_initializer),
            "bias_initializer": self._own(self._bias_initializer),
        }

    def _own(self, initializer: Initializer) -> Initializer:
        """Give the next weight its own initializer; only a plain function or a seed generator is shared."""
        self._counts["weight"] += 1
        initializer = keras.initializers.get(initializer)
        if not isinstance(initializer, keras.initializers.Initializer):
            return initializer
        if isinstance(getattr(initializer, "seed", None), keras.random.SeedGenerator):
            return initializer  # the generator gives each weight a new seed by itself
        config = initializer.get_config()
        if isinstance(config.get("seed"), int):
            sequence = np.random.SeedSequence((config["seed"], self._counts["weight"]))
            config["seed"] = int(sequence.generate_state(1)[0])
        return type(initializer).from_config(config)


def dropout_rates(dropout: Any, count: int) -> tuple[float, ...]:
    """Give the rate of each of the `count` places where a network can have dropout.

    Args:
        dropout: Float in [0, 1), the rate of every place; or a sequence of `count` rates, in the order of the places;
            or `None`, which is 0.
        count: Positive integer, the number of places.

    Returns:
        A tuple of `count` floats.

    Raises:
        ValueError: If `dropout` has another length than `count`, or a rate is out of range.

    Example:

    >>> dropout_rates(0.4, 3)
    (0.4, 0.4, 0.4)
    """
    rates = (float(dropout or 0),) * count if np.ndim(dropout) == 0 else tuple(dropout)
    if len(rates) != count or not all(0 <= rate < 1 for rate in rates):
        raise ValueError(
            f"`dropout` must be one rate in [0, 1) or a sequence of {count} such rates. "
            f"Received: dropout={dropout}. Pass dropout=0 for a network without dropout."
        )
    return rates
