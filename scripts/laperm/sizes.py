"""What LaPerm's experiments change at their laptop and quick sizes."""

from scripts.laperm.settings import conv

# The laptop size on CIFAR-10: an epoch has 140 steps, so 0.14 k synchronizes as often in it as the paper's k.
LAPTOP_STEPS = 140
_PAPER_STEPS = 1000

# 20 steps an epoch of digits, and a small network in place of any. It is without batch normalization, whose moving
# averages so few steps leave where they started.
QUICK = {
    "data": {"name": "digits", "validation": 200, "limit": 1000, "augmentation": None},
    "network": {"name": "conv2", "arguments": {"width": 1 / 8, "dropout": 0.0, "batch_norm": False}},
    "evaluation": {"train_images": 100, "every": 1},
}


def laptop(**arguments):
    """The change to 7,000 images of CIFAR-10 or MNIST, and to whatever the function of the network takes."""
    return {
        "data": {"validation": 2000, "limit": 7000},
        "network": {"arguments": arguments},
        "evaluation": {"train_images": 1000, "every": LAPTOP_STEPS},
    }


# An epoch has 90 steps, 0.09 of the paper's.
LAPTOP_RESNET50 = {
    "data": {"validation": 1000, "limit": 4500},
    "network": {"arguments": {"width": 0.25}},
    "evaluation": {"train_images": 1000, "every": 72},
}

# As wide as the paper's, with 3 of its 8 blocks in a stage: 20 layers. An epoch has 900 steps.
OVERNIGHT_RESNET = {"network": {"arguments": {"blocks": 3}}, "evaluation": {"train_images": 5000}}


def laptop_sync_period(paper_sync_period):
    """The k that synchronizes as often in an epoch of the laptop size as the paper's does in one of its own.

    Example:

    >>> [laptop_sync_period(k) for k in (1, 50, 1000, 2000)]
    [1, 7, 140, 280]
    """
    return max(1, round(paper_sync_period * LAPTOP_STEPS / _PAPER_STEPS))


def sync_periods(size, paper_sync_periods):
    """The k of a size that synchronize as often in an epoch as some of the paper's, which ascend.

    At quick size, whose epochs have 20 steps, the last one is 20, and each other half of the next.

    Example:

    >>> {size: sync_periods(size, (50, 200, 1000)) for size in ("quick", "laptop", "paper")}
    {'quick': [5, 10, 20], 'laptop': [7, 28, 140], 'paper': [50, 200, 1000]}
    """
    if size == "quick":
        return [20 // 2**number for number in reversed(range(len(paper_sync_periods)))]
    return [laptop_sync_period(k) if size == "laptop" else k for k in paper_sync_periods]


def conv4_of_fig6(label, size, *changes):
    """Conv4 as in Fig. 6, on which the ablations change one thing at a time.

    The laptop size has half of the epochs of `laperm_fig6`; the quick size is a small Conv2 on digits.

    Example:

    >>> [conv4_of_fig6("a", size).epochs for size in ("laptop", "paper")]
    [9, 90]
    """
    epochs, *smaller = {
        "quick": (4, QUICK, {"evaluation": {"every": 10}}),
        "laptop": (9, laptop(width=0.25, dropout=0.0)),
        "paper": (90,),
    }[size]
    return conv(label, "conv4", epochs, *smaller, *changes, paper_epochs=90)
