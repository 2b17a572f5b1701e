"""The observer of section 4 of the rich regime paper: the parameters that moved far, or did not, are put back."""

import dataclasses
import typing

from scripts.running.files import write_csv
from scripts.running.observers import Observation
from train_by_reconnect import Movement, trainable_values

PERCENTS = (0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 20, 30, 50, 70, 90, 100)
REINITIALIZED = "reinitialized.csv"


@dataclasses.dataclass(frozen=True)
class Reinitialized:
    """At the end, the test accuracy after active and after lazy re-initialization, without retraining.

    The run's folder gets `reinitialized.csv`, both curves.

    Args:
        percents: tuple of ascending floats from 0 to 100, the values of gamma and of epsilon. Defaults to `PERCENTS`.

    Raises:
        ValueError: `percents` are others.
    """

    percents: tuple = PERCENTS

    files: typing.ClassVar = (REINITIALIZED,)  # for the record of the run

    def __post_init__(self):
        """Refuse what would be found out only after the training."""
        ends = self.percents[:1] + self.percents[-1:]
        if ends != (0, 100) or list(self.percents) != sorted(set(self.percents)):
            raise ValueError(
                f"`percents` must rise from 0 to 100. Received: percents={self.percents}. The ends are the trained and "
                "the initial network: pass e.g. (0, 0.1, 1, 10, 100)."
            )

    def observe(self, prepared):
        """Keep the initial weights, which a run that goes on from a checkpoint has here too, from its seed."""
        initial = trainable_values(prepared.model)

        def summary():
            def accuracy(model):
                return prepared.evaluate_test()["accuracy"]

            movement = Movement(prepared.model, initial)
            active = movement.evaluate_active(self.percents, accuracy)
            # The ends belong to both curves: nothing put back is the trained network, and all of it the initial one.
            lazy = [active[-1], *movement.evaluate_lazy(self.percents[1:-1], accuracy), active[0]]
            rows = [
                {"reinitialized": which, "percent": percent, "test_accuracy": value}
                for which, values in (("active", active), ("lazy", lazy))
                for percent, value in zip(self.percents, values, strict=True)
            ]
            write_csv(prepared.folder / REINITIALIZED, rows)
            return {"test_accuracy_initial": active[-1], "parameters": prepared.model.count_params()}

        return Observation(summary=summary)
