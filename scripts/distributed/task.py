"""What the examples train: a small network on digits, the same in any number of processes."""

import hashlib
import json
import pathlib
import tempfile

import keras
import numpy as np

from scripts.data.datasets import load
from scripts.running.checkpoint import epochs_saved
from scripts.running.files import replacing
from train_by_reconnect import LaPerm, is_permutation

BATCH = 64  # examples of a step, of all processes together
STEPS = 20  # in an epoch
PERIOD = 10  # the k of LaPerm
SEED = 0


def network():
    """A compiled network, the same one in every process, and its initial weights."""
    keras.utils.set_random_seed(SEED)
    layers = [keras.layers.Flatten(), keras.layers.Dense(16, "tanh"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    inner = keras.optimizers.SGD(0.05, momentum=0.9)
    model.compile(LaPerm(inner, sync_period=PERIOD), "sparse_categorical_crossentropy")
    return model, model.get_weights()


class Shares:
    """The part of every batch that is one process's.

    Args:
        process: int, from 0.
        processes: int, of which `BATCH` is a multiple.
    """

    def __init__(self, process, processes):
        data = load("digits")
        self.x, self.y = data.x_train, data.y_train
        each = BATCH // processes
        self.part = slice(process * each, (process + 1) * each)

    def of_epoch(self, epoch):
        """Pairs of images and labels, for each step of an epoch; a function of the epoch alone."""
        order = np.random.default_rng([SEED, epoch]).permutation(len(self.x))
        for step in range(STEPS):
            chosen = order[step * BATCH : (step + 1) * BATCH][self.part]
            yield self.x[chosen], self.y[chosen]


class Backup:
    """The state after each epoch, which process 0 writes and from which all go on.

    Args:
        model: the compiled model.
        folder: `pathlib.Path`, which all processes see.
        process: int.
    """

    def __init__(self, model, folder, process):
        self.model, self.folder, self.process = model, folder, process

    def restore(self):
        """Load the newest state, and give the first epoch still to be trained."""
        done = epochs_saved(self.folder)
        if done:
            self.model.optimizer.build(self.model.trainable_variables)
            self.model.load_weights(self._file(done))
        return done

    def save(self, epochs_done):
        """Write the state, whole or not at all: process 0 keeps what it writes."""
        file = self._file(epochs_done)
        if self.process == 0:
            with replacing(file) as partial:
                self.model.save_weights(partial)
        elif keras.backend.backend() == "jax":
            # All take part where Keras saves a model on JAX: it puts values on all devices, and waits for them.
            with tempfile.TemporaryDirectory() as scrap:
                self.model.save_weights(pathlib.Path(scrap, file.name))

    def _file(self, epochs_done):
        return self.folder / f"epoch_{epochs_done:05d}.weights.h5"


class Trace:
    """What each process has seen: its weights after each synchronization, and just before the first.

    Args:
        model: the model that is trained.
        initial: its initial weights, as of `get_weights`.
        folder: `pathlib.Path`.
        process: int.
    """

    def __init__(self, model, initial, folder, process):
        self.model, self.initial, self.folder, self.process = model, initial, folder, process

    def after(self, step):
        """Note what there is to note after a step, counted from 1."""
        if step == PERIOD - 1 and self.process == 0:
            np.savez(self.folder / "before_the_first.npz", *self.model.get_weights())
        if step % PERIOD:
            return
        weights = self.model.get_weights()
        digest = hashlib.sha256(b"".join(weight.tobytes() for weight in weights)).hexdigest()
        noted = {"step": step, "digest": digest, "permutation": bool(is_permutation(self.model, self.initial))}
        with (self.folder / f"trace_{self.process}.jsonl").open("a") as file:
            file.write(json.dumps(noted) + "\n")
