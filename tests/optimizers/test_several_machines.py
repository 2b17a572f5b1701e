"""Keras' `fit` fails under TensorFlow's strategy for several machines: who is about to use it is told in a sentence."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import warnings

import keras
import pytest
from backends import only_on

from train_by_reconnect import LaPerm, Lookahead, backend

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = """
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
import keras, warnings
from train_by_reconnect import LaPerm
with strategy.scope(), warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    LaPerm("adam")
print([str(each.message) for each in caught if "PerReplica" in str(each.message)])
"""


def test_the_sentence(monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LaPerm("adam")  # one machine: nothing is said
    monkeypatch.setattr(backend, "fit_fails", lambda: True)
    for wrapper in (LaPerm, Lookahead):
        with pytest.warns(UserWarning, match=r"on one machine.*Received: MultiWorkerMirroredStrategy.*docs/scale\.md"):
            wrapper(keras.optimizers.SGD())


@pytest.mark.slow
@only_on("tensorflow", "its strategies")
def test_two_workers_are_told():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, two)]
    workers = []
    for index in (0, 1):
        place = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CONFIG": json.dumps(place), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", CODE]
        workers.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    for worker in workers:
        said, _ = worker.communicate(timeout=120)
        assert said.count("Train in a loop of your own") == 1
