"""The settings of section 5 of the LaPerm paper (Qiu and Suda 2020), which its experiments share."""

from scripts.data.augmentation import Augmentation
from scripts.laperm.training import Training

NETWORK_NAMES = {"conv7": "Conv7", "conv2": "Conv2", "conv4": "Conv4", "conv13": "Conv13", "resnet50": "ResNet50"}
ADAM, LOOKAHEAD = {"optimizer": "adam"}, {"optimizer": "lookahead"}
_BATCH = 50
_EVALUATED = {"validation": 5000, "train_evaluation": 30_000}


def laperm(sync_period, **changes):
    """What makes a training one by LaPerm.

    Biases are synchronized: those of the published Conv7 still lie in the range of their He uniform draw.

    Args:
        sync_period: int, k.
        **changes: further arguments of `LaPerm`.

    Returns:
        Dict of arguments for `Training`.
    """
    return {"optimizer_arguments": {"sync_period": sync_period, "skip_bias": False, **changes}}


def laperm_resnet(sync_period, **changes):
    """The same for ResNet50, whose biases start as 0 and stay with the inner optimizer: the published ones are not 0.

    Args:
        sync_period: int, k.
        **changes: further arguments of `LaPerm`.

    Returns:
        Dict of arguments for `Training`.
    """
    return laperm(sync_period, skip_bias=True, **changes)


def conv7(label, epochs=45, **changes):
    """Conv7 on MNIST: A.5.2, the rate falling to a tenth over all epochs, however many.

    Args:
        label: str.
        epochs: int. Defaults to 45, for which the rate is multiplied by 0.95 after each.
        **changes: further arguments of `Training`.

    Returns:
        `Training`.

    Example:

    >>> conv7("a").learning_rate_decay, round(conv7("a", 9).learning_rate_decay, 4)
    (0.95, 0.7738)
    """
    settings = {
        "model": "conv7",
        "dataset": "mnist",
        "learning_rate_decay": 0.95 ** (45 / epochs),
        "augmentation": Augmentation(rotation=10, width_shift=0.1, height_shift=0.1, zoom=0.1),
        "evaluate_every": 1100,
        **_EVALUATED,
    }
    return Training(label, epochs=epochs, batch_size=_BATCH, **{**settings, **changes})


def conv(label, model, epochs, paper_epochs=125, **changes):
    """Conv2, Conv4 or Conv13 on CIFAR-10: A.5.3, the rate multiplied by 0.6 at every 10th of the paper's epochs.

    Args:
        label: str.
        model: str.
        epochs: int. Where they are not the paper's, the rate falls at the same fractions of them.
        paper_epochs: int, the paper's epochs: 90 for Conv4 in Fig. 6. Defaults to 125.
        **changes: further arguments of `Training`.

    Returns:
        `Training`.

    Example:

    >>> list(conv("a", "conv4", 90, 90).learning_rate_drops)
    [10, 20, 30, 40, 50, 60, 70, 80]
    >>> list(conv("a", "conv4", 18, 90).learning_rate_drops)
    [2, 4, 6, 8, 10, 12, 14, 16]
    """
    drops = dict.fromkeys((round(drop * epochs / paper_epochs) for drop in range(10, paper_epochs, 10)), 1 / 0.6)
    return _on_cifar10(label, model, epochs, drops, **changes)


def resnet50(label, epochs=200, **changes):
    """ResNet50 on CIFAR-10: A.5.4, the rate divided at the same fractions of all epochs.

    Args:
        label: str.
        epochs: int. Defaults to 200.
        **changes: further arguments of `Training`.

    Returns:
        `Training`.

    Example:

    >>> resnet50("a", 20).learning_rate_drops
    {8: 10, 12: 10, 16: 10, 18: 2}
    """
    drops = {round(epochs * part): by for part, by in ((0.4, 10), (0.6, 10), (0.8, 10), (0.9, 2))}
    return _on_cifar10(label, "resnet50", epochs, drops, **changes)


def _on_cifar10(label, network, epochs, drops, **changes):
    settings = {
        "model": network,
        "dataset": "cifar10",
        "scaling": "z_score",
        "augmentation": Augmentation(rotation=15, width_shift=0.1, height_shift=0.1, horizontal_flip=True),
        "learning_rate_drops": drops,
        "evaluate_every": 900,
        **_EVALUATED,
    }
    return Training(label, epochs=epochs, batch_size=_BATCH, **{**settings, **changes})
