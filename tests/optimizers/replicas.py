"""Train on one, two and three logical CPU devices, and print the weights as JSON.

A script of its own: TensorFlow takes the number of devices only before its first operation.
"""

import functools
import json
import sys

import numpy as np
import tensorflow as tf

if __name__ == "__main__":  # not where pytest looks for doctests
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 3
    )

import keras

import train_by_reconnect


@functools.cache  # two strategies of the same devices count their collective operations alike, and then confuse them
def strategy_of(replicas):
    """The strategy on so many devices."""
    # By default replicas assign each for itself; with this reduction, which 3 have, they must meet to assign.
    reduction = tf.distribute.ReductionToOneDevice() if replicas == 3 else None
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)], reduction)


def copies(strategy, variables):
    """The values of each variable in each replica."""
    results = (strategy.experimental_local_results(variable.value) for variable in variables)
    return [[np.asarray(value).tolist() for value in values] for values in results]


def train(optimizer_name, replicas):
    """Return the counters, and the weights of each replica after ten steps and after one more synchronization."""
    strategy = strategy_of(replicas)
    with strategy.scope() if replicas > 1 else tf.device("CPU:0"):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(2)])
        optimizer = getattr(train_by_reconnect, optimizer_name)(keras.optimizers.SGD(0.1, momentum=0.9), sync_period=4)
        optimizer.final_sync = False
        model.compile(optimizer=optimizer, loss="mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 6)).astype("float32"), rng.normal(size=(120, 2)).astype("float32")
    if keras.config.dtype_policy().name == "mixed_float16":
        # The second of ten batches overflows, on every replica: Keras' LossScaleOptimizer looks at each or the first.
        y[12:24] = 1e30
    model.fit(x, y, batch_size=12, shuffle=False, verbose=0)

    weights = copies(strategy, model.trainable_variables)
    outcome = {"iterations": int(optimizer.iterations.numpy()), "last_sync": optimizer.last_sync, "weights": weights}
    optimizer.finalize_variable_values(model.trainable_variables)
    optimizer.synchronize()
    return outcome | {"synchronized": copies(strategy, model.trainable_variables)}


def train_connectivity(replicas):
    """Return all weights of each replica, one kind of layer after the other, after ten steps, and how many changed."""
    strategy = strategy_of(replicas)
    with strategy.scope() if replicas > 1 else tf.device("CPU:0"):
        keras.utils.set_random_seed(1)
        stack = [
            train_by_reconnect.Masked(keras.layers.Dense(8, activation="tanh", use_bias=False)),
            train_by_reconnect.Masked(keras.layers.Dense(8, activation="tanh", use_bias=False), rescale=True),
            train_by_reconnect.Signed(keras.layers.Dense(2), train_bias=True),
        ]
        model = keras.Sequential([keras.Input((6,)), *stack])
        train_by_reconnect.set_objective(model, "minimal")
        model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss="mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 6)).astype("float32"), rng.normal(size=(120, 2)).astype("float32")
    monitor = train_by_reconnect.ConnectivityMonitor()
    history = model.fit(x, y, batch_size=12, shuffle=False, verbose=0, callbacks=[monitor]).history
    return {"weights": copies(strategy, model.weights), "changed": history["changed"][-1]}


if __name__ == "__main__":
    keras.config.set_dtype_policy(sys.argv[1])
    outcomes = {name: [train(name, n) for n in (1, 2, 3)] for name in ("LaPerm", "Lookahead")}
    print(json.dumps({**outcomes, "connectivity": [train_connectivity(n) for n in (1, 2)]}))  # noqa: T201
