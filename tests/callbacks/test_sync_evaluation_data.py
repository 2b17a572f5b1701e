"""What `SyncEvaluation` takes, what it refuses, and what it reports before the first synchronization."""

import csv
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from backends import BACKEND, only_on

from train_by_reconnect import LaPerm, SyncEvaluation
from train_by_reconnect.callbacks.agreement import classes_of

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = np.argmax(X[:, :3], axis=1)
LOSS = "sparse_categorical_crossentropy"
SCRIPT = pathlib.Path(__file__).with_name("replicas_evaluated.py")


def network(units=3, activation="softmax", loss=LOSS, sync_period=2, x=None):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation=activation)])
    model.compile(LaPerm(keras.optimizers.Adam(0.1), sync_period=sync_period), loss, run_eagerly=True)
    return model


def fit(model, *callbacks, x=X, y=Y, **arguments):
    return model.fit(x, y, batch_size=8, verbose=0, callbacks=list(callbacks), shuffle=False, **arguments).history


def accuracies(data, **arguments):
    evaluation = SyncEvaluation({"test": data}, **arguments)
    fit(network(), evaluation)
    return [row["test_accuracy"] for row in evaluation.rows]


class Batches(keras.utils.PyDataset):
    """Three batches of eight."""

    def __len__(self):
        return 3

    def __getitem__(self, number):
        return X[8 * number : 8 * number + 8], Y[8 * number : 8 * number + 8]


