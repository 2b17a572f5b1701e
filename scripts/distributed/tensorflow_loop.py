"""TensorFlow's `MultiWorkerMirroredStrategy` in a loop of its own: Keras' `fit` fails under it (keras#20585)."""

import json
import os

import keras
import tensorflow as tf

from scripts.distributed.task import STEPS, Backup, Shares, Trace, network


def train(process, addresses, folder, epochs):
    """Train as one of several processes; arguments as in `scripts.distributed.jax_fit`."""
    place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": process}}
    os.environ["TF_CONFIG"] = json.dumps(place)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    with strategy.scope():
        model, initial = network()
        model.optimizer.build(model.trainable_variables)
    backup, trace = Backup(model, folder, process), Trace(model, initial, folder, process)
    begun = backup.restore()
    shares, loss = Shares(process, len(addresses)), keras.losses.SparseCategoricalCrossentropy()
    variables = model.trainable_variables

    def step_of_replica(x, y):
        with tf.GradientTape() as tape:
            # A loss of Keras is divided by the number of replicas already, and the optimizer adds up their gradients.
            value = loss(y, model(x, training=True))
        gradients = tape.gradient(value, [variable.value for variable in variables])
        model.optimizer.apply_gradients(zip(gradients, variables, strict=True))

    @tf.function
    def take_step(x, y):
        strategy.run(step_of_replica, args=(x, y))

    for epoch in range(begun, epochs):
        for step, (x, y) in enumerate(shares.of_epoch(epoch), start=epoch * STEPS + 1):
            take_step(tf.constant(x), tf.constant(y))
            trace.after(step)
        backup.save(epoch + 1)
