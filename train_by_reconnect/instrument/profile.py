"""The weight profiles of a model or a file in one object: table, words, picture and page."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from train_by_reconnect.backend.types import Identifier
from train_by_reconnect.instrument.choosing import chosen, unknown
from train_by_reconnect.instrument.extras import csv_of, data_frame, needing_matplotlib, written
from train_by_reconnect.instrument.kernel_profiles import KernelProfile, profile_kernel
from train_by_reconnect.instrument.measured import Measured, Skipped
from train_by_reconnect.instrument.page import fragment, page
from train_by_reconnect.instrument.sources import open_source
from train_by_reconnect.instrument.summary import summarize
from train_by_reconnect.instrument.tensors import Source, StoredTensor
from train_by_reconnect.weights.listing import Listing
from train_by_reconnect.weights.profile_nulls import by_shape, check_draws, once
from train_by_reconnect.weights.shared_draws import SharedDraws

# A kernel of very long vectors is scored on fewer of them: memory and time have an end.
_MOST_WEIGHTS = 1 << 22


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Profile(Measured):
    """The weight profiles of a model or a file, measured; made by `profile`.

    It holds what was measured at that time, and no weights. In a notebook it shows itself.

    Args:
        title: str, the name of the model or the file.
        kind: str, what it is.
        kernels: list of what was measured of each kernel.
        skipped: list of all else that there is, each with its `name`, its `shape` and the `reason`.
        n_draws: int, how often each null was drawn.
        seed: int, of the draws.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(50)])
    >>> found = profile(model)
    >>> found.rows[0]["shape"], [skipped.shape for skipped in found.skipped]
    ((100, 50), [(50,)])
    """

    def __repr__(self) -> str:
        """What it is of, and how to see it."""
        return (
            f"<Profile of {self.title}: {len(self.kernels)} kernels, {len(self.skipped)} other tensors; print its "
            "summary(), see its frame, plot(), to_html()>"
        )

    def _repr_html_(self) -> str:
        return fragment(self)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A dict for each kernel: the fields of `ProfileScore`, and where each null lies.

        For each measure, as `plain`, and each null, as `gaussian`: `plain_gaussian` is the mean of its draws,
        `plain_gaussian_low` and `_high` hold 90 % of them between them, and `plain_gaussian_p_lower` is
        (1 + how many draws are as low as the score or lower) / (draws + 1), `plain_gaussian_p_higher` the same of as
        high or higher. `plain_against_gaussian` says what follows at 0.05: `"more alike"` than Gaussian
        noise, `"less alike"`, `"not told apart"`, or `"no answer"`.
        """
        return [kernel.row() for kernel in self.kernels]

    @property
    def frame(self) -> Any:
        """`rows` as a `pandas.DataFrame`."""
        return data_frame(self.rows)

    def summary(self) -> str:
        """What was measured, what was not and why, and what the scores show, in plain words."""
        return summarize(self)

    def plot(self, layer: str | None = None, page: int = 1) -> Any:
        """Draw all kernels on one sheet, or one of them beside its nulls.

        Args:
            layer: str, the name of a layer or of a kernel, or None for the sheet.
            page: int from 1; each sheet holds 300 kernels. Defaults to 1.

        Returns:
            A `matplotlib.figure.Figure`.

        Raises:
            ValueError: there is no such layer or page.
            ImportError: there is no matplotlib.
        """
        with needing_matplotlib():
            from train_by_reconnect.instrument import pictures
        if layer is not None:
            return pictures.one_kernel(self._kernel(layer))
        return pictures.sheet(self, page)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """One self-contained page: words, a table to sort with a small picture a kernel, and what was skipped.

        Args:
            path: str or path of the file to write, or None.

        Returns:
            Str, the page.
        """
        return written(page(self), path)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """`rows` as CSV: a shape as `3x3x1x32`, and what has no answer as `nan`.

        Args:
            path: str or path of the file to write, or None.

        Returns:
            Str, the text.
        """
        return written(csv_of(self.rows), path)

    def _kernel(self, layer: str) -> KernelProfile:
        found = [kernel for kernel in self.kernels if kernel.name == layer]
        found = found or [kernel for kernel in self.kernels if kernel.layer == layer]
        if not found:
            raise ValueError(unknown("layer", layer, [kernel.name for kernel in self.kernels]))
        return max(found, key=lambda kernel: kernel.scores.units * kernel.scores.size)


