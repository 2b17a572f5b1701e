"""What callbacks keep is of one model, and what they say of themselves."""

import keras
import numpy as np
import pytest

from train_by_reconnect import (
    ActivityMap,
    ConnectivityMonitor,
    KernelSnapshots,
    LayerwiseTraining,
    Masked,
    MiddleOnly,
    RandomBeta,
    RankingMonitor,
    TopAndBottom,
)

X, Y = np.random.default_rng(0).normal(size=(2, 12, 3)).astype("float32")


def network(name="net", optimizer="sgd"):
    layers = [keras.layers.Dense(4, name="hidden"), keras.layers.Dense(3, name="out")]
    model = keras.Sequential([keras.Input((3,)), *layers], name=name)
    model.compile(optimizer, "mse", run_eagerly=True)
    return model


def fit(model, *callbacks, **arguments):
    return model.fit(X, Y, batch_size=4, verbose=0, callbacks=list(callbacks), **arguments).history  # 3 steps an epoch


def test_snapshots_of_another_model_start_anew():
    snapshots = KernelSnapshots("hidden")
    fit(network(), snapshots)
    second = network()
    start = second.get_layer("hidden").kernel.numpy().T
    fit(second, snapshots, epochs=2)
    assert snapshots.steps == [0, 1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(snapshots.rows[0], start)
    second.compile("sgd", "mse", run_eagerly=True)  # the same model, back at step 0
    fit(second, snapshots)
    assert snapshots.steps == [0, 1, 2, 3]


def test_rankings_of_another_model_start_anew(tmp_path):
    first, second = network(), network()
    fit(second)  # at step 3 when it is monitored
    for folder in (None, tmp_path):
        monitor = RankingMonitor("hidden", every=1, folder=folder)
        model = network()
        fit(model, monitor)
        fit(model, monitor)
        assert [row["step"] for row in monitor.distances] == [1, 2, 3, 4, 5, 6]
        began = int(second.optimizer.iterations)
        fit(second, monitor)
        assert [row["step"] for row in monitor.distances] == [began + 1, began + 2, began + 3]
        assert monitor.percentiles[0]["step"] == began
    fit(first, monitor)
    assert [row["step"] for row in monitor.distances] == [1, 2, 3]


def test_a_training_that_is_too_short_leaves_no_file_of_another(tmp_path):
    fit(network(), RankingMonitor("hidden", every=1, folder=tmp_path))
    fit(network(), RankingMonitor("hidden", every=100, percentiles_every=1, folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["weight_percentiles.csv"]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "2"])
def test_periods_that_are_none(wrong):
    said = rf"must be an integer of at least 1, in optimizer steps. Received: \w+={wrong!r}. Pass 1"
    for make in (
        lambda: RankingMonitor(every=wrong),
        lambda: RankingMonitor(percentiles_every=wrong),
        lambda: KernelSnapshots("hidden", every=wrong),
    ):
        with pytest.raises(ValueError, match=said):
            make()


def test_layer_wise_history_is_of_one_model_and_has_names():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="hidden")], name="inner")
    parts = [keras.layers.Dense(4, name="hidden"), inner, keras.layers.Dense(3, name="out")]
    model = keras.Sequential([keras.Input((3,)), *parts], name="net")
    model.compile("sgd", "mse", run_eagerly=True)
    layerwise = LayerwiseTraining(MiddleOnly())
    fit(model, layerwise)
    fit(model, layerwise, epochs=2, initial_epoch=1)
    trained = {model.layers[0].path: 0.0, inner.layers[0].path: 1.0, "out": 0.0}
    assert layerwise.history == [{"epoch": 0, "trained": trained}, {"epoch": 1, "trained": trained}]
    layerwise.scheme = TopAndBottom(top=1)
    fit(network(), layerwise)
    assert layerwise.history == [{"epoch": 0, "trained": {"hidden": 0.0, "out": 1.0}}]


def test_connectivity_of_many_layers_fits_on_the_line(tmp_path, capsys):
    def masked():
        layers = [Masked(keras.layers.Dense(3, name=f"a_layer_with_a_long_name_{i}")) for i in range(20)]
        model = keras.Sequential([keras.Input((3,)), *layers])
        model.compile("sgd", "mse", run_eagerly=True)
        return model

    model, monitor = masked(), ConnectivityMonitor(log_dir=tmp_path)
    history = model.fit(X, Y, batch_size=12, epochs=2, verbose=2, callbacks=[monitor]).history
    assert set(history) == {"changed", "loss"}
    assert max(map(len, capsys.readouterr().out.splitlines())) < 100
    assert [entry["epoch"] for entry in monitor.history] == [0, 1]
    assert [entry["changed"] for entry in monitor.history] == history["changed"]
    assert list(monitor.history[0]["layers"]) == [layer.name for layer in model.layers]
    [events] = tmp_path.glob("events*")
    assert b"changed_a_layer_with_a_long_name_19" in events.read_bytes()
    assert repr(monitor).startswith("<ConnectivityMonitor: 2 epochs, ")
    masked().fit(X, Y, batch_size=12, verbose=0, callbacks=[monitor])
    assert len(monitor.history) == 1
    history = masked().fit(X, Y, batch_size=12, verbose=0, callbacks=[ConnectivityMonitor(layers=True)]).history
    assert "changed_a_layer_with_a_long_name_0" in history


def test_they_introduce_themselves():
    layerwise, snapshots = LayerwiseTraining(TopAndBottom(top=1), seed=2), KernelSnapshots("hidden", every=2)
    monitor, activity = RankingMonitor(every=2, percentiles_every=3), ActivityMap(X, Y, percents=(1, 30))
    assert list(map(repr, (layerwise, snapshots, monitor, activity))) == [
        "<LayerwiseTraining by TopAndBottom(top=1, bottom=0, probability=1.0) per epoch, seed=2: 0 epochs>",
        "<KernelSnapshots of 'hidden', every=2: 0>",
        "<RankingMonitor of every kernel, every=2, percentiles_every=3: 0 distances, 0 percentiles>",
        "<ActivityMap of 1, 30 %: 0 epochs of 0 variables>",
    ]
    fit(network(), layerwise, snapshots, monitor, activity)
    assert list(map(repr, (layerwise, snapshots, monitor, activity))) == [
        "<LayerwiseTraining by TopAndBottom(top=1, bottom=0, probability=1.0) per epoch, seed=2: 1 epochs>",
        "<KernelSnapshots of 'hidden', every=2: 3, from step 0 to 3>",
        "<RankingMonitor of every kernel, every=2, percentiles_every=3: 2 distances, 14 percentiles>",
        "<ActivityMap of 1, 30 %: 1 epochs of 4 variables>",
    ]
    assert repr(RankingMonitor("hidden")).startswith("<RankingMonitor of 'hidden', every=100, ")
    assert repr(RandomBeta()) == "RandomBeta(alpha=2.0, beta=5.0)"
