"""The period: counted in completed steps from the last synchronization, and free to change during training."""

import keras
import numpy as np
import pytest
from backends import BACKEND

from train_by_reconnect import LaPerm, Lookahead, SyncPeriodScheduler

OPTIMIZERS = pytest.mark.parametrize("optimizer_class", [LaPerm, Lookahead])


class Traced(keras.layers.Layer):
    """Count how often Python runs it: once for each trace."""

    count = 0

    def call(self, x):
        type(self).count += 1
        return x


def compiled(optimizer, **arguments):
    model = keras.Sequential([keras.Input((3,)), Traced(), keras.layers.Dense(2)])
    model.compile(optimizer=optimizer, loss="mse", **arguments)
    return model


def fit(model, steps, **arguments):
    x, y = np.ones((2 * steps, 3), "float32"), np.ones((2 * steps, 2), "float32")
    return model.fit(x, y, batch_size=2, verbose=0, **arguments)


class Watch(keras.callbacks.Callback):
    """The steps at which the weights were synchronized, and how often the model was traced so far."""

    def __init__(self):
        super().__init__()
        self.synchronized, self.traces = [], []

    def on_train_batch_end(self, batch, logs=None):
        optimizer = self.model.optimizer
        if optimizer.last_sync == int(optimizer.iterations):
            self.synchronized.append(optimizer.last_sync)
        self.traces.append(Traced.count)


@OPTIMIZERS
def test_schedule_counted_by_hand(optimizer_class):
    # Epochs of 6 steps with k = 2, 5, 3: synchronizations at 2 4 6; at 6 + 5 = 11; at 11 + 3 = 14 and 17.
    watch = Watch()
    model = compiled(optimizer_class("sgd"))
    schedule = SyncPeriodScheduler(lambda epoch, k: [2, 5, 3][epoch])
    fit(model, 6, epochs=3, callbacks=[schedule, watch])
    assert watch.synchronized == [2, 4, 6, 11, 14, 17]
    if BACKEND != "torch":  # which runs every step as it is written
        assert len(set(watch.traces)) == 1  # traced for the first step, and never again
    assert model.optimizer.sync_period == 3


@OPTIMIZERS
def test_smaller_period_takes_effect_at_once(optimizer_class):
    model = compiled(optimizer_class("sgd", sync_period=100))
    model.optimizer.final_sync = False
    fit(model, 7)
    assert model.optimizer.last_sync == 0
    model.optimizer.sync_period = 5
    watch = Watch()
    fit(model, 6, callbacks=[watch])
    assert watch.synchronized == [8, 13]  # seven steps were due already


@OPTIMIZERS
def test_config_holds_the_present_period(optimizer_class):
    optimizer = optimizer_class("sgd", sync_period=100)
    optimizer.sync_period = np.int64(5)
    assert optimizer.get_config()["sync_period"] == 5
    assert optimizer_class.from_config(optimizer.get_config()).sync_period == 5


@OPTIMIZERS
def test_final_synchronization_restarts_the_count(optimizer_class):
    watch = Watch()
    model = compiled(optimizer_class("sgd", sync_period=4))
    fit(model, 6, callbacks=[watch])
    fit(model, 6, callbacks=[watch])
    # LaPerm's `fit` ends with a synchronization at 6; Lookahead's does not.
    assert watch.synchronized == ([4, 10] if optimizer_class is LaPerm else [4, 8, 12])


@OPTIMIZERS
def test_synchronization_taken_over(optimizer_class):
    optimizer = optimizer_class("sgd", sync_period=2)
    optimizer.final_sync = False
    model = compiled(optimizer)
    optimizer.sync_in_step = False
    fit(model, 5)
    assert optimizer.last_sync == 0
    optimizer.synchronize()
    assert optimizer.last_sync == 5
    optimizer.sync_in_step = True
    fit(model, 2)
    assert optimizer.last_sync == 7
