"""Stopping a run that would take longer than there is time for."""

import time

import keras


class OutOfTimeError(Exception):
    """A run was stopped at the end of an epoch: it goes on from there the next time."""


class StopInTime(keras.callbacks.Callback):
    """End a training, once its state is saved, before an epoch that would not end in time.

    Args:
        until: float, when it is too late, in seconds of the clock.
        epochs: int, of the whole training: after the last one nothing is left to stop.
        clock: function that gives the time in seconds. Defaults to `time.time`.
    """

    def __init__(self, until, epochs, clock=time.time):
        super().__init__()
        self.until, self.epochs, self.clock = until, epochs, clock

    def on_epoch_begin(self, epoch, logs=None):
        """Note the time."""
        self._begun = self.clock()

    def on_epoch_end(self, epoch, logs=None):
        """Stop if another epoch like this one were too long."""
        now = self.clock()
        if epoch + 1 < self.epochs and now + (now - self._begun) > self.until:
            raise OutOfTimeError(f"stopped in time after epoch {epoch + 1} of {self.epochs}")
