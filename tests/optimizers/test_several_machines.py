"""Keras' `fit` fails under TensorFlow's strategy for several machines: who tries it is told in a sentence."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import keras
import pytest
from backends import only_on

from train_by_reconnect import LaPerm
from train_by_reconnect.backend.several_machines import let_fit_fail_with

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Two examples for each of two workers; the sum of what they reduce themselves is 1 + 1 = 2.
CODE = """
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
import keras
from train_by_reconnect import LaPerm, Lookahead
with strategy.scope():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(LaPerm(Lookahead("sgd")), "mse")
for train in (model.fit, model.evaluate):
    try:
        train(tf.ones((4, 3)), tf.ones((4, 2)), batch_size=4, verbose=0)
    except ValueError as error:
        print("said:", error)
once = tf.function(lambda: strategy.reduce("SUM", strategy.run(lambda: tf.ones(())), axis=None))
print("sum:", float(once()))
"""
SENTENCE = "expect one machine under TensorFlow, whatever the optimizer (keras#20585). Received: MultiWorkerMirroredSt"


def test_nothing_is_changed_on_one_machine():
    LaPerm("adam")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        assert "reduce" not in vars(tf.distribute.get_strategy())


@only_on("tensorflow", "its strategies")
def test_what_fails_with_a_batch_says_the_sentence(monkeypatch):
    import tensorflow as tf

    class Strategy:
        """As TensorFlow's: two workers with one device each, and one tensor is reduced, not a batch."""

        num_replicas_in_sync = 2
        extended = type("Extended", (), {"worker_devices": ("CPU:0",)})

        def reduce(self, reduce_op, value, axis=None):
            if not isinstance(value, int):
                raise ValueError("PerReplica")
            return value

    strategy = Strategy()
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", Strategy)
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: strategy)
    for _ in range(2):  # a second optimizer changes nothing
        let_fit_fail_with("the sentence")
        assert strategy.reduce("SUM", 3) == 3
        with pytest.raises(ValueError, match=r"^the sentence$"):
            strategy.reduce("MEAN", (1, 2), axis=None)
        with pytest.raises(ValueError, match=r"^PerReplica$"):  # a mistake of one's own loop
            strategy.reduce("MEAN", 0.5, axis=0)


@pytest.mark.slow
@only_on("tensorflow", "its strategies")
def test_fit_of_two_workers_ends_in_the_sentence():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]
    workers = []
    for index in (0, 1):
        place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CONFIG": json.dumps(place), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-W", "error::UserWarning", "-c", CODE]
        workers.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    for worker in workers:
        said, _ = worker.communicate(timeout=120)
        assert said.count(SENTENCE) == 2, said
        assert "PerReplica" not in said
        assert said.endswith("sum: 2.0\n")
