"""Two models or files beside each other, kernel by kernel: before and after training, a base and what it became."""

import dataclasses
import os
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from train_by_reconnect.backend.rows import count_rows, take_rows
from train_by_reconnect.instrument.extras import csv_of, data_frame, needing_matplotlib, written
from train_by_reconnect.instrument.matching import axes_of, matched
from train_by_reconnect.instrument.measured import Skipped
from train_by_reconnect.instrument.sources import open_source
from train_by_reconnect.instrument.summary import left_out
from train_by_reconnect.instrument.tensors import StoredTensor
from train_by_reconnect.weights.differences import difference_sums, differences
from train_by_reconnect.weights.listing import Listing

_BLOCK = 1 << 21  # weights of each model at a time: what is made of them is some times as large
_DRAWN = (
    ("profile_distance", "distance of profiles"),
    ("rank_moved", "rank moved"),
    ("ranking_distance", "ranking distance"),
    ("sign_flips", "sign flips"),
    ("changed", "changed"),
)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class ProfileComparison:
    """What differs between two models or files, made by `compare_profiles`.

    Args:
        first, second: str, the names of the two.
        rows: list of dicts, one for each kernel that both have.
        skipped: list of what was not compared, each with its `name`, its `shape` and the `reason`.
        by_place: bool, whether the kernels were matched by their place, as no name is in both.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> compare_profiles(model, model).rows[0]["changed"]
    0.0
    """

    first: str
    second: str
    rows: list[dict[str, Any]]
    skipped: list[Skipped]
    by_place: bool = False

    def __repr__(self) -> str:
        """What it is of, and how to see it."""
        return (
            f"<ProfileComparison of {self.first} and {self.second}: {len(self.rows)} kernels, {len(self.skipped)} not "
            "compared; print its summary(), see its frame, plot()>"
        )

    def _repr_html_(self) -> Any:
        return self.frame.to_html(index=False, float_format="{:.4g}".format)

    @property
    def frame(self) -> Any:
        """`rows` as a `pandas.DataFrame`."""
        return data_frame(self.rows)

    def summary(self) -> str:
        """What differs, and what was not compared and why, in plain words."""
        return "\n".join([*self._differences(), *left_out(self.skipped, "compared")])

    def plot(self) -> Any:
        """Draw how far each kernel has moved, a panel a measure.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ImportError: there is no matplotlib.
        """
        with needing_matplotlib():
            from train_by_reconnect.instrument import pictures
        return pictures.comparison(self.rows, f"{self.first} and {self.second}", _DRAWN)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """`rows` as CSV.

        Args:
            path: str or path of the file to write, or None.

        Returns:
            Str, the text.
        """
        return written(csv_of(self.rows), path)

    def _differences(self) -> list[str]:
        how = "by their place, as they have no name in common" if self.by_place else "by name"
        total = sum(row["units"] * row["size"] for row in self.rows)
        lines = [f"{self.first} and {self.second}: {len(self.rows)} kernels, {total:,} weights, matched {how}."]
        if all(row["changed"] == 0 for row in self.rows):
            return [*lines, "All their weights are the same."]

        def of_all(column: str) -> float:
            return sum(row[column] * row["units"] * row["size"] for row in self.rows) / total

        farthest = max(self.rows, key=lambda row: row["profile_distance"])
        middle = statistics.median(row["profile_distance"] for row in self.rows)
        moved, flips, changed = (of_all(column) for column in ("rank_moved", "sign_flips", "changed"))
        stay = "Where profiles stay and ranks move, the weights were rearranged."
        return [
            *lines,
            f"{changed:.2%} of the weights have another value, {flips:.2%} another sign, and {moved:.2%} another rank "
            f"within their weight vector; zeros: {of_all('zeros_first'):.2%} and {of_all('zeros_second'):.2%}.",
            f"In the median kernel a weight of a profile moved by {middle:.3g} standard deviations, in "
            f"{farthest['name']} by {farthest['profile_distance']:.3g}. {stay}",
        ]


def compare_profiles(
    first: Any,
    second: Any,
    *,
    layout: Any = None,
    progress: Callable[[Sequence[Any]], Iterable[Any]] = iter,
) -> ProfileComparison:
    """Compare two models or files, kernel by kernel, without any data.

    Kernels are matched by name and shape; where no name is in both and the shapes are the same one after the other, by
    place. Every weight counts. Each row says of one kernel:

    - `profile_distance`: the mean Wasserstein-1 distance of a sorted weight vector from its other self, in standard
      deviations of the first kernel;
    - `rank_moved`: the share of weights whose rank within the weight vector is another. Equal weights rank in order of
      position, so among many zeros ranks move with few changes;
    - `ranking_distance`: the mean change in rank, divided by the size of a weight vector, 0 to 1/2;
    - `sign_flips`: the share of weights of opposite sign (a zero has none), `changed`: of another value;
    - `zeros_first`, `zeros_second`: the share of zeros.

    Args:
        first: a built Keras model or layer, or the path of a file, as `profile` takes it.
        second: another, or the same later.
        layout: as in `profile`, of both.
        progress: function that is given a list and iterates over it, e.g. `tqdm`. Defaults to `iter`.

    Returns:
        `ProfileComparison`.

    Raises:
        ValueError: a file that cannot be read, or no kernel that both have.
        TypeError: neither a model nor a path.

    Example:

    >>> import keras
    >>> from train_by_reconnect import shuffle_weight_vectors
    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(50, name="dense")])
    >>> other = keras.models.clone_model(model)
    >>> other.set_weights(model.get_weights())
    >>> _ = shuffle_weight_vectors(other, seed=0)
    >>> [row] = compare_profiles(model, other).rows
    >>> row["profile_distance"], row["rank_moved"] > 0.9  # the same profiles, in another order
    (0.0, True)

    Reference:
        Qiu and Suda 2020, section 3, for the ranking distance.
    """
    one, other = open_source(first, layout=layout), open_source(second, layout=layout)
    pairs, skipped, by_place = matched(one, other)
    rows = []
    for a, b in progress(pairs):
        try:
            rows.append(_row(a, b))
        except ValueError as error:  # its weights are not finite
            skipped.append(Skipped(a.name, a.shape, str(error)))
    if not rows:
        raise ValueError(
            f"Two models must share a kernel to be compared. Received: {one.title} with {len(one.profiled)} and "
            f"{other.title} with {len(other.profiled)}, none of which could be compared"
            f"{f' ({skipped[0].name}: {skipped[0].reason[:-1]})' if skipped else ''}. Pass two of one architecture."
        )
    return ProfileComparison(one.title, other.title, rows, Listing(skipped), by_place)


def _row(a: StoredTensor, b: StoredTensor) -> dict[str, Any]:
    axes = axes_of(a)
    before, after = a.read(), b.read()
    units, size = count_rows(a.shape, axes)
    step = max(1, _BLOCK // size)
    parts = [slice(start, start + step) for start in range(0, units, step)]
    sums = sum(difference_sums(take_rows(before, axes, part), take_rows(after, axes, part)) for part in parts)
    named = {"name": a.name, "layer": a.layer, "shape": a.shape, "units": units, "size": size}
    return {**named, **differences(np.asarray(sums))}
