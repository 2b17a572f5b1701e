"""The settings of section 5 of the LaPerm paper (Qiu and Suda 2020), which its experiments share.

A function for each kind of network makes the paper's training by Adam alone. What follows the label and the epochs are
changes, as of `scripts.running.training.changed`: `laperm(k)`, `removed(p)`, `laptop(...)`.
"""

from scripts.data.augmentation import Augmentation
from scripts.laperm.initial_weights import Sparsify
from scripts.running.evaluation import Evaluation
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Decay, Drops
from scripts.running.training import Training, changed

ADAM, LOOKAHEAD = {"optimizer": {"around": None}}, {"optimizer": {"around": "lookahead"}}


def laperm(sync_period, **arguments):
    """The change that puts LaPerm around the optimizer, with k and further arguments.

    Biases are synchronized: those of the published Conv7 still lie in the range of their He uniform draw.
    """
    return {
        "optimizer": {"around": "laperm", "arguments": {"sync_period": sync_period, "skip_bias": False, **arguments}}
    }


def laperm_resnet(sync_period, **arguments):
    """The same for ResNet50, whose biases start as 0 and stay with the inner optimizer: those published are not 0."""
    return laperm(sync_period, skip_bias=True, **arguments)


def removed(percent):
    """The change that removes so many percent of the weights at random before the training."""
    return {"initial_weights": (Sparsify(percent / 100),) if percent else ()}


def observed_by(*observers):
    """The change that adds observers to the one that all these trainings have."""
    return {"observers": (Permutation(), *observers)}


def conv7(label, epochs, *changes):
    """Conv7 on MNIST: A.5.2, the rate falling to a tenth over all epochs, however many. The paper has 45.

    Example:

    >>> conv7("a", 45).optimizer.schedule, round(conv7("a", 9).optimizer.schedule.factor, 4)
    (Decay(factor=0.95), 0.7738)
    """
    augmentation = Augmentation(rotation=10, width_shift=0.1, height_shift=0.1, zoom=0.1)
    data = Images("mnist", validation=5000, augmentation=augmentation)
    return _training(label, data, "conv7", epochs, Decay(0.95 ** (45 / epochs)), 1100, changes)


def conv(label, model, epochs, *changes, paper_epochs=125):
    """Conv2, Conv4 or Conv13 on CIFAR-10: A.5.3, the rate multiplied by 0.6 at every 10th of the paper's epochs.

    Where the epochs are not the paper's, the rate falls at the same fractions of them. The paper has 90 for Conv4 in
    Fig. 6.

    Example:

    >>> list(conv("a", "conv4", 90, paper_epochs=90).optimizer.schedule.divisors)
    [10, 20, 30, 40, 50, 60, 70, 80]
    >>> list(conv("a", "conv4", 18, paper_epochs=90).optimizer.schedule.divisors)
    [2, 4, 6, 8, 10, 12, 14, 16]
    """
    drops = dict.fromkeys((round(drop * epochs / paper_epochs) for drop in range(10, paper_epochs, 10)), 1 / 0.6)
    return _training(label, _cifar10(), model, epochs, Drops(drops), 900, changes)


def resnet50(label, epochs, *changes):
    """ResNet50 on CIFAR-10: A.5.4, the rate divided at the same fractions of all epochs. The paper has 200.

    Example:

    >>> resnet50("a", 20).optimizer.schedule.divisors
    {8: 10, 12: 10, 16: 10, 18: 2}
    """
    drops = {round(epochs * part): by for part, by in ((0.4, 10), (0.6, 10), (0.8, 10), (0.9, 2))}
    return _training(label, _cifar10(), "resnet50", epochs, Drops(drops), 900, changes)


def _cifar10():
    augmentation = Augmentation(rotation=15, width_shift=0.1, height_shift=0.1, horizontal_flip=True)
    return Images("cifar10", scaling="z_score", validation=5000, augmentation=augmentation)


def _training(label, data, network, epochs, schedule, every, changes):
    """What all of them share, with the changes."""
    training = Training(
        label,
        data,
        Network(network),
        epochs,
        batch_size=50,
        optimizer=Optimizer(schedule=schedule),
        observers=(Permutation(),),
        evaluation=Evaluation(train_images=30_000, every=every),
    )
    return changed(training, *changes)
