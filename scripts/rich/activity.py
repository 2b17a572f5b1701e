"""The observer of section 5 of the rich regime paper: how often each parameter is active, and where those are."""

import dataclasses
import typing

import numpy as np

from scripts.running.files import replacing, write_csv
from scripts.running.observers import Observation
from train_by_reconnect import ActivityMap, plot

SHARES, FREQUENCIES = "shares.csv", "frequencies.npz"


@dataclasses.dataclass(frozen=True)
class Activity:
    """Count after every epoch the largest components of the full-batch gradient.

    The run's folder gets `shares.csv`, the layers and their shares of the active parameters, and `frequencies.npz`, a
    picture, by `train_by_reconnect.plot.tiles`, of each weight matrix, named "alpha/path of the matrix".

    Args:
        percents: tuple of numbers, alpha: how many percent of all parameters are called active. Defaults to
            `(1, 10, 30)`, the paper's.
    """

    percents: tuple = (1, 10, 30)

    files: typing.ClassVar = (SHARES, FREQUENCIES)  # for the record of the run

    def observe(self, prepared):
        """Count the active parameters; at the end it is written where they were."""
        loaded, folder = prepared.loaded, prepared.folder
        activity = SavedActivity(folder, loaded.x_train, loaded.y_train, self.percents)

        def summary():
            write_csv(folder / SHARES, layer_shares(activity))
            with replacing(folder / FREQUENCIES) as partial:
                np.savez(partial, **_pictures(activity))
            return {}

        return Observation([activity], summary)


class SavedActivity(ActivityMap):
    """`ActivityMap` in files that are named by the number of epochs counted, so that a cut run goes on counting.

    Args:
        folder: path, the folder of the run.
        x: as in `ActivityMap`.
        y: as in `ActivityMap`.
        percents: as in `ActivityMap`.
    """

    def __init__(self, folder, x, y, percents):
        super().__init__(x, y, percents)
        self.folder = folder

    def on_epoch_begin(self, epoch, logs=None):
        """Take up the counts of an earlier attempt: of as many epochs as are behind the model."""
        if epoch == self.epochs:
            return
        with np.load(self._path(epoch)) as file:
            for percent, counts in self.counts.items():
                for number, count in enumerate(counts):
                    count[...] = file[f"{percent}/{number}"]
        self.epochs = epoch

    def on_epoch_end(self, epoch, logs=None):
        """Count, and write the counts."""
        super().on_epoch_end(epoch, logs)
        smallest = np.min_scalar_type(self.epochs)
        with replacing(self._path(self.epochs)) as partial:
            np.savez(
                partial,
                **{
                    f"{percent}/{number}": count.astype(smallest)
                    for percent, counts in self.counts.items()
                    for number, count in enumerate(counts)
                },
            )
        # The model of this epoch is yet to be saved: a run cut before that goes on from the epoch before.
        self._path(self.epochs - 2).unlink(missing_ok=True)

    def _path(self, epochs):
        return self.folder / f"activity_{epochs:05d}.npz"


def layer_shares(activity):
    """Where the active parameters of a training were.

    Args:
        activity: `ActivityMap` of a training that has ended.

    Returns:
        List of dict, one for each percentage and layer: `percent`, `layer`, its number of `parameters`, its `share` of
        the active ones, and the `fraction` of its own that were active.
    """
    parameters = {}
    for path, counts in zip(activity.paths, activity.counts[activity.percents[0]], strict=True):
        layer = path.rpartition("/")[0]
        parameters[layer] = parameters.get(layer, 0) + counts.size
    return [
        {"percent": percent, "layer": layer, "parameters": parameters[layer], **numbers}
        for percent in activity.percents
        for layer, numbers in activity.shares(percent).items()
    ]


def _pictures(activity):
    return {
        f"{percent}/{path}": plot.tiles(frequency).astype("float32")
        for percent in activity.percents
        for path, frequency in zip(activity.paths, activity.frequencies(percent), strict=True)
        if frequency.ndim > 1
    }
