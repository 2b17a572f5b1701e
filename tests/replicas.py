"""Train on one, two and three logical CPU devices, and print the weights as JSON.

A script of its own: TensorFlow takes the number of devices only before its first operation.
"""

import json
import sys

import numpy as np
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 3
)

import keras  # noqa: E402

import train_by_reconnect  # noqa: E402


def train(optimizer_name, replicas):
    """Return the counters, and the weights of each replica after ten steps and after one more synchronization."""
    # By default replicas assign each for itself; with this reduction, which 3 have, they must meet to assign.
    reduction = tf.distribute.ReductionToOneDevice() if replicas == 3 else None
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)], reduction)
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

    def copies():
        results = (strategy.experimental_local_results(variable.value) for variable in model.trainable_variables)
        return [[np.asarray(value).tolist() for value in values] for values in results]

    outcome = {"iterations": int(optimizer.iterations.numpy()), "last_sync": optimizer.last_sync, "weights": copies()}
    optimizer.finalize_variable_values(model.trainable_variables)
    optimizer.synchronize()
    return outcome | {"synchronized": copies()}


if __name__ == "__main__":
    keras.config.set_dtype_policy(sys.argv[1])
    print(json.dumps({name: [train(name, n) for n in (1, 2, 3)] for name in ("LaPerm", "Lookahead")}))  # noqa: T201
