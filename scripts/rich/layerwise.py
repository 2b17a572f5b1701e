"""One training in which a scheme says which layers are trained when, and what its backward passes cost."""

import dataclasses
import pathlib

import keras

import models
import train_by_reconnect
from scripts.rich.backward_time import step_times
from scripts.rich.layerwise_costs import Draws, TrainingTime, costs
from scripts.rich.training import PreparedRich, RichTraining
from scripts.running.earlier_run import earlier_run
from scripts.running.files import read_csv
from train_by_reconnect import LayerwiseTraining, trainable_layers

_FILES = (".npz", ".keras", ".h5")


@dataclasses.dataclass(frozen=True)
class LayerwiseSparseTraining(RichTraining):
    """The setting of section 6: a training of some layers at a time, on weights drawn anew or trained before.

    The scheme draws with the seed of the run and the number of the epoch, so that all curves of one seed which train
    the bottom layers with one probability do so in the same epochs.

    Args:
        scheme: str, the name of a class in `train_by_reconnect`, or None to train all layers always.
        scheme_arguments: dict for that class.
        per: `"epoch"` or `"step"`, what a draw is for. Defaults to `"epoch"`, as in the paper.
        starts_from: str or None, where the weights come from, as far as they fit: the label of a training of the same
            experiment that is run before, with the same seed; or the name of a file in the folder of data sets,
            `.npz`, `.keras` or `.h5`, as `models.initialize_from` takes it. Defaults to None: drawn at random.
    """

    scheme: str | None = None
    scheme_arguments: dict = dataclasses.field(default_factory=dict)
    per: str = "epoch"
    starts_from: str | None = None

    def prepare(self, seed, directory=None, *, jit=False):
        """Make everything that `fit` needs, as `RichTraining` does."""
        prepared = super().prepare(seed, directory, jit=jit)
        prepared.directory = directory
        return prepared

    def prepared(self, model, loaded, seed):
        """What is ready to start."""
        return PreparedLayerwise(self, model, loaded, seed)

    def steps_per_execution(self, loaded):
        """One step a call: each call is timed, and a draw may be for a step."""
        return 1

    def make_scheme(self):
        """The scheme, an object with `draw`, or None."""
        return self.scheme and getattr(train_by_reconnect, self.scheme)(**self.scheme_arguments)


class PreparedLayerwise(PreparedRich):
    """A layer-wise sparse training that is ready to start."""

    directory = None

    def callbacks(self, folder, log_dir=None):
        """The scheme, and the clock; a run that has not begun gets its weights here."""
        self._folder = pathlib.Path(folder)
        if self.training.starts_from and not int(self.model.optimizer.iterations):
            models.initialize_from(self.model, self._earlier_weights())
        depth = len(trainable_layers(self.model))
        self.draws = Draws(self.training, self.seed, depth, self.steps_per_epoch)
        scheme = self.training.make_scheme()
        watching = [LayerwiseTraining(scheme, self.training.per, self.seed)] if scheme else []
        return [*watching, TrainingTime(self.draws)]

    def summary(self):
        """What is known at the end: also how often which layers were trained, and what that costs on this machine."""
        values, by_epoch = super().summary(), self.draws.by_epoch()
        full, size = self.draws.everything, self.training.batch_size
        sets = sorted({full}.union(*by_epoch))
        times = step_times(self.model, sets, self.loaded.x_train[:size], self.loaded.y_train[:size])
        rows = [row for row in read_csv(self._folder / "rows.csv") if row["when"] == "epoch"]
        return {**values, **costs(by_epoch, times, full), "train_seconds": sum(row["train_seconds"] for row in rows)}

    def _earlier_weights(self):
        """What `models.initialize_from` takes."""
        name = self.training.starts_from
        if name.endswith(_FILES):
            path = pathlib.Path(self.directory or "") / name
            if not path.is_file():
                raise FileNotFoundError(
                    f"`starts_from` must be a file in the folder of data sets. Received: starts_from={name!r}, folder="
                    f"{self.directory}. Put the weights there, e.g. with `numpy.savez(path, *arrays)`, and name the "
                    "folder with --data; the size 'laptop' trains its own instead."
                )
            return path
        beside = earlier_run(self._folder, name, self.seed)
        trained = keras.models.clone_model(self.model)
        trained.load_weights(beside / "final.weights.h5")
        return trained