def profile(
    model_or_file: Any,
    layers: str | Sequence[str] | None = None,
    *,
    initializer: Identifier = None,
    max_units: int | None = 256,
    n_draws: int = 19,
    seed: int = 0,
    layout: Any = None,
    progress: Callable[[Sequence[StoredTensor]], Iterable[StoredTensor]] = iter,
) -> Profile:
    """Measure and draw the weight profiles of a model or a file, without any data.

    The scores are those of `score_profiles`, beside the same three nulls; here with the interval of the draws and
    p-values. One tensor at a time is read. What cannot be profiled, a kernel with NaN too, is in `skipped` with the
    reason. Of a kernel with more than 32,768 weight vectors, so many are drawn; of one with very long ones fewer than
    `max_units` are scored: no more than 4 million weights, and at least 2 vectors. Nulls are drawn by up to 4 threads,
    whose number changes nothing.

    Args:
        model_or_file: a built Keras model or layer, or the path of a file: `.keras`, `.weights.h5`, `.h5`, a SavedModel
            folder, `.safetensors` or its index, PyTorch's `.pt`, `.pth` or `.bin`, `.onnx`, or word vectors as text.
        layers: str or list of str, names of layers or of kernels. Defaults to `None`: all.
        initializer: as in `score_profiles`. Defaults to `None`: what each layer names, or Glorot uniform.
        max_units: int of at least 2, how many weight vectors of a kernel are scored, or None for all. Defaults to 256.
        n_draws: int, how often each null is drawn. No p-value is below 1 / (n_draws + 1); the time is in proportion.
            With 0 the scores stand alone. Defaults to 19, for 0.05.
        seed: int. Defaults to 0.
        layout: what a file does not say about its axes: `"keras"` (neurons are the last axis) or `"torch"` (the first)
            for tensors of an unknown layout, which are else listed as skipped, or a dict from a regular expression,
            searched in the name, to the axes that number the neurons (a tuple of ints) or to None. Defaults to `None`.
        progress: function that is given a list and iterates over it, e.g. `tqdm`. Defaults to `iter`.

    Returns:
        `Profile`.

    Raises:
        ValueError: a file that cannot be read, a model that is not built, nothing in it that can be profiled, a layer
            that does not exist, or a number out of its range.
        TypeError: neither a model nor a path.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(50, name="dense")])
    >>> [row] = profile(model, n_draws=19).rows
    >>> row["plain"] > 0.95, row["plain_gaussian"] > 0.95  # freshly drawn weights are "similar", and so is noise
    (True, True)
    """
    check_draws(max_units, n_draws, least=0)
    if initializer is not None:
        import keras

        initializer = keras.initializers.get(initializer)
    source = open_source(model_or_file, layout=layout)
    wanted = chosen(source, layers)
    skipped = [Skipped(each.name, each.shape, each.skipped) for each in source.tensors if each.skipped]
    # What is drawn for a kernel depends on its place among all, and not on which others are wanted.
    places = {id(tensor): place for place, tensor in enumerate(source.profiled)}
    order = by_shape([(tensor.shape, tensor.unit_axes or ()) for tensor in wanted])
    found: dict[int, KernelProfile] = {}
    kernels = [(each.shape, each.unit_axes or ()) for each in source.profiled]
    with SharedDraws(n_draws, seed, once=once(kernels, max_units)) as draws:
        for tensor in progress([wanted[place] for place in order]):
            place = places[id(tensor)]
            try:
                value = tensor.read()
            except ValueError as error:  # its weights are not finite: the others have nothing to do with that
                skipped.append(Skipped(tensor.name, tensor.shape, str(error)))
                continue
            found[place] = profile_kernel(tensor, value, initializer, _most_units(tensor, max_units), draws, place)
    if not found:
        raise ValueError(_nothing(source, skipped))
    measured = [found[place] for place in sorted(found)]
    return Profile(source.title, source.kind, measured, Listing(skipped), n_draws, seed)


def _most_units(tensor: StoredTensor, max_units: int | None) -> int | None:
    if max_units is None:
        return None
    return min(max_units, max(2, _MOST_WEIGHTS // max(1, tensor.size)))


def _nothing(source: Source, skipped: Sequence[Skipped]) -> str:
    reasons = "; ".join(dict.fromkeys(f"{each.name}: {each.reason.rstrip('.')}" for each in skipped[:3]))
    more = f", and {len(skipped) - 3} more" if len(skipped) > 3 else ""
    return (
        f"{source.title} must hold a kernel that can be profiled. Received: {len(source.tensors)} tensors"
        f"{f' ({reasons}{more})' if skipped else ''}. Pass a model or a file with a dense or convolutional layer whose "
        "weights are finite."
    )
