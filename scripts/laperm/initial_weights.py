"""What LaPerm's trainings do to the new random weights before the first step."""

import dataclasses

from scripts.running.best_epoch import has_best
from scripts.running.earlier_run import earlier_run
from scripts.running.observers import BestEpochKept
from scripts.running.training import Training
from train_by_reconnect import make_dissimilar, reduce_precision, share_value, shuffle_weight_vectors, sparsify


@dataclasses.dataclass(frozen=True)
class Sparsify:
    """Set random weights of every kernel to zero.

    Args:
        sparsity: float, or tuple with one for each kernel: the fraction of zeros.
        method: `"exact"` or `"bernoulli"`, as in `train_by_reconnect.sparsify`. Defaults to `"exact"`.
        input_limit: float or None, the most that one sparsity for all takes from the first kernel. Defaults to 0.2.
    """

    sparsity: float | tuple
    method: str = "exact"
    input_limit: float | None = 0.2

    def apply(self, prepared):
        """Draw the zeros."""
        options = {"method": self.method, "input_limit": self.input_limit}
        sparsify(prepared.model, self.sparsity, **options, seed=prepared.seed)


@dataclasses.dataclass(frozen=True)
class ShareValue:
    """Give all weights that are not zero one value: it makes a weight agnostic network."""

    value: float

    def apply(self, prepared):
        """Set the value."""
        share_value(prepared.model, self.value)


@dataclasses.dataclass(frozen=True)
class ReducePrecision:
    """Round the weights to few bits, or to one magnitude: see `train_by_reconnect.reduce_precision`."""

    precision: int | str

    def apply(self, prepared):
        """Round them."""
        reduce_precision(prepared.model, self.precision)


@dataclasses.dataclass(frozen=True)
class MakeDissimilar:
    """Give each weight vector a scale of its own, from 1 / spread to spread."""

    spread: float

    def apply(self, prepared):
        """Draw the scales."""
        make_dissimilar(prepared.model, self.spread, seed=prepared.seed)


@dataclasses.dataclass(frozen=True)
class ShuffledBestOf:
    """Take the weights of another run's best epoch, each weight vector of its kernels shuffled: the paper's N_S.

    Biases and normalization layers start as they were trained.

    Args:
        starts_from: `Training` of the same experiment, run before with the same seed, that keeps its best epoch.
    """

    starts_from: Training

    def __post_init__(self):
        """Refuse what leaves no best epoch."""
        if self.starts_from.part(BestEpochKept) is None:
            raise ValueError(
                "`starts_from` must be a training that keeps its best epoch. Received: starts_from="
                f"{self.starts_from.label!r}, which does not. Add BestEpochKept() to its observers."
            )

    def apply(self, prepared):
        """Take these weights; a run that goes on gets its own back from its checkpoint afterwards."""
        training = prepared.training
        if training.initial_weights[0] is not self or training.network.initializer is not None:
            raise ValueError(
                "With ShuffledBestOf the initial weights are those of another training. Received: initializer="
                f"{training.network.initializer!r}, initial_weights={training.initial_weights}. Leave the initializer "
                "out, and put ShuffledBestOf first."
            )
        with has_best(prepared.model, earlier_run(prepared, self.starts_from)):
            shuffle_weight_vectors(prepared.model, seed=prepared.seed)
            shuffled = prepared.model.get_weights()
        prepared.model.set_weights(shuffled)
