"""The trainings of section 4 of the rich regime paper: ReLU-Nets of several widths, at two learning rates."""

from scripts.rich.reinitialized import Reinitialized
from scripts.rich.settings import PRINTED_RATE, USUAL_RATE, adam, balanced, section_3
from scripts.running.training import changed

RATES = (PRINTED_RATE, USUAL_RATE)
# For `trainings_by_width`, to try an experiment in seconds.
QUICK = {
    "data": balanced("digits", limit=1000, validation=200),
    "observers": (Reinitialized((0, 0.1, 1, 10, 100)),),
    "epochs": 2,
}
LAPTOP = {"epochs": 20}


def trainings_by_width(dataset, depth, widths, rates=RATES, changes=None):
    """ReLU-Nets of one depth and several widths, each at all learning rates.

    Args:
        dataset: `"mnist"` or `"fashion_mnist"`.
        depth: int, d.
        widths: iterable of int, w.
        rates: tuple of float, Adam's constant learning rates. Defaults to both.
        changes: dict, as `scripts.running.training.changed` takes it. Defaults to the paper's size.

    Returns:
        Tuple of `Training`, rate by rate.

    Example:

    >>> [training.label for training in trainings_by_width("mnist", 1, (10, 100), (0.1,))]
    ['d = 1, w = 10, rate 0.1', 'd = 1, w = 100, rate 0.1']
    """
    return tuple(
        changed(
            section_3(
                f"d = {depth}, w = {width}, rate {rate:g}",
                balanced(dataset),
                ("relu_net", {"units": width, "depth": depth}),
                adam(rate),
                epochs=100,
                observers=(Reinitialized(),),
            ),
            changes or {},
        )
        for rate in rates
        for width in widths
    )
