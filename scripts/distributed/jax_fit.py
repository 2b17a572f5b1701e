"""Keras' own `fit` by several processes on JAX, which `jax.distributed` joins and `keras.distribution` makes share."""

import jax
import keras

from scripts.distributed.task import STEPS, Backup, Shares, Trace, network


def train(process, addresses, folder, epochs):
    """Train as one of several processes.

    Args:
        process: int, which one, from 0.
        addresses: list of str, `"host:port"` of each; the first process is asked by all others.
        folder: `pathlib.Path`, which all see.
        epochs: int.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # for processors; GPUs have a way of their own
    jax.distributed.initialize(addresses[0], len(addresses), process, coordinator_bind_address=addresses[0])
    # Every process makes its own share of the batches: there is no data set to cut.
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    model, initial = network()
    backup, trace = Backup(model, folder, process), Trace(model, initial, folder, process)
    begun = backup.restore()
    shares = Shares(process, len(addresses))
    batches = (batch for epoch in range(begun, epochs) for batch in shares.of_epoch(epoch))
    model.fit(
        batches,
        steps_per_epoch=STEPS,
        initial_epoch=begun,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[_Watching(trace, backup)],
    )
    jax.distributed.shutdown()


class _Watching(keras.callbacks.Callback):
    def __init__(self, trace, backup):
        super().__init__()
        self.trace, self.backup = trace, backup

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.model.jax_state_sync()  # `fit` keeps the weights to itself
        self.trace.after(self._epoch * STEPS + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.backup.save(epoch + 1)
