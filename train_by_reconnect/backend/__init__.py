"""What each backend of Keras does its own way: the functions of the current one, chosen here and nowhere else.

The other modules of the library write `from train_by_reconnect import backend`, and `backend.assign_if(...)`. All
backends have the same functions, of the same arguments. They are imported when one is first used: other modules of this
package are of use without any backend.
"""

import importlib
from typing import TYPE_CHECKING, Any

from train_by_reconnect.backend.chosen import backend_of_keras

if TYPE_CHECKING:
    from train_by_reconnect.backend.tensorflow import (
        are_initialized,
        as_written,
        assign_if,
        fail_when_run,
        frozen,
        keeps_in_step,
        outside_graph,
        permute_all,
        refill,
        release,
        sort_all,
    )
    from train_by_reconnect.backend.tensorflow_gradients import (
        fraction_above_zero,
        gradient_adder,
        straight_through,
        times_step,
    )

_OF_GRADIENTS = ("fraction_above_zero", "gradient_adder", "straight_through", "times_step")
__all__ = [
    "are_initialized",
    "as_written",
    "assign_if",
    "fail_when_run",
    "fraction_above_zero",
    "frozen",
    "gradient_adder",
    "keeps_in_step",
    "outside_graph",
    "permute_all",
    "refill",
    "release",
    "sort_all",
    "straight_through",
    "times_step",
]


def __getattr__(name: str) -> Any:
    """A function of the current backend."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    part = backend_of_keras() + ("_gradients" if name in _OF_GRADIENTS else "")
    return globals().setdefault(name, getattr(importlib.import_module(f"{__name__}.{part}"), name))
