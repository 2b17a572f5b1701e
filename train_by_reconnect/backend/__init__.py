"""What each backend of Keras does its own way: the functions of the current one, chosen here and nowhere else.

The other modules of the library write `from train_by_reconnect import backend`, and `backend.assign_if(...)`. All
backends have the same functions, of the same arguments.
"""

from typing import TYPE_CHECKING

from train_by_reconnect.backend.chosen import backend_of_keras

BACKEND = backend_of_keras()

if TYPE_CHECKING or BACKEND == "tensorflow":
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
elif BACKEND == "jax":
    from train_by_reconnect.backend.jax import (
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
    from train_by_reconnect.backend.jax_gradients import (
        fraction_above_zero,
        gradient_adder,
        straight_through,
        times_step,
    )
else:
    from train_by_reconnect.backend.torch import (
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
    from train_by_reconnect.backend.torch_gradients import (
        fraction_above_zero,
        gradient_adder,
        straight_through,
        times_step,
    )
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
