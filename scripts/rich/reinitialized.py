"""One training after which the parameters that moved far, or those that did not, are put back."""

import dataclasses
import re
import typing

from scripts.rich.training import PreparedRich, RichTraining
from scripts.running.files import read_csv, write_csv
from train_by_reconnect import Movement, trainable_values

PERCENTS = (0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 20, 30, 50, 70, 90, 100)
RATES = (0.1, 0.001)  # what section 3 prints, and what is usual for Adam
# For `trainings_by_width`, to try an experiment in seconds.
QUICK = {"dataset": "digits", "train_limit": 1000, "validation": 200, "percents": (0, 0.1, 1, 10, 100)}
_FILE = "reinitialized.csv"
_LABEL = re.compile(r"d = (\d+), w = (\d+), rate (.+)")


@dataclasses.dataclass(frozen=True)
class MovementTraining(RichTraining):
    """A training of section 4: at its end, accuracy after active and after lazy re-initialization, without retraining.

    Args:
        percents: tuple of ascending floats from 0 to 100, the values of gamma and of epsilon.
        **others: as in `RichTraining`.

    Raises:
        ValueError: `percents` are others.
    """

    percents: tuple = PERCENTS

    def __post_init__(self):
        """Refuse what would be found out only after the training."""
        ends = self.percents[:1] + self.percents[-1:]
        if ends != (0, 100) or list(self.percents) != sorted(set(self.percents)):
            raise ValueError(
                f"`percents` must rise from 0 to 100. Received: percents={self.percents}. The ends are the trained and "
                "the initial network: pass e.g. (0, 0.1, 1, 10, 100)."
            )

    def prepared(self, model, loaded, seed):
        """What is ready to start."""
        return PreparedMovement(self, model, loaded, seed)


class PreparedMovement(PreparedRich):
    """A training of section 4 that is ready to start."""

    def __init__(self, training, model, loaded, seed):
        super().__init__(training, model, loaded, seed)
        # A run that goes on from a checkpoint starts here too, from the same seed and so the same weights.
        self._initial = trainable_values(model)

    def callbacks(self, folder, log_dir=None):
        """None; the folder is where the curves will be written."""
        self._folder = folder
        return []

    def summary(self):
        """What is known at the end: the test accuracy of the trained and of the initial network."""
        summary = super().summary()
        movement = Movement(self.model, self._initial)
        between = self.training.percents[1:-1]
        *active, initial = movement.evaluate_active((*between, 100), self._accuracy)
        lazy = movement.evaluate_lazy(between, self._accuracy)
        trained = summary["test_accuracy"]
        curves = {"active": (trained, *active, initial), "lazy": (initial, *lazy, trained)}
        rows = [
            {"reinitialized": which, "percent": percent, "test_accuracy": accuracy}
            for which, accuracies in curves.items()
            for percent, accuracy in zip(self.training.percents, accuracies, strict=True)
        ]
        write_csv(self._folder / _FILE, rows)
        return {**summary, "test_accuracy_initial": initial, "parameters": self.model.count_params()}

    def _accuracy(self, model):
        return self.evaluate_test()["accuracy"]


class Setting(typing.NamedTuple):
    """What the label of a curve says: `depth` and `width`, int, and `rate`, float."""

    depth: int
    width: int
    rate: float


def setting_of(label):
    """The setting of a curve of `trainings_by_width`.

    Args:
        label: str.

    Returns:
        `Setting`.

    Example:

    >>> setting_of("d = 4, w = 100, rate 0.001")
    Setting(depth=4, width=100, rate=0.001)
    """
    depth, width, rate = _LABEL.fullmatch(label).groups()
    return Setting(int(depth), int(width), float(rate))


def trainings_by_width(depth, widths, epochs, rate, **changes):
    """ReLU-Nets of one depth and several widths.

    Args:
        depth: int, d.
        widths: iterable of int, w.
        epochs: int.
        rate: float, Adam's constant learning rate.
        **changes: further arguments of `MovementTraining`. `dataset` defaults to `"mnist"`.

    Returns:
        Tuple of `MovementTraining`.

    Example:

    >>> [training.label for training in trainings_by_width(1, (10, 100), 20, 0.1)]
    ['d = 1, w = 10, rate 0.1', 'd = 1, w = 100, rate 0.1']
    """
    return tuple(
        MovementTraining(
            f"d = {depth}, w = {width}, rate {rate:g}",
            "relu_net",
            epochs=epochs,
            learning_rate=rate,
            model_arguments={"units": width, "depth": depth},
            **{"dataset": "mnist", **changes},
        )
        for width in widths
    )


def reinitialized(curve):
    """What a finished run measured.

    Args:
        curve: `scripts.publishing.results.Curve`.

    Returns:
        List of dict: `reinitialized` (`"active"` or `"lazy"`), `percent` and `test_accuracy`.
    """
    return read_csv(curve.folder / _FILE)
