"""The experiments of section 5 of the rich regime paper, which differ in network, depth and data set only."""

from scripts.experiment import Experiment
from scripts.rich.activity_training import ActivityTraining
from scripts.rich.draw_activity import drawing, rows, table

_DATASETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
_USUAL, _PRINTED = 0.001, 0.1  # learning rates of Adam


def relu_nets(name, dataset):
    """Where the active parameters of narrow and wide ReLU-Nets with four hidden layers are: Fig. 5 and 18.

    Args:
        name: str, the experiment.
        dataset: `"mnist"` or `"fashion_mnist"`.

    Returns:
        `Experiment` with a second picture, that of the learning rate which the paper prints.
    """

    def trainings(widths, **settings):
        return tuple(
            ActivityTraining(
                f"width {width}{suffix}",
                "relu_net",
                learning_rate=rate,
                model_arguments={"units": width, "depth": 4},
                **{"dataset": dataset, **settings},
            )
            for rate, suffix in ((_USUAL, ""), (_PRINTED, f", learning rate {_PRINTED}"))
            for width in widths
        )

    title = f"5-layer ReLU-Nets on {_DATASETS[dataset]}"
    return Experiment(
        claim="Active parameters are spread over all layers of a narrow ReLU-Net, and concentrated in the very bottom "
        "and the very top layer of a wide one.",
        trainings={
            "quick": trainings((5, 20), dataset="digits", epochs=2, train_limit=300, validation=100),
            "laptop": trainings((100, 1000), epochs=15),
            "paper": trainings((100, 5000), epochs=100),
        },
        seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
        draw=drawing(title),
        more_pictures={f"{name}_rate_{_PRINTED}": drawing(title, f"learning rate {_PRINTED}")},
        rows=rows,
        table=table,
    )


def conv_nets(depth, dataset):
    """Where the active parameters of narrow and wide Conv-Nets are: Fig. 6, 17, 19 and 20.

    Args:
        depth: int, the number of convolutions.
        dataset: `"mnist"` or `"fashion_mnist"`.

    Returns:
        `Experiment`.
    """

    def trainings(filters, depth=depth, **settings):
        return tuple(
            ActivityTraining(
                f"width {width}",
                "conv_net",
                learning_rate=_USUAL,
                model_arguments={"filters": width, "depth": depth},
                **{"dataset": dataset, **settings},
            )
            for width in filters
        )

    return Experiment(
        claim="Active parameters are spread over all layers of a narrow Conv-Net, and concentrated in the very bottom "
        "layer of a wide one.",
        trainings={
            # Four convolutions would leave nothing of the digits' 8 by 8 pixels.
            "quick": trainings((3, 6), min(depth, 3), dataset="digits", epochs=2, train_limit=300, validation=100),
            "laptop": trainings((10, 64), epochs=10, train_limit=2000, validation=500),
            "paper": trainings((10, 100), epochs=100),
        },
        seeds={"quick": (0,), "laptop": (0, 1, 2), "paper": tuple(range(5))},
        draw=drawing(f"{depth + 1}-layer Conv-Nets on {_DATASETS[dataset]}"),
        rows=rows,
        table=table,
    )
