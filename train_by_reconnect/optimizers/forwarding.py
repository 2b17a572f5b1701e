"""Settings of an optimizer that belong to the one inside it."""

from typing import Any

import keras


class OfInner:
    """A setting that is the inner optimizer's: read and set through the wrapper."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    # Keras sets them while the base class initializes, before there is an inner optimizer.
    def __get__(self, wrapper: Any, owner: type | None = None) -> Any:
        return getattr(_inner(wrapper), self.name, None)

    def __set__(self, wrapper: Any, value: Any) -> None:
        if _inner(wrapper) is not None:
            setattr(wrapper.inner_optimizer, self.name, value)


def _inner(wrapper: Any) -> keras.optimizers.Optimizer | None:
    return None if wrapper is None else wrapper.__dict__.get("inner_optimizer")
