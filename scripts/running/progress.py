"""How far a run is."""

import time

import keras
import tqdm


class ProgressBar(keras.callbacks.Callback):
    """One line for a run: how far, how fast, and the newest accuracies."""

    def __init__(self, prepared):
        super().__init__()
        self.prepared, self.name = prepared, f"{prepared.folder.parent.name} {prepared.folder.name}"

    def on_train_begin(self, logs=None):
        """Start the bar where the run goes on."""
        done = int(self.model.optimizer.iterations.numpy())
        total = self.prepared.epochs * self.prepared.steps_per_epoch
        self._bar = tqdm.tqdm(total=total, initial=done, desc=self.name, unit="step", dynamic_ncols=True, leave=False)

    def on_epoch_begin(self, epoch, logs=None):
        """Note the step."""
        self._before = epoch * self.prepared.steps_per_epoch

    def on_train_batch_end(self, batch, logs=None):
        """Go on by a step, or by several, where one call makes several."""
        self._bar.update(self._before + batch + 1 - self._bar.n)

    def on_epoch_end(self, epoch, logs=None):
        """Show the accuracies."""
        shown = {name: value for name, value in (logs or {}).items() if "accuracy" in name}
        self._bar.set_postfix({"epoch": epoch + 1, **shown})

    def on_train_end(self, logs=None):
        """Close the bar."""
        self._bar.close()


class ProgressLines(keras.callbacks.Callback):
    """Without a terminal: one line every minute or so, for who reads a log."""

    def __init__(self, prepared, clock=time.monotonic, seconds=60):
        super().__init__()
        self.prepared, self.clock, self.seconds = prepared, clock, seconds
        self.name = f"{prepared.folder.parent.name} {prepared.folder.name}"

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self._last = self.clock()

    def on_epoch_begin(self, epoch, logs=None):
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Say how far the run is, if it is time."""
        now = self.clock()
        if now - self._last >= self.seconds:
            self._last = now
            done = self.prepared.part_done(self._epoch, batch)
            epochs = self.prepared.epochs
            tqdm.tqdm.write(f"{self.name}: epoch {self._epoch + 1} of {epochs}, {100 * done:.0f} % of the steps")
