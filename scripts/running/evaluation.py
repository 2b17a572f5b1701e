"""When a training is evaluated, and on which images: LaPerm's right after synchronizations, all others after epochs."""

import dataclasses

import numpy as np

from scripts.running.train_accuracy import TrainAccuracy
from train_by_reconnect import SyncEvaluation


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What is evaluated beside the held-out images, and when, if LaPerm is around the optimizer.

    Args:
        train_images: int, how many training images, drawn once, are evaluated without dropout and augmentation whenever
            the held-out ones are. Defaults to 0.
        every: int, steps between LaPerm's evaluations: at the first synchronization after that many. Defaults to 1.
        before: bool, evaluate just before a synchronization too. Defaults to `False`.
        compare: bool, with `before`, how many answers each synchronization changes. Defaults to `False`.
    """

    train_images: int = 0
    every: int = 1
    before: bool = False
    compare: bool = False

    def callbacks(self, prepared):
        """Pair: a `SyncEvaluation` or None, and a list of callbacks that evaluate after epochs."""
        evaluated = {prepared.held_out: prepared.validation_data}
        if self.train_images:
            loaded = prepared.loaded
            evaluated["train"] = random_images(loaded.x_train, loaded.y_train, self.train_images, prepared.seed)
        task = prepared.training.task
        # The paper's accuracies of LaPerm are those after a synchronization; other optimizers have epochs only.
        if prepared.training.optimizer.around == "laperm":
            options = {"every": self.every, "before": self.before, "compare": self.compare}
            return SyncEvaluation(evaluated, task.sync_metrics(), **options), []
        if self.train_images:
            return None, [TrainAccuracy(*evaluated["train"], metric=task.scores[0])]
        return None, []


def random_images(x, y, count, seed):
    """Some of the images with their labels, the same ones for the same seed.

    Raises:
        ValueError: there are not so many.

    Example:

    >>> random_images(np.arange(10), np.arange(10), 3, seed=0)
    (array([5, 9, 6]), array([5, 9, 6]))
    """
    if count > len(x):
        raise ValueError(
            f"`train_images` is at most the number of training images, {len(x):,}. Received: train_images={count}. "
            "Pass fewer."
        )
    chosen = np.random.default_rng(seed).choice(len(x), count, replace=False)
    return x[chosen], y[chosen]
