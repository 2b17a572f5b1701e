"""Write `saved/BACKEND.keras`: a model with every kind of connectivity layer, for `test_other_backends.py`.

`KERAS_BACKEND=jax python tests/layers/save_every_kind.py`, once on each backend; the files are committed.
"""

import pathlib

import keras
import numpy as np
from keras import layers

from train_by_reconnect import BernoulliMask, EdgePopup, Masked, Signed, set_objective

FOLDER = pathlib.Path(__file__).with_name("saved")
X = np.random.default_rng(0).normal(size=(3, 6, 5, 2)).astype("float32")


def network():
    """Masked, Signed, EdgePopup and BernoulliMask, of weights and scores that do not depend on the backend."""
    fixed = [
        Masked(layers.Conv2D(3, 3, activation="relu", name="masked"), rescale=True),
        Signed(layers.SeparableConv2D(2, 2, name="signed"), train_bias=True),
    ]
    set_objective(keras.Sequential([keras.Input(X.shape[1:]), *fixed]), "minimal")
    # The last draws other masks on each backend, unless its scores say surely.
    others = [
        EdgePopup(layers.Dense(4, activation="tanh", name="popup"), sparsity=0.3),
        BernoulliMask(layers.Dense(2, name="bernoulli"), seed=3),
    ]
    model = keras.Sequential([keras.Input(X.shape[1:]), *fixed, layers.Flatten(), *others])
    generator = np.random.default_rng(1)
    for variable in model.weights:
        variable.assign(generator.normal(size=variable.shape))
    sure = others[1].scores[0]
    sure.assign(np.where(generator.random(sure.shape) < 0.5, 200.0, -200.0))
    return model


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    network().save(FOLDER / f"{keras.backend.backend()}.keras")