def own_batches():
    """What the users of a backend have: a `tf.data.Dataset`, a `DataLoader` of PyTorch."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return [tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(24).batch(5)]
    if BACKEND == "torch":
        from torch.utils import data

        pairs = data.TensorDataset(*map(keras.ops.convert_to_tensor, (X, Y)))
        return [data.DataLoader(pairs, batch_size=5, shuffle=True)]
    return []


def test_data_in_batches():
    expected = accuracies((X, Y), metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")])
    assert len(expected) == 2
    for data in (
        *own_batches(),
        Batches(),
        (batch for batch in [(X[:5], Y[:5]), (X[5:], Y[5:])]),
        [X.tolist(), Y.tolist()],
        (keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y)),
    ):
        assert accuracies(data) == pytest.approx(expected)


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_several_inputs(kind):
    inputs = {name: keras.Input((2,), name=name) for name in ("left", "right")}
    both = keras.layers.Concatenate()(list(inputs.values()))
    model = keras.Model(inputs if kind is dict else list(inputs.values()), keras.layers.Dense(3, "softmax")(both))
    model.compile(LaPerm("adam", sync_period=2), LOSS, metrics=["accuracy"], run_eagerly=True)
    x = {"left": X[:, :2], "right": X[:, 2:]}
    x = x if kind is dict else kind(x.values())
    evaluation = SyncEvaluation({"test": (x, Y)}, batch_size=10)
    fit(model, evaluation, x=x if kind is dict else list(x))
    assert evaluation.rows[-1]["test_accuracy"] == pytest.approx(model.evaluate(x, Y, verbose=0)[1])


@pytest.mark.slow
def test_metrics_as_in_compile():
    # One sigmoid output, one-hot targets, and whole labels: "accuracy" is another each time, as for `compile`.
    one_hot = keras.utils.to_categorical(Y, 3)
    cases = [
        (1, "sigmoid", "binary_crossentropy", (X[:, 0] > 0).astype(int)),
        (3, "softmax", "categorical_crossentropy", one_hot),
        (3, "softmax", LOSS, Y),
    ]
    for units, activation, loss, y in cases:
        model = network(units, activation, loss)
        model.compile(model.optimizer, loss, metrics=["accuracy"], run_eagerly=True)
        for metrics in (None, ["accuracy"], "accuracy"):
            evaluation = SyncEvaluation({"test": (X, y)}, metrics)
            fit(model, evaluation, y=y)
            assert evaluation.rows[-1]["test_accuracy"] == pytest.approx(model.evaluate(X, y, verbose=0)[1])
    evaluation = SyncEvaluation({"test": (X, one_hot)}, ["mse", keras.metrics.mean_absolute_error])
    fit(network(loss="mse"), evaluation, y=one_hot)
    assert {"test_mse", "test_mean_absolute_error"} <= set(evaluation.rows[0])


def test_agreement_of_one_output_by_hand():
    # Above 0.5 is class 1: 0, 1, 0 (0.5 is not above). Of several outputs the largest counts.
    assert classes_of([0, 1, 1], [[0.2], [0.7], [0.5]]).tolist() == [0, 1, 0]
    assert classes_of([0, 1], [0.2, 0.7]).tolist() == [0, 1]
    assert classes_of([[0], [2]], [[0.9, 0.05, 0.05], [0.1, 0.2, 0.7]]).tolist() == [0, 2]
    y = (X[:, 0] > 0).astype(int)
    evaluation = SyncEvaluation({"test": (X, y)}, before=True, compare=True)
    fit(network(1, "sigmoid", "binary_crossentropy"), evaluation, y=y, epochs=4)
    before, after = (
        [row for row in evaluation.rows if row["when"] == when and row["step"] % 2 == 0] for when in ("before", "after")
    )
    for there, here in zip(before, after, strict=True):
        change = here["test_gained"] - here["test_lost"]
        assert here["test_accuracy"] - there["test_accuracy"] == pytest.approx(change, abs=1e-6)
    assert any(row["test_agreement"] < 1 for row in after)


def test_what_is_no_class():
    with pytest.raises(
        ValueError, match=r"probability from 0 to 1 .* Received: answers from -2.0 to 0.5. Give the last"
    ):
        classes_of([0, 1], [[0.5], [-2.0]])
    with pytest.raises(ValueError, match=r"needs integer labels. Received: a label 0.5. Pass class numbers"):
        classes_of([0, 0.5], [[0.5], [0.2]])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((X, Y), r"`data` must be a dict .* Received: data of type tuple. Pass e.g. {\"test\": \(x, y\)}"),
        ({"test": X}, r"`data` must have a pair \(x, y\).* Received: ndarray for 'test'. Pass e.g. {'test': \(x, y\)}"),
        ({"test": None}, r"Received: NoneType for 'test'"),
        ({"test": {"x": X, "y": Y}}, r"Received: dict for 'test'"),
        ({"test": (X, Y, Y)}, r"`data` must consist of pairs \(x, y\). Received: 3 parts for 'test'. Pass inputs and"),
        ({"test": (X[:0], Y[:0])}, r"`data` must hold at least one example .* Received: none for 'test'. Pass some"),
        ({"test": iter([])}, r"Received: none for 'test'"),
        (
            {"test": (X, Y[:9])},
            r"a target for each example. Received: 'test' with 24 inputs and 9 targets. Pass as many",
        ),
        ({"test": ([X, X[:3]], Y)}, r"Received: 'test' with 24 and 3 inputs and 24 targets"),
        ({"test": (X, {"a": Y, "b": Y})}, r"one array of targets for each name. Received: dict for 'test'. Pass the"),
        ({"test": iter([(X, Y, Y)])}, r"Received: 3 parts for 'test'"),
    ],
)
def test_data_that_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        SyncEvaluation(data)


@only_on("tensorflow", "`tf.data`")
def test_data_sets_of_tensorflow_that_are_refused():
    import tensorflow as tf

    with pytest.raises(ValueError, match=r"`data` must end. .* repeated for ever. Leave out"):
        SyncEvaluation({"test": tf.data.Dataset.from_tensors((X, Y)).repeat()})
    with pytest.raises(ValueError, match=r"Received: 3 parts for 'test'"):
        SyncEvaluation({"test": tf.data.Dataset.from_tensors((X, Y, Y))})


def test_arguments_that_are_refused():
    for size in (-1, 0, 1.5, True):
        with pytest.raises(ValueError, match=rf"`batch_size` must be an integer .* Received: batch_size={size}. Pass"):
            SyncEvaluation({"test": (X, Y)}, batch_size=size)
    for every in (0, 1.5, None):
        with pytest.raises(ValueError, match=rf"`every` must be an integer .* Received: every={every}. Pass 1"):
            SyncEvaluation({"test": (X, Y)}, every=every)
    with pytest.raises(ValueError, match="acuracy"):
        SyncEvaluation({"test": (X, Y)}, ["acuracy"])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [keras.layers.Dense(3)(inputs), keras.layers.Dense(3)(inputs)], name="two")
    model.compile(LaPerm("adam", sync_period=2), "mse", run_eagerly=True)
    with pytest.raises(ValueError, match=r"a model with one output. Received: model='two' with 2. Leave this"):
        fit(model, SyncEvaluation({"test": (X, Y)}), y=[X[:, :3], X[:, :3]])


def test_every_epoch_has_a_value(tmp_path):
    # Three steps an epoch and k = 7: the only synchronization of three epochs is at step 7, in the last; before it
    # the value is that of the weights at the start. (The final one, at 9, comes after the last epoch.)
    model = network(sync_period=7)
    model.compile(model.optimizer, LOSS, metrics=["accuracy"], run_eagerly=True)
    at_start = model.evaluate(X, Y, verbose=0)[1]
    evaluation = SyncEvaluation({"test": (X, Y)})
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = fit(model, evaluation, log, epochs=3)
    values = [at_start, at_start, evaluation.rows[0]["test_accuracy"]]
    assert history["sync_test_accuracy"] == pytest.approx(values)
    with (tmp_path / "log.csv").open() as file:
        assert [float(row["sync_test_accuracy"]) for row in csv.DictReader(file)] == history["sync_test_accuracy"]
    assert [row["step"] for row in evaluation.rows] == [7, 9]
    newest = evaluation.rows[-1]["test_accuracy"]
    assert fit(model, evaluation)["sync_test_accuracy"] == [newest]  # a further fit goes on


def test_another_model_starts_anew():
    evaluation = SyncEvaluation({"test": (X, Y)})
    fit(network(), evaluation, epochs=2)
    fit(network(), evaluation)
    assert [row["step"] for row in evaluation.rows] == [2, 3]
    model = network()
    fit(model, evaluation, epochs=2)
    model.compile(LaPerm("adam", sync_period=3), LOSS, run_eagerly=True)  # the same one, back at step 0
    fit(model, evaluation)
    assert [row["step"] for row in evaluation.rows] == [3]


def test_it_introduces_itself():
    evaluation = SyncEvaluation({"train": (X, Y), "test": (X[:5], Y[:5])}, every=2)
    assert repr(evaluation) == (
        "<SyncEvaluation of train (24), test (5), every=2, before=False, compare=False: 0 rows>"
    )
    fit(network(), evaluation)
    assert repr(evaluation).endswith(": 2 rows>")


@pytest.mark.slow
@only_on("tensorflow", "its strategies")
def test_replicas_evaluate_as_one_device():
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2]), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    one, *several = json.loads(done.stdout.splitlines()[-1])
    for evaluated in several:
        assert [row["step"] for row in evaluated["rows"]] == [2, 2, 4, 4]
        for row, alone in zip(evaluated["rows"], one["rows"], strict=True):
            assert row["test_accuracy"] == pytest.approx(alone["test_accuracy"], abs=1 / 64)
        assert evaluated["rows"][-1]["test_accuracy"] == pytest.approx(evaluated["evaluate"])
