"""All that was measured of a model or a file, and what was not."""

import dataclasses

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.instrument.kernel_profiles import KernelProfile


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A tensor that was not measured, and why.

    Args:
        name: str.
        shape: tuple of ints.
        reason: str, a sentence.
    """

    name: str
    shape: Axes
    reason: str


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the words, the page and the pictures are made of.

    Args:
        title: str, the name of the model or the file.
        kind: str, what it is.
        kernels: list of `KernelProfile`.
        skipped: list of `Skipped`, all else that there is.
        n_draws: int, how often each null was drawn.
        seed: int, of the draws.
    """

    title: str
    kind: str
    kernels: list[KernelProfile]
    skipped: list[Skipped]
    n_draws: int
    seed: int
