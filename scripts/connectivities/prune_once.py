"""Pruning by magnitude in the midst of a training."""

import keras
import numpy as np

from train_by_reconnect import KeepZeros, prune_by_magnitude


class PruneOnce(keras.callbacks.Callback):
    """Prune by magnitude once, before an epoch, and keep the zeros from then on.

    Args:
        epoch: int, from 0.
        sparsity: float, as in `prune_by_magnitude`.
    """

    def __init__(self, epoch, sparsity):
        super().__init__()
        self.epoch, self.sparsity = epoch, sparsity
        self._keep = KeepZeros()

    def set_model(self, model):
        """Pass the model on."""
        super().set_model(model)
        self._keep.set_model(model)

    def on_train_begin(self, logs=None):
        """Pass this on."""
        self._keep.on_train_begin()

    def on_epoch_begin(self, epoch, logs=None):
        """Prune; a training that is resumed later finds its zeros as they are."""
        if epoch == self.epoch:
            prune_by_magnitude(self.model, self.sparsity)
        if epoch >= self.epoch:
            self._keep.on_epoch_begin(epoch)

    def on_train_batch_begin(self, batch, logs=None):
        """Pass this on."""
        self._keep.on_train_batch_begin(batch)

    def on_epoch_end(self, epoch, logs=None):
        """Report the fraction of zeros."""
        if logs is not None:
            logs["changed"] = fraction_of_zeros(self.model)

    def on_train_end(self, logs=None):
        """Pass this on."""
        self._keep.on_train_end()


def fraction_of_zeros(model):
    """The fraction of zeros among all trainable weights of a model."""
    weights = [variable.numpy() for variable in model.trainable_variables]
    return sum(int(np.sum(each == 0)) for each in weights) / sum(each.size for each in weights)
