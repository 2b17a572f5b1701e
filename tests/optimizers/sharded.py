"""Train on four simulated devices, by each of Keras' distributions and on one; see `test_sharded.py`."""

import json
import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import keras
import numpy as np

from train_by_reconnect import (
    LaPerm,
    LayerwiseTraining,
    Lookahead,
    Masked,
    Signed,
    SyncEvaluation,
    TopAndBottom,
    is_permutation,
    set_objective,
)

STEPS, K = 10, 4


def distribution(how):
    devices = keras.distribution.list_devices()[:4]
    if how == "data":
        # All of them get all of the data, and take their shares of each batch.
        return keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    mesh = keras.distribution.DeviceMesh((1, 4), ["batch", "model"], devices)
    layout = keras.distribution.LayoutMap(mesh)
    layout[".*/conv/kernel"] = (None, None, None, "model")
    layout[".*/dense/kernel"] = (None, "model")
    return keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch", auto_shard_dataset=False)


def network():
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Conv2D(8, 3, activation="relu", name="conv"),
        keras.layers.Flatten(),
        keras.layers.Dense(4, name="dense"),
    ]
    return keras.Sequential([keras.Input((6, 6, 2)), *layers])


def trained(wrapper, how):
    keras.distribution.set_distribution(None if how == "one" else distribution(how))
    model = network()
    start = model.get_weights()
    optimizer = wrapper(keras.optimizers.Adam(0.01), sync_period=K)
    model.compile(optimizer, loss="mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(STEPS * 8, 6, 6, 2)).astype("float32"), rng.normal(size=(STEPS * 8, 4)).astype("float32")
    optimizer.final_sync = False
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    weights = [weight.tolist() for weight in model.get_weights()]
    permuted = None
    if wrapper is LaPerm:
        optimizer.synchronize()
        permuted = bool(is_permutation(model, start))
    spread = [len({str(shard.index) for shard in variable.value.addressable_shards}) for variable in model.variables]
    found = {"weights": weights, "last_sync": optimizer.last_sync, "permuted": permuted, "shards": spread}
    if wrapper is LaPerm:
        found["program"] = program(optimizer, model.trainable_variables)
        found["rows"] = [len({str(s.index) for s in v.value.addressable_shards}) for v in optimizer._sorted]
    return found


def program(optimizer, variables):
    """The compiled step of the optimizer: which collective operations it has, and of which shapes."""
    import jax

    state, values = ([each.value for each in part] for part in (optimizer.variables, variables))
    compiled = jax.jit(optimizer.stateless_apply, donate_argnums=(0, 2)).lower(state, values, values).compile()
    kinds = ("all-gather", "all-to-all", "collective-permute", "all-reduce")
    return [line.strip()[:200] for line in compiled.as_text().splitlines() if any(f" {kind}" in line for kind in kinds)]


def evaluated(how):
    """The rows of `SyncEvaluation`, of 30 examples, which no number of devices divides, beside layer-wise training."""
    keras.distribution.set_distribution(None if how == "one" else distribution(how))
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = np.argmax(x[:, :3], axis=1)
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(LaPerm(keras.optimizers.Adam(0.05), sync_period=2), "sparse_categorical_crossentropy")
    evaluation = SyncEvaluation({"test": (x[:30], y[:30])}, before=True, compare=True)
    layerwise = LayerwiseTraining(TopAndBottom(top=1))
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[layerwise, evaluation])
    return evaluation.rows


def masked(how):
    """All weights of masked and signed layers after ten steps."""
    keras.distribution.set_distribution(None if how == "one" else distribution(how))
    keras.utils.set_random_seed(1)
    stack = [
        Masked(keras.layers.Dense(8, activation="tanh", use_bias=False), rescale=True),
        Signed(keras.layers.Dense(2), train_bias=True),
    ]
    model = keras.Sequential([keras.Input((6,)), *stack])
    set_objective(model, "minimal")
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss="mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 6)).astype("float32"), rng.normal(size=(80, 2)).astype("float32")
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return [weight.tolist() for weight in model.get_weights()]


if __name__ == "__main__":
    runs = {w.__name__: {how: trained(w, how) for how in ("one", "data", "model")} for w in (LaPerm, Lookahead)}
    runs["evaluated"] = {how: evaluated(how) for how in ("one", "data")}
    runs["masked"] = {how: masked(how) for how in ("one", "data")}
    json.dump(runs, sys.stdout)
