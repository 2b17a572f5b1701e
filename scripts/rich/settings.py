"""The setting of section 3 of the rich regime paper, from which its experiments differ in what they say."""

from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Halving
from scripts.running.training import Training

PRINTED_RATE, USUAL_RATE = 0.1, 0.001  # of Adam: what section 3 prints, and what is usual
_L2 = 2.5e-4  # its gradient is the paper's weight decay of 5e-4


def adam(learning_rate=USUAL_RATE):
    """The optimizer of the paper for MNIST and Fashion-MNIST."""
    return Optimizer("adam", learning_rate)


def nesterov(learning_rate=0.01, halve_every=30):
    """The optimizer of the paper for CIFAR-10: Nesterov momentum 0.9, with weight decay of whatever is trained."""
    return Optimizer("nesterov", learning_rate, Halving(halve_every), l2=_L2)


def balanced(dataset, limit=10_000, validation=5000, skip=0):
    """So many training images, equally many of each class; as it is for all of them, which None asks for.

    They are divided by their largest possible pixel; of what else is done to images the paper says nothing.
    """
    return Images(dataset, validation=validation, limit=limit, balanced=limit is not None, skip=skip)


def section_3(label, images, network, optimizer, epochs, observers=()):
    """A training in the setting of section 3.

    Args:
        label: str, the name of the curve.
        images: `Images`, usually `balanced`.
        network: pair of the name of a function of `models` and a dict of arguments for it.
        optimizer: `Optimizer`, usually `adam` or `nesterov`.
        epochs: int.
        observers: as of `Training`: what this experiment measures.

    Returns:
        `Training`.
    """
    name, arguments = network
    return Training(
        label,
        images,
        Network(name, arguments, initializer="glorot_normal"),
        epochs=epochs,
        batch_size=128,
        optimizer=optimizer,
        observers=observers,
        steps_at_once=True,
    )
