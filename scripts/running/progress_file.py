"""How far a run is, written beside it as it goes, for whoever asks from another process."""

import time

import keras

from scripts.running.files import read_json, write_json

_NAME = "progress.json"
_SECONDS = 2.0  # between two notes


class ProgressFile(keras.callbacks.Callback):
    """Note which part of its steps a run has made, from where this attempt began, and how long it has taken since.

    Args:
        prepared: `scripts.running.prepared.Prepared`.
        first_epoch: int, where this attempt begins.
        clock: function that gives the time in seconds. Defaults to `time.monotonic`.
    """

    async_safe = True  # it looks at no logs: on JAX a step need not end before the next begins

    def __init__(self, prepared, first_epoch, clock=time.monotonic):
        super().__init__()
        self.prepared, self.first_epoch, self.clock = prepared, first_epoch, clock

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self._begun = self._last = self.clock()

    def on_epoch_begin(self, epoch, logs=None):
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Write it down, if it is time."""
        now = self.clock()
        if now - self._last < _SECONDS:
            return
        self._last = now
        done, begun = self.prepared.part_done(self._epoch, batch), self.first_epoch / self.prepared.epochs
        noted = {"done": round(done, 4), "from": round(begun, 4), "seconds": now - self._begun}
        write_json(self.prepared.folder / _NAME, noted)


def progress_of(folder):
    """What was noted last of the run in a folder.

    Returns:
        Pair of float: the part that is done, 0 where nothing is noted, and the seconds that the whole run takes at that
        pace, or None.
    """
    try:
        noted = read_json(folder / _NAME)
    except FileNotFoundError:
        return 0.0, None
    made = noted["done"] - noted["from"]
    return noted["done"], noted["seconds"] / made if made > 0 else None


def forget_progress(folder):
    """Remove the note, of a run that is done."""
    (folder / _NAME).unlink(missing_ok=True)
