"""The optimizers of a model: one inside another, as in `LossScaleOptimizer(LaPerm("adam"))`."""

from collections.abc import Iterator
from typing import TypeVar

import keras

_Optimizer = TypeVar("_Optimizer", bound=keras.optimizers.Optimizer)


def nested_optimizers(model: keras.Model) -> Iterator[keras.optimizers.Optimizer]:
    """The optimizer of a model and those inside it, the outermost first; none of a model that is not compiled."""
    optimizer = getattr(model, "optimizer", None)
    while optimizer is not None:
        yield optimizer
        optimizer = getattr(optimizer, "inner_optimizer", None)


def find_optimizer(model: keras.Model, of_class: type[_Optimizer]) -> _Optimizer | None:
    """The outermost optimizer of a class, or None."""
    return next((each for each in nested_optimizers(model) if isinstance(each, of_class)), None)
