"""Write `mid_period/BACKEND.keras`: a model saved between two synchronizations, for `test_other_backends.py`.

`KERAS_BACKEND=jax python tests/optimizers/save_mid_period.py`, once on each backend; the files are committed.
"""

import pathlib

import keras
import numpy as np

from train_by_reconnect import LaPerm

FOLDER = pathlib.Path(__file__).with_name("mid_period")
K, STEPS, BATCH = 4, 10, 4
SAVED_AT = 6  # steps, of which the synchronization at 4 is the last


def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(STEPS * BATCH, 6)).astype("float32"), rng.normal(size=(STEPS * BATCH, 2)).astype("float32")


def initial_weights():
    """Weights without a random generator of any backend."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=shape).astype("float32") for shape in ((6, 5), (5,), (5, 2), (2,))]


def network():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(2)])
    model.set_weights(initial_weights())
    model.compile(LaPerm(keras.optimizers.Adam(0.02), sync_period=K, final_sync=False), loss="mse")
    return model


def train(model, first, last):
    x, y = (part[first * BATCH : last * BATCH] for part in data())
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    network_saved = network()
    train(network_saved, 0, SAVED_AT)
    network_saved.save(FOLDER / f"{keras.backend.backend()}.keras")
