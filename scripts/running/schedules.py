"""How the learning rate changes from epoch to epoch."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Constant:
    """The first rate in every epoch."""

    def rate(self, first, epoch, epochs):
        """The rate of an epoch, counted from 0, of so many: `first` is that of the first one."""
        return first


@dataclasses.dataclass(frozen=True)
class Decay:
    """The rate is multiplied by a factor after each epoch.

    >>> Decay(0.5).rate(1.0, 3, 10)
    0.125
    """

    factor: float

    def rate(self, first, epoch, epochs):
        """As in `Constant`."""
        return first * self.factor**epoch


@dataclasses.dataclass(frozen=True)
class Drops:
    """The rate is divided from some epochs on; several drops multiply.

    >>> [Drops({10: 2, 20: 5}).rate(1.0, epoch, 30) for epoch in (9, 10, 20)]
    [1.0, 0.5, 0.1]
    """

    divisors: dict

    def rate(self, first, epoch, epochs):
        """As in `Constant`."""
        return first / math.prod(divisor for drop, divisor in self.divisors.items() if drop <= epoch)


@dataclasses.dataclass(frozen=True)
class Halving:
    """The rate is halved after every so many epochs.

    >>> [Halving(30).rate(1.0, epoch, 90) for epoch in (29, 30, 60)]
    [1.0, 0.5, 0.25]
    """

    every: int

    def rate(self, first, epoch, epochs):
        """As in `Constant`."""
        return first / 2 ** (epoch // self.every)


@dataclasses.dataclass(frozen=True)
class Cosine:
    """The rate falls to 0 as half a period of a cosine.

    >>> Cosine().rate(1.0, 5, 10)
    0.5
    """

    def rate(self, first, epoch, epochs):
        """As in `Constant`."""
        return first * (1 + math.cos(math.pi * epoch / epochs)) / 2
