"""Evaluate around synchronizations on one and on two logical CPU devices, and print the rows as JSON.

A script of its own: TensorFlow takes the number of devices only before its first operation.
"""

import json

import numpy as np

if __name__ == "__main__":  # not where pytest looks for doctests
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )

import keras

import train_by_reconnect


def train(replicas, metrics_inside=False):
    """The rows of four steps with k = 2, and what `evaluate` says at the end."""
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)])
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = np.argmax(x[:, :3], axis=1)
    with strategy.scope():
        keras.utils.set_random_seed(1)
        layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
        model = keras.Sequential([keras.Input((4,)), *layers])
        optimizer = train_by_reconnect.LaPerm(keras.optimizers.Adam(0.05), sync_period=2)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")] if metrics_inside else None
    evaluation = train_by_reconnect.SyncEvaluation({"test": (x, y)}, metrics, before=True, compare=True)
    layerwise = train_by_reconnect.LayerwiseTraining(train_by_reconnect.TopAndBottom(top=2))
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[layerwise, evaluation])
    return {"rows": evaluation.rows, "evaluate": model.evaluate(x, y, verbose=0)[1]}


if __name__ == "__main__":
    print(json.dumps([train(1), train(2), train(2, metrics_inside=True)]))  # noqa: T201
