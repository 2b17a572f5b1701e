"""A callback that reports how the weight profiles move while a network trains."""

import math
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend.rows import count_rows, take_rows
from train_by_reconnect.backend.types import Logs
from train_by_reconnect.callbacks.event_file import EventFile
from train_by_reconnect.callbacks.periods import check_every
from train_by_reconnect.weights.differences import difference_sums, differences
from train_by_reconnect.weights.profiles import WeightProfile, weight_profiles
from train_by_reconnect.weights.similarity import sorted_similarity

_MOVED = ("profile_distance", "rank_moved", "sign_flips")
MEASURES = ("plain", "standardized", *_MOVED)


class ProfileMonitor(keras.callbacks.Callback):
    """Report how alike the weight profiles are, and how far they and the order within them are from the beginning.

    Every n epochs, for each kernel: `plain` and `standardized` of `profile_similarity`, and since the first epoch
    `profile_distance` (in standard deviations of the first weights), `rank_moved` and `sign_flips`, as
    `compare_profiles` defines them. Their means over all kernels are added to the logs, as `profile_plain` and so on:
    the history, `CSVLogger` and TensorBoard see them; put this callback before those. Those of each kernel are in
    `history`, a list of dicts of the epoch, `"epoch"`, and of `"kernels"`, from the name of each to its measures; with
    `log_dir` in TensorBoard too. The nulls are drawn by `profile`: a training does not wait for them.

    Of each kernel `max_units` weight vectors are measured, always the same ones, and their first values are kept: of
    LeNet-300-100 0.3 MB at the default. A kernel whose weights are NaN or infinite has nan.

    Args:
        layers: str or list of str, as in `weight_profiles`. Defaults to `None`, every kernel.
        every: int, at least 1, epochs from one measurement to the next. Defaults to 1.
        max_units: int of at least 2, or None for all. Defaults to 64.
        log_dir: str or path, where logs for TensorBoard are written. Defaults to `None`, no logs.

    Raises:
        ValueError: a number out of its range; from `fit`, a layer does not exist, or the model has no kernel.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> monitor = ProfileMonitor()
    >>> history = model.fit(np.ones((8, 4)), np.ones((8, 3)), verbose=0, callbacks=[monitor])
    >>> sorted(history.history)[1:]
    ['profile_distance', 'profile_plain', 'profile_rank_moved', 'profile_sign_flips', 'profile_standardized']
    """

    def __init__(
        self,
        layers: str | Sequence[str] | None = None,
        every: int = 1,
        max_units: int | None = 64,
        log_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        if max_units is not None and max_units < 2:
            raise ValueError(
                f"`max_units` must be at least 2, or None. Received: max_units={max_units}. Use None for all."
            )
        self.layers, self.max_units, self.log_dir = layers, max_units, log_dir
        self.every = check_every("every", every, "epochs")
        self.history: list[dict[str, Any]] = []
        self._watched: keras.Model | None = None

    def __repr__(self) -> str:
        """How often, and how much was measured."""
        return f"<ProfileMonitor, every={self.every}: {len(self.history)} epochs>"

    def on_train_begin(self, logs: Logs = None) -> None:
        """Keep the weights that the training starts with; a further `fit` of the same model goes on."""
        self._writer = None if self.log_dir is None else EventFile(self.log_dir)
        if self._watched is self.model:
            return
        self._watched, self.history = self.model, []
        self._profiles = weight_profiles(self.model, self.layers)
        random = np.random.default_rng(0)
        self._chosen = [self._choose(profile, random) for profile in self._profiles]
        self._first = [self._rows(number) for number in range(len(self._profiles))]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Measure, if it is due, and put the measures where they belong."""
        if (epoch + 1) % self.every:
            return
        measured = {profile.name: self._measure(number) for number, profile in enumerate(self._profiles)}
        self.history.append({"epoch": epoch, "kernels": measured})
        if self._writer is not None:
            for name, values in measured.items():
                self._writer.write(epoch, {f"{name}/profile/{key}": value for key, value in values.items()})
        if logs is not None:
            logs.update({_named(measure): _mean(measured, measure) for measure in MEASURES})

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the logs."""
        if self._writer is not None:
            self._writer.close()

    def _choose(self, profile: WeightProfile, random: np.random.Generator) -> np.ndarray | slice:
        units, _ = count_rows(profile.shape, profile.unit_axes)
        few = self.max_units is not None and units > self.max_units
        return np.sort(random.choice(units, self.max_units, replace=False)) if few else slice(None)

    def _rows(self, number: int) -> np.ndarray:
        profile = self._profiles[number]
        return take_rows(profile.value(), profile.unit_axes, self._chosen[number])

    def _measure(self, number: int) -> dict[str, float]:
        try:
            rows = self._rows(number)
        except ValueError:  # NaN or infinite
            return dict.fromkeys(MEASURES, math.nan)
        similarity = sorted_similarity(np.sort(rows, axis=1).astype("float64"))
        moved = differences(difference_sums(self._first[number], rows))
        return {"plain": similarity.plain, "standardized": similarity.standardized, **{n: moved[n] for n in _MOVED}}


def _named(measure: str) -> str:
    return f"profile_{measure.removeprefix('profile_')}"


def _mean(measured: dict[str, dict[str, float]], measure: str) -> float:
    """The mean over the kernels that have an answer."""
    values = [each[measure] for each in measured.values() if not math.isnan(each[measure])]
    return float(np.mean(values)) if values else math.nan
