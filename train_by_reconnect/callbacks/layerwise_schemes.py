"""Which layers a layer-wise sparse training trains: always the same ones, or some that are drawn."""

import dataclasses
import numbers
from typing import Any, Literal

import numpy as np


@dataclasses.dataclass(frozen=True)
class TopAndBottom:
    """Train the layers nearest the output, and with a probability those nearest the input too.

    What the paper calls them:

    - Top k: `TopAndBottom(top=k)`
    - Bottom q: `TopAndBottom(bottom=q)`
    - Top k + Bottom q: `TopAndBottom(top=k, bottom=q)`
    - probabilistic Top k Bottom q: `TopAndBottom(top=k, bottom=q, probability=rho)`
    - Top k All Bottoms: `TopAndBottom(top=k, bottom="all", probability=rho)`

    Args:
        top: int, at least 0, number of layers nearest the output. Defaults to 0.
        bottom: int, at least 0, number of layers nearest the input, or `"all"`. Where they overlap with the top ones,
            all layers are trained. Defaults to 0.
        probability: float from 0 to 1, of training the bottom ones in a draw; the top ones are always trained.
            Defaults to 1.

    Raises:
        ValueError: an argument is out of its range, or there would be draws that train nothing; from `draw`, the
            network has fewer layers.

    Example:

    >>> import numpy as np
    >>> TopAndBottom(top=2, bottom=1).draw(np.random.default_rng(0), depth=5)
    (0, 3, 4)

    Reference:
        Li and Banerjee 2021, section 6.1 (a) to (c) and 6.2 (a) and (b).
    """

    top: int = 0
    bottom: int | Literal["all"] = 0
    probability: float = 1.0

    def __post_init__(self) -> None:
        for name in ("top", "bottom"):
            value = getattr(self, name)
            if not _is_count(value) and (name, value) != ("bottom", "all"):
                raise ValueError(
                    f"`{name}` must be a number of layers, at least 0. Received: {name}={value!r}. Pass e.g. {name}=1."
                )
        if not _is_probability(self.probability):
            raise ValueError(
                f"`probability` must be a number from 0 to 1. Received: probability={self.probability!r}. "
                "Pass e.g. probability=0.1."
            )
        if self.top == 0 and (self.bottom == 0 or self.probability < 1):
            raise ValueError(
                f"Every draw must train a layer. Received: {self}. Pass a `top` of at least 1, or a `bottom` with the "
                "probability 1."
            )

    def draw(self, generator: np.random.Generator, depth: int) -> tuple[int, ...]:
        """The layers to train.

        Args:
            generator: `numpy.random.Generator`.
            depth: int, the number of layers of the network.

        Returns:
            Tuple of ints in ascending order, 0 being the layer nearest the input.
        """
        bottom = depth if self.bottom == "all" else self.bottom
        if max(self.top, bottom) > depth:
            raise ValueError(
                f"The scheme must fit the network, which has {depth} layers. Received: {self}. Choose fewer layers."
            )
        bottom = bottom if generator.random() < self.probability else 0
        return tuple(index for index in range(depth) if index < bottom or index >= depth - self.top)


@dataclasses.dataclass(frozen=True)
class MiddleOnly:
    """Train all layers but the one nearest the input and the one nearest the output.

    Raises:
        ValueError: from `draw`, the network has fewer than three layers.

    Example:

    >>> MiddleOnly().draw(None, depth=5)
    (1, 2, 3)

    Reference:
        Li and Banerjee 2021, section 6.1 (d).
    """

    def draw(self, generator: np.random.Generator, depth: int) -> tuple[int, ...]:
        """The layers to train, as in `TopAndBottom.draw`; nothing is random."""
        if depth < 3:
            raise ValueError(
                f"`MiddleOnly` expects a network of at least 3 layers. Received: depth={depth}. Use `TopAndBottom`."
            )
        return tuple(range(1, depth - 1))


@dataclasses.dataclass(frozen=True)
class RandomUniform:
    """Train the k layers nearest the output, k being uniform in 1, ..., d.

    Here d is the number of all layers, so that the full network is among the draws. Unlike the paper, whose section 3
    counts the hidden ones as the depth: with that number the bottom layer would never be trained.

    Example:

    >>> import numpy as np
    >>> RandomUniform().draw(np.random.default_rng(0), depth=5)
    (0, 1, 2, 3, 4)

    Reference:
        Li and Banerjee 2021, section 6.2 (c).
    """

    def draw(self, generator: np.random.Generator, depth: int) -> tuple[int, ...]:
        """The layers to train, as in `TopAndBottom.draw`."""
        return tuple(range(depth - int(generator.integers(1, depth + 1)), depth))


@dataclasses.dataclass(frozen=True)
class RandomBeta:
    """Train the k layers nearest the output, `k = round(1 + (d - 1) * b)` with b from a beta distribution.

    d is the number of all layers, as in `RandomUniform`; a half is rounded to the even number.

    Args:
        alpha: float above 0. Defaults to 2.
        beta: float above 0. Defaults to 5: few layers are likelier than many.

    Raises:
        ValueError: an argument is not above 0.

    Example:

    >>> import numpy as np
    >>> RandomBeta().draw(np.random.default_rng(0), depth=5)
    (3, 4)

    Reference:
        Li and Banerjee 2021, section 6.2 (d).
    """

    alpha: float = 2.0
    beta: float = 5.0

    def __post_init__(self) -> None:
        if not (self.alpha > 0 and self.beta > 0):
            raise ValueError(
                f"The parameters of a beta distribution must be above 0. Received: {self}. "
                "Pass e.g. alpha=2 and beta=5."
            )

    def draw(self, generator: np.random.Generator, depth: int) -> tuple[int, ...]:
        """The layers to train, as in `TopAndBottom.draw`."""
        return tuple(range(depth - round(1 + (depth - 1) * generator.beta(self.alpha, self.beta)), depth))


def _is_count(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= 0


def _is_probability(value: Any) -> bool:
    return isinstance(value, numbers.Real) and 0 <= float(value) <= 1
