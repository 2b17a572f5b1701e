"""Stopping and going on: a run that is cut ends with the same results as one that is not."""

import math
import shutil
import time

import keras

from scripts.running.files import disk_full, read_csv, read_json, records, replacing, write_csv, write_json

_OVERHEAD = 1 << 20  # bytes of a file beside its weights
_STATES = "epoch_*.weights.h5"


def epochs_saved(folder):
    """How many epochs of a run the newest state in its folder has, 0 without one.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "epoch_00012.weights.h5").touch()
    >>> epochs_saved(folder)
    12
    """
    return max((int(path.name[6:11]) for path in folder.glob(_STATES)), default=0)


class Checkpoint(keras.callbacks.Callback):
    """All evaluations and the state after every epoch, in one step from the old to the new.

    `BackupAndRestore` writes the weights and the number of the epoch one after the other; a kill between the two
    resumes the wrong epoch. Here the number is in the name of the file, and the file appears by renaming.
    """

    def __init__(self, prepared):
        super().__init__()
        self.prepared, self.folder = prepared, prepared.folder
        self.rows, self.seconds_before = [], 0.0

    def _saved(self):
        return sorted(self.folder.glob(_STATES))

    def restore(self):
        """Load the newest state and give the first epoch still to be trained."""
        for leftover in self.folder.glob("partial_*"):
            leftover.unlink()
        if not self._saved():
            return 0
        newest = self._saved()[-1]
        model = self.prepared.model
        model.optimizer.build(model.trainable_variables)
        model.load_weights(newest)
        epoch = epochs_saved(self.folder)
        # A kill just before the renaming leaves rows of an epoch that is trained again.
        rows = read_csv(self.folder / "rows.csv")
        self.rows = records(rows[rows["epoch"] < epoch])
        self.seconds_before = read_json(self.folder / "seconds.json")
        return epoch

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Write all evaluations so far, then the state."""
        step = int(self.model.optimizer.iterations.numpy())
        # The newest evaluation is of this epoch, or left out: a resumed run knows none of an earlier one.
        is_new = self.prepared.evaluation is not None and bool(self.prepared.evaluation.rows)
        shown = {name: value for name, value in (logs or {}).items() if is_new or not self._is_evaluated(name)}
        values = {self._named(name): value for name, value in shown.items()}
        self._collect({"epoch": epoch, "step": step, "when": "epoch", **values})
        if epoch + 1 == self.prepared.epochs:
            return  # the final synchronization is still to come: a run cut here repeats its last epoch
        seconds = self.seconds_before + time.perf_counter() - self._start
        write_json(self.folder / "seconds.json", round(seconds, 1))
        old = self._saved()
        self._check_room()
        with replacing(self.folder / f"epoch_{epoch + 1:05d}.weights.h5") as partial:
            self.model.save_weights(partial, overwrite=True)
        for path in old:
            path.unlink()

    def _check_room(self):
        """Before the weights are written: HDF5 ends the process where its file finds no room."""
        variables = [*self.prepared.model.variables, *self.prepared.model.optimizer.variables]
        size = sum(math.prod(variable.shape) * 4 for variable in variables)
        if shutil.disk_usage(self.folder).free < size + _OVERHEAD:
            raise disk_full(self.folder)

    @staticmethod
    def _is_evaluated(name):
        """Whether a value is of the last evaluation at a synchronization, which may be of an earlier epoch."""
        return name.startswith("sync_") and name != "sync_period"

    def _named(self, name):
        """What Keras calls validation may be the test set, and then must not look like anything else."""
        return f"{self.prepared.held_out}_{name[4:]}" if name.startswith("val_") else name

    def _collect(self, *more):
        if self.prepared.evaluation is not None:
            self.rows += self.prepared.evaluation.rows
            self.prepared.evaluation.rows = []
        self.rows += more
        write_csv(self.folder / "rows.csv", self.rows)

    def finish(self, summary):
        """Keep the final weights and the summary; the run is done once the summary is there."""
        self._collect()
        self._check_room()
        with replacing(self.folder / "final.weights.h5") as partial:
            self.prepared.model.save_weights(partial, overwrite=True)
        write_json(self.folder / "done.json", summary)
        for path in [*self._saved(), self.folder / "seconds.json"]:
            path.unlink(missing_ok=True)
        return summary


class SeedEveryEpoch(keras.callbacks.Callback):
    """Dropout draws from the seed and the epoch, so that a resumed run draws what an uninterrupted one would.

    Keras does not save the state of its seed generators with the weights.
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        """Set all states of this epoch."""
        states = [v for v in self.model.variables if v.path.endswith("seed_generator_state")]
        for number, state in enumerate(states):
            state.assign([self.seed * 1000 + number, epoch * 1_000_000])
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        """With PyTorch dropout draws from its own generator instead, and so does the first `next` of the batches."""
        if batch == 0 and keras.backend.backend() == "torch":
            keras.utils.set_random_seed(self.seed * 1_000_000 + self.epoch)
