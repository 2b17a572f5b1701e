"""The observer of section 6 of the rich regime paper: some layers are trained at a time, and what that costs."""

import dataclasses

from scripts.rich.backward_time import step_times
from scripts.rich.layerwise_costs import Draws, TrainingTime, costs
from scripts.running.choices import check_choice
from scripts.running.files import read_csv
from scripts.running.observers import Observation
from train_by_reconnect import (
    LayerwiseTraining,
    MiddleOnly,
    RandomBeta,
    RandomUniform,
    TopAndBottom,
    trainable_layers,
)

SCHEMES = {each.__name__: each for each in (TopAndBottom, MiddleOnly, RandomUniform, RandomBeta)}


@dataclasses.dataclass(frozen=True)
class Layerwise:
    """Train the layers that a scheme draws, and measure what their backward passes cost.

    The scheme draws with the seed of the run and the number of the epoch, so that all curves of one seed which train
    the bottom layers with one probability do so in the same epochs. Each step is timed: the training must not make
    several steps at once.

    Args:
        scheme: str, of `SCHEMES`, or None to train all layers always. Defaults to None.
        arguments: dict for the scheme.
        per: `"epoch"` or `"step"`, what a draw is for. Defaults to `"epoch"`, as in the paper.

    Raises:
        ValueError: there is no such scheme, or it does not take these arguments.
    """

    scheme: str | None = None
    arguments: dict = dataclasses.field(default_factory=dict)
    per: str = "epoch"

    def __post_init__(self):
        """Refuse what no scheme has."""
        check_choice("scheme", self.scheme, (*SCHEMES, None))
        check_choice("per", self.per, ("epoch", "step"))
        if self.arguments and self.scheme is None:
            raise ValueError(
                f"`arguments` are for a scheme. Received: arguments={self.arguments}, scheme=None. Leave them out, or "
                "name what they are for."
            )
        self.make_scheme()

    def make_scheme(self):
        """The scheme, an object with `draw`, or None."""
        return None if self.scheme is None else SCHEMES[self.scheme](**self.arguments)

    def observe(self, prepared):
        """Train what is drawn by the clock; at the end the backward passes of all sets of layers are measured."""
        if prepared.training.steps_at_once:
            raise ValueError(
                "`Layerwise` times each step. Received: steps_at_once=True. Declare the training with "
                "steps_at_once=False."
            )
        depth = len(trainable_layers(prepared.model))
        draws = Draws(self, prepared.seed, depth)

        def summary():
            by_epoch = draws.by_epoch(prepared.epochs, prepared.steps_per_epoch)
            loaded, size = prepared.loaded, prepared.training.batch_size
            sets = sorted({draws.everything}.union(*by_epoch))
            times = step_times(prepared.model, sets, loaded.x_train[:size], loaded.y_train[:size])
            seconds = read_csv(prepared.folder / "rows.csv")["train_seconds"].sum()
            return {**costs(by_epoch, times, draws.everything), "train_seconds": float(seconds)}

        scheme = self.make_scheme()
        watching = [LayerwiseTraining(scheme, self.per, prepared.seed)] if scheme else []
        return Observation([*watching, TrainingTime(draws)], summary)
