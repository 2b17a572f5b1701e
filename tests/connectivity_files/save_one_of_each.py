"""Writes a small connectivity file of each kind into `saved`, which every later version must read.

`PYTHONPATH=. python tests/connectivity_files/save_one_of_each.py`, once for each version of the format: those that are
there stay.
"""

import pathlib

import keras
import numpy as np

from train_by_reconnect import (
    InitialRule,
    Masked,
    Signed,
    connectivity_model,
    draw_initial_weights,
    save_connectivity,
    save_connectivity_update,
    strip,
)
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.connectivity_files.container import VERSION
from train_by_reconnect.connectivity_files.kernels import kernels_in

SAVED = pathlib.Path(__file__).with_name("saved")
FOLDER = SAVED / f"version_{VERSION}"
RULE = InitialRule("he_uniform", seed=11, sparsity=0.25)
DENSE = InitialRule("glorot_uniform", seed=13)
CONSTANT = InitialRule("signed_constant", seed=12, magnitude=0.5, positive=0.75)


def network(rule, dtype="float32"):
    """A network with a convolution, batch normalization and a bias, whose kernels are drawn by a rule."""
    layers = [
        keras.layers.Conv2D(4, 3, name="conv", use_bias=False, dtype=dtype),
        keras.layers.BatchNormalization(name="normalization", dtype=dtype),
        keras.layers.Flatten(name="flatten", dtype=dtype),
        keras.layers.Dense(3, name="dense", dtype=dtype),
    ]
    model = keras.Sequential([keras.Input((5, 4, 2), name="inputs"), *layers], name="small")
    draw_initial_weights(
        model, rule.rule, rule.seed, sparsity=rule.sparsity, magnitude=rule.magnitude, positive=rule.positive
    )
    model.get_layer("dense").bias.assign([0.5, -1.0, 2.0])
    return model


def long(rule):
    """A network whose weight vector is cut into parts."""
    model = keras.Sequential([keras.Input((600,), name="inputs"), keras.layers.Dense(1, name="dense")], name="long")
    draw_initial_weights(model, rule.rule, rule.seed)
    return model


def permuted(rule, dtype="float32"):
    """Weight vector i is turned by 5 i + 1 places."""
    return turned(network(rule, dtype))


def swapped(model):
    """The first two weights of the last vector of each kernel change places."""
    for kernel in kernels_in(model):
        value = keras.ops.convert_to_numpy(kernel.variable).copy()
        value.reshape(-1, value.shape[-1])[:2, -1] = value.reshape(-1, value.shape[-1])[1::-1, -1].copy()
        kernel.variable.assign(value)
    return model


def turned(model):
    """Weight vector i is turned by 5 i + 1 places."""
    for kernel in kernels_in(model):
        rows = to_rows(keras.ops.convert_to_numpy(kernel.variable), kernel.axes, np)
        moved = np.stack([np.roll(row, 5 * number + 1) for number, row in enumerate(rows)])
        kernel.variable.assign(from_rows(moved, kernel.variable.shape, kernel.axes, np))
    return model


def changed(wrap, rule):
    """Every third connection is masked or flipped."""
    model = connectivity_model(network(rule), wrap, seed=0)
    for name in ("conv", "dense"):
        (scores,) = model.get_layer(name).scores
        size = int(np.prod(scores.shape))
        scores.assign(np.where(np.arange(size) % 3 == 0, -1.0, 1.0).reshape(scores.shape))
    return strip(model)


def signed_mask(rule):
    """Of every six connections the first is flipped, and the fourth masked."""
    model = network(rule)
    for kernel in kernels_in(model):
        value = keras.ops.convert_to_numpy(kernel.variable)
        factors = np.resize(np.array([-1, 1, 1, 0, 1, 1], "float32"), value.shape)
        kernel.variable.assign(value * factors)
    return model


def rescaled(rule):
    """Every third connection is masked, and the others are divided by 0.75, here by NumPy: backends round otherwise."""
    model = network(rule)
    for kernel in kernels_in(model):
        value = keras.ops.convert_to_numpy(kernel.variable)
        is_masked = (np.arange(value.size) % 3 == 0).reshape(value.shape)
        kernel.variable.assign(np.where(is_masked, value * np.float32(0), value / np.float32(0.75)))
    return model


# Name of the file: the network, where its initial weights come from, and the codec.
KINDS = {
    "permuted_range": (lambda: permuted(RULE), RULE, "range"),
    "parts_range": (lambda: turned(long(DENSE)), DENSE, "range"),
    "permuted_little": (lambda: swapped(permuted(RULE)), RULE, "range"),
    "permuted_packed": (lambda: permuted(RULE), RULE, "packed"),
    "permuted_float16": (lambda: permuted(RULE, "float16"), RULE, "range"),
    "permuted_bfloat16": (lambda: permuted(RULE, "bfloat16"), RULE, "packed"),
    "stored_range": (lambda: permuted(RULE), "stored", "range"),
    "stored_packed": (lambda: permuted(CONSTANT), "stored", "packed"),
    "reference_range": (lambda: permuted(RULE), FOLDER / "initial.tbr", "range"),
    "masked_range": (lambda: changed(Masked, RULE), RULE, "range"),
    "masked_packed": (lambda: changed(Masked, CONSTANT), CONSTANT, "packed"),
    "flipped_range": (lambda: changed(Signed, RULE), RULE, "range"),
    "signed_mask_range": (lambda: signed_mask(RULE), RULE, "range"),
    "rescaled_packed": (lambda: rescaled(RULE), RULE, "packed"),
}

# Name of the update: the files before and after.
UPDATES = {
    "update_anew": ("initial", "permuted_range"),
    "update_moved": ("permuted_range", "permuted_little"),
    "update_toggled": ("masked_range", "flipped_range"),
}


def main():
    """Write those that are missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "initial.tbr").exists():
        save_connectivity(network(RULE), FOLDER / "initial.tbr", RULE)
    for name, (make, initial, codec) in KINDS.items():
        if not (FOLDER / f"{name}.tbr").exists():
            save_connectivity(make(), FOLDER / f"{name}.tbr", initial, codec=codec)
    for name, (before, after) in UPDATES.items():
        if not (FOLDER / f"{name}.tbu").exists():
            save_connectivity_update(FOLDER / f"{before}.tbr", FOLDER / f"{after}.tbr", FOLDER / f"{name}.tbu")


if __name__ == "__main__":
    main()
