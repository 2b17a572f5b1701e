"""What LaPerm's experiments change at their laptop and quick sizes."""

from scripts.laperm.settings import conv

# The laptop size on CIFAR-10: an epoch has 140 steps, so 0.14 k synchronizes as often in it as the paper's k.
LAPTOP_STEPS = 140
_LAPTOP_IMAGES = 7000
_PAPER_STEPS = 1000


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


def laptop(**model_arguments):
    """What a training on CIFAR-10 at laptop size changes: fewer images, and whatever the network takes.

    Args:
        **model_arguments: for the model's function.

    Returns:
        Dict of arguments for `Training`.
    """
    return {
        "model_arguments": model_arguments,
        "train_limit": _LAPTOP_IMAGES,
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
