"""The experiments of section 5 of the rich regime paper, which differ in network, depth and data set only."""

from scripts.experiment import Experiment
from scripts.rich.activity import Activity
from scripts.rich.activity_claims import activity_claims
from scripts.rich.activity_tables import activity_rows, activity_table
from scripts.rich.draw_activity import drawing
from scripts.rich.settings import PRINTED_RATE, USUAL_RATE, adam, balanced, section_3
from scripts.running.training import changed

_SEEDS = {"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))}
_QUICK = {"epochs": 2, "data": balanced("digits", limit=300, validation=100)}


def relu_nets(name, dataset):
    """Where the active parameters of narrow and wide ReLU-Nets with four hidden layers are: Fig. 5 and 18.

    Args:
        name: str, the experiment.
        dataset: `"mnist"` or `"fashion_mnist"`.

    Returns:
        `Experiment` with a second picture, that of the learning rate which the paper prints.
    """

    def trainings(widths, **changes):
        return tuple(
            _training(f"width {width}{suffix}", dataset, ("relu_net", {"units": width, "depth": 4}), rate, changes)
            for rate, suffix in ((USUAL_RATE, ""), (PRINTED_RATE, f", learning rate {PRINTED_RATE}"))
            for width in widths
        )

    return Experiment(
        claim="Active parameters are spread over all layers of a narrow ReLU-Net, and concentrated in the very bottom "
        "and the very top layer of a wide one.",
        trainings={
            "quick": trainings((5, 20), **_QUICK),
            "laptop": trainings((100, 1000), epochs=15),
            "paper": trainings((100, 5000)),
        },
        seeds=_SEEDS,
        draw=drawing(),
        more_pictures={f"{name}_rate_{PRINTED_RATE}": drawing(PRINTED_RATE)},
        rows=activity_rows,
        table=activity_table,
        claims=activity_claims(concentrated_at_top=True),
    )


def conv_nets(depth, dataset):
    """Where the active parameters of narrow and wide Conv-Nets are: Fig. 6, 17, 19 and 20.

    Args:
        depth: int, the number of convolutions.
        dataset: `"mnist"` or `"fashion_mnist"`.

    Returns:
        `Experiment`.
    """

    def trainings(filters, depth=depth, **changes):
        return tuple(
            _training(f"width {width}", dataset, ("conv_net", {"filters": width, "depth": depth}), USUAL_RATE, changes)
            for width in filters
        )

    return Experiment(
        claim="Active parameters are spread over all layers of a narrow Conv-Net, and concentrated in the very bottom "
        "layer of a wide one.",
        trainings={
            # Four convolutions would leave nothing of the digits' 8 by 8 pixels.
            "quick": trainings((3, 6), min(depth, 3), **_QUICK),
            "laptop": trainings((10, 64), epochs=10, data={"limit": 2000, "validation": 500}),
            "paper": trainings((10, 100)),
        },
        seeds=_SEEDS,
        draw=drawing(),
        rows=activity_rows,
        table=activity_table,
        claims=activity_claims(concentrated_at_top=False),
    )


def _training(label, dataset, network, rate, changes):
    """A training whose active parameters are counted, at paper size but for the changes."""
    usual = section_3(label, balanced(dataset), network, adam(rate), epochs=100, observers=(Activity(),))
    return changed(usual, changes)
