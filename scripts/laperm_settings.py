"""The settings of section 5 of the LaPerm paper (Qiu and Suda 2020), which its experiments share."""

from scripts.augment import Augmentation
from scripts.training import Training

NETWORK_NAMES = {"conv7": "Conv7", "conv2": "Conv2", "conv4": "Conv4", "conv13": "Conv13", "resnet50": "ResNet50"}
ADAM, LOOKAHEAD = {"optimizer": "adam"}, {"optimizer": "lookahead"}
# The laptop size on CIFAR-10: an epoch has 140 steps, so 0.14 k synchronizes as often in it as the paper's k.
LAPTOP_IMAGES, LAPTOP_STEPS = 7000, 140
_BATCH = 50
_PAPER_STEPS = 1000
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


def laptop_sync_period(paper_sync_period):
    """The k that synchronizes as often in an epoch of the laptop size as the paper's does in one of its own.

    Args:
        paper_sync_period: int.

    Returns:
        Int.

    Example:

    >>> [laptop_sync_period(k) for k in (1, 50, 1000, 2000)]
    [1, 7, 140, 280]
    """
    return max(1, round(paper_sync_period * LAPTOP_STEPS / _PAPER_STEPS))


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


def conv4_of_fig6(label, size, **changes):
    """Conv4 as in Fig. 6, on which the ablations change one thing at a time.

    Args:
        label: str.
        size: `"laptop"`, with half of the epochs of `laperm_fig6` unless they are given; `"paper"`; or `"quick"`, a
            small Conv2 on digits.
        **changes: further arguments of `Training`.

    Returns:
        `Training`.

    Example:

    >>> [conv4_of_fig6("a", size).epochs for size in ("laptop", "paper")]
    [9, 90]
    """
    sizes = {
        "quick": {"epochs": 4, **quick(evaluate_every=10)},
        "laptop": {"epochs": 9, **laptop(width=0.25, dropout=0.0)},
        "paper": {"epochs": 90},
    }
    return conv(label, **{"model": "conv4", "paper_epochs": 90, **sizes[size], **changes})


def sync_periods(size, paper_sync_periods):
    """The k of a size that synchronize as often in an epoch as some of the paper's.

    Args:
        size: `"quick"`, `"laptop"` or `"paper"`.
        paper_sync_periods: list of int, ascending.

    Returns:
        List of int: at quick size, whose epochs have 20 steps, the last one is 20, and each other half of the next.

    Example:

    >>> {size: sync_periods(size, (50, 200, 1000)) for size in ("quick", "laptop", "paper")}
    {'quick': [5, 10, 20], 'laptop': [7, 28, 140], 'paper': [50, 200, 1000]}
    """
    if size == "quick":
        return [20 // 2**number for number in reversed(range(len(paper_sync_periods)))]
    return [laptop_sync_period(k) if size == "laptop" else k for k in paper_sync_periods]


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


def laptop(**model_arguments):
    """What a training on CIFAR-10 at laptop size changes: fewer images, and whatever the network takes.

    Args:
        **model_arguments: for the model's function.

    Returns:
        Dict of arguments for `Training`.
    """
    return {
        "model_arguments": model_arguments,
        "train_limit": LAPTOP_IMAGES,
        "validation": 2000,
        "train_evaluation": 1000,
        "evaluate_every": LAPTOP_STEPS,
    }


def laptop_of_resnet50():
    """What a training of ResNet50 at laptop size changes: an epoch has 90 steps, 0.09 of the paper's.

    Returns:
        Dict of arguments for `Training`.
    """
    changes = {"epochs": 20, "train_limit": 4500, "validation": 1000, "evaluate_every": 72}
    return {**laptop(width=0.25), **changes}


def quick(**changes):
    """What a training at quick size changes: 20 steps an epoch of digits, and a small network in place of any.

    It is without batch normalization, whose moving averages so few steps leave where they started.

    Args:
        **changes: further arguments of `Training`.

    Returns:
        Dict of arguments for `Training`.
    """
    return {
        "model": "conv2",
        "model_arguments": {"width": 1 / 8, "dropout": 0.0, "batch_norm": False},
        "dataset": "digits",
        "validation": 200,
        "train_limit": 1000,
        "train_evaluation": 100,
        "evaluate_every": 1,
        "augmentation": None,
        **changes,
    }
