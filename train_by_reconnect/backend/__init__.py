"""What each backend of Keras does its own way: the functions of the current one, chosen here and nowhere else.

Today that is TensorFlow. The other modules of the library write `from train_by_reconnect import backend`, and
`backend.assign_if(...)`.
"""

from train_by_reconnect.backend.tensorflow import (
    are_initialized,
    assign_if,
    diverged_message,
    fail_when_run,
    outside_graph,
    permute_all,
    sort_all,
    summary_writer,
    write_scalars,
)
from train_by_reconnect.backend.tensorflow_gradients import (
    fraction_above_zero,
    gradient_adder,
    straight_through,
    times_step,
)

__all__ = [
    "are_initialized",
    "assign_if",
    "diverged_message",
    "fail_when_run",
    "fraction_above_zero",
    "gradient_adder",
    "outside_graph",
    "permute_all",
    "sort_all",
    "straight_through",
    "summary_writer",
    "times_step",
    "write_scalars",
]
