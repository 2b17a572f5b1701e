import csv

import keras
import numpy as np
import pytest
from backends import gradients_of, to_numpy
from keras import layers

from train_by_reconnect import (
    BernoulliMask,
    ConnectivityMonitor,
    Masked,
    MinimalChange,
    Signed,
    SignedMask,
    changed_fractions,
    set_objective,
)
from train_by_reconnect.layers.connectivity_layers import connectivity_layers


def two_layers(kind=Masked, **arguments):
    """Six weights and two: one of the six is changed, and both of the two."""
    stack = [kind(layers.Dense(2, use_bias=False, name=name), **arguments) for name in ("wide", "narrow")]
    stack[1].layer.units = 1
    model = keras.Sequential([keras.Input((3,)), *stack])
    stack[0].scores[0].assign([[0.1, 0.2], [0.3, -0.1], [0.1, 0.1]])
    stack[1].scores[0].assign([[0.0], [-0.2]])
    return model


def penalty_and_gradients(model):
    def penalty():
        model(np.ones((1, 3)))
        return sum(model.losses)

    gradients, loss = gradients_of(penalty, [layer.scores[0] for layer in connectivity_layers(model)])
    return float(to_numpy(loss)), [to_numpy(gradient) for gradient in gradients]


@pytest.mark.parametrize(
    ("average", "counts", "penalty", "gradients"),
    [
        # Of all 8 weights 5 are kept: -5/8, and 3/8 changed. Every score has the gradient -1/8.
        ("network", "kept", -5 / 8, (-1 / 8, -1 / 8)),
        ("network", "changed", 3 / 8, (-1 / 8, -1 / 8)),
        # The mean of 5/6 and 0/2 is kept: -5/12, and 7/12 changed. A score has -1/2 x 1/6, or -1/2 x 1/2.
        ("layer", "kept", -5 / 12, (-1 / 12, -1 / 4)),
        ("layer", "changed", 7 / 12, (-1 / 12, -1 / 4)),
    ],
)
def test_by_hand(average, counts, penalty, gradients):
    model = two_layers()
    for strength in (1.0, 10.0):
        set_objective(model, "minimal", counts=counts, average=average, strength=strength)
        loss, found = penalty_and_gradients(model)
        assert loss == pytest.approx(strength * penalty)
        for each, expected in zip(found, gradients, strict=True):
            np.testing.assert_allclose(each, np.full(each.shape, strength * expected), rtol=1e-6)
    set_objective(model, "free")
    model(np.ones((1, 3)))
    assert model.losses == []


def test_separable_convolutions_count_both_kernels():
    model = keras.Sequential([keras.Input((5, 2)), Masked(layers.SeparableConv1D(4, 3)), Masked(layers.Conv1D(1, 1))])
    set_objective(model, "minimal")  # 6 and 8 weights, and 4
    assert [s.regularizer.weight for layer in model.layers for s in layer.scores] == [6 / 18, 8 / 18, 4 / 18]
    set_objective(model, "minimal", average="layer")
    assert [s.regularizer.weight for layer in model.layers for s in layer.scores] == [1 / 3] * 3
    twin = keras.models.clone_model(model)
    assert [s.regularizer.weight for layer in twin.layers for s in layer.scores] == [1 / 3] * 3


def test_minimal_training_changes_less():
    # Without a gradient from the data, whose loss is constant, only the regularizer moves the scores: all upwards.
    model = two_layers()
    set_objective(model, "minimal", strength=100)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=lambda y, output: 0 * output)
    before = [layer.scores[0].numpy() for layer in model.layers]
    model.fit(np.ones((4, 3)), np.ones((4, 1)), batch_size=4, epochs=1, verbose=0)
    for layer, scores in zip(model.layers, before, strict=True):
        np.testing.assert_allclose(layer.scores[0].numpy(), scores + 0.1 * 100 / 8, rtol=1e-5)
    assert changed_fractions(model) == {"wide": 0, "narrow": 0, "all": 0}


@pytest.mark.parametrize("kind", [Masked, Signed, SignedMask])
def test_changed_fractions(kind):
    assert changed_fractions(two_layers(kind)) == {"wide": 1 / 6, "narrow": 1.0, "all": 3 / 8}


def test_changed_fractions_of_layers_of_one_name():
    inside = keras.Sequential([keras.Input((2,)), Masked(layers.Dense(2, name="same"))], name="inside")
    model = keras.Sequential([keras.Input((2,)), inside, Masked(layers.Dense(1, name="same"))], name="outside")
    fractions = changed_fractions(model)
    assert len(fractions) == 3
    assert fractions["all"] == 0


def test_changed_fractions_of_a_model_without_values():
    with pytest.raises(ValueError, match="must be built"):
        changed_fractions(keras.Sequential([Masked(layers.Dense(2))]))


def fit(model, **arguments):
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")
    return model.fit(x, y[:, :1], batch_size=4, epochs=3, verbose=0, **arguments)


def test_monitor(tmp_path):
    model = two_layers(Signed)
    seen = []
    check = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(changed_fractions(model)))
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = fit(model, callbacks=[ConnectivityMonitor(layers=True), log, check]).history
    assert history["changed"] == [each["all"] for each in seen]
    for name in ("wide", "narrow"):
        assert history[f"changed_{name}"] == [each[name] for each in seen]
    assert len(set(history["changed"])) > 1
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["changed"]) for row in rows] == history["changed"]
    assert [float(row["changed_wide"]) for row in rows] == history["changed_wide"]


def test_monitor_of_all_layers_together():
    assert sorted(fit(two_layers(), callbacks=[ConnectivityMonitor()]).history) == ["changed", "loss"]


def test_monitor_needs_something_to_report():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="must hold layers with fixed kernels"):
        fit(model, callbacks=[ConnectivityMonitor()])


def test_config():
    regularizer = MinimalChange(0.25, "changed")
    twin = keras.regularizers.deserialize(keras.regularizers.serialize(regularizer))
    assert twin.get_config() == regularizer.get_config() == {"weight": 0.25, "counts": "changed"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight": -1}, r"`weight` must be a number of at least 0. Received: weight=-1"),
        ({"weight": float("nan")}, "Received: weight=nan"),
        ({"weight": float("inf")}, "Received: weight=inf"),
        ({"counts": "flipped"}, r"`counts` must be one of 'kept', 'changed'. Received: counts='flipped'"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        MinimalChange(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": "none"}, "`objective` must be.*Received: objective='none'"),
        ({"objective": "minimal", "average": "mean"}, "`average` must be.*Received: average='mean'"),
        ({"objective": "minimal", "counts": "flips"}, "`counts` must be.*Received: counts='flips'"),
        ({"objective": "minimal", "strength": -2}, "Received: "),
    ],
)
def test_objective_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        set_objective(two_layers(), **arguments)


def test_minimal_objective_of_layers_that_do_not_change_at_0():
    model = keras.Sequential([keras.Input((3,)), BernoulliMask(layers.Dense(2, name="random"))])
    with pytest.raises(ValueError, match="other layers, random"):
        set_objective(model, "minimal")


def test_objective_of_an_unbuilt_model():
    with pytest.raises(ValueError, match=r"must be built\. Received: a model with unbuilt later"):
        set_objective(keras.Sequential([Masked(layers.Dense(2, name="later"))]), "minimal")
