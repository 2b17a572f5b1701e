"""What went wrong with a run, in one sentence."""

import math

import keras

_OURS = "Received: "  # in every sentence of ours


def sentence(error):
    r"""The sentence of an error: of TensorFlow's many lines the one that is ours, else the first.

    >>> sentence(ValueError("Graph execution error:\n\n  `k` must be 1. Received: k=0. Pass 1.\n\t [[node]]"))
    '`k` must be 1. Received: k=0. Pass 1.'
    """
    if not isinstance(error, (ValueError, OSError)) and type(error).__module__ == "builtins":
        return f"{type(error).__name__}: {error}"  # not foreseen, so that its name says more than it does
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    ours = [line for line in lines if _OURS in line or "the training has diverged" in line]
    return (ours or lines or [type(error).__name__])[0]


class StopIfDiverged(keras.callbacks.Callback):
    """End a training whose loss is no number: whatever follows would be measured of weights that are none either."""

    def on_epoch_end(self, epoch, logs=None):
        """Look at the loss."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise ValueError(
                f"The loss must be finite; the training has diverged. Received: loss={loss} in epoch {epoch + 1}. "
                "Lower the learning rate."
            )
