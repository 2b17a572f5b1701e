import csv

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from train_by_reconnect import LaPerm, RankingMonitor, ranking_distance

X = np.random.default_rng(0).standard_normal((24, 5)).astype("float32")
Y = X[:, :2] @ np.ones((2, 1), "float32")


def network(optimizer=None, **compiled):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1, name="out")], name="net"
    )
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mse", **{"run_eagerly": True, **compiled})
    return model


class EveryWeight(keras.callbacks.Callback):
    """The kernel of the first layer after every step, the initial one first."""

    def __init__(self):
        super().__init__()
        self.kernels = []

    def on_train_begin(self, logs=None):
        self.kernels.append(self.model.layers[0].kernel.numpy())

    def on_train_batch_end(self, batch, logs=None):
        self.kernels.append(self.model.layers[0].kernel.numpy())


def fit(model, *callbacks, epochs=2, **arguments):
    model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks), **arguments)


def test_one_step_by_hand():
    # One weight vector 1 2 3, loss (w.x)^2 for x = (0, 0, 1), rate 0.5: the gradient is 2 * 3 * (0, 0, 1), so the third
    # weight becomes 3 - 0.5 * 6 = 0 and the ranks change from 0 1 2 to 1 2 0: by 1, 1, 2. D = 4 / 3 and
    # SD = sqrt((1 + 1 + 4) / 3 - (4 / 3)^2) = sqrt(2) / 3. All three changed.
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False, name="only")], name="net")
    model.layers[0].kernel.assign([[1.0], [2.0], [3.0]])
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    monitor = RankingMonitor(every=1)
    model.fit(np.array([[0.0, 0.0, 1.0]]), np.array([[0.0]]), verbose=0, callbacks=[monitor])
    [row] = monitor.distances
    assert (row["step"], row["kernel"], row["changed"]) == (1, "net/only/kernel", 1)
    assert row["mean"] == pytest.approx(4 / 3)
    assert row["deviation"] == pytest.approx(np.sqrt(2) / 3)
    assert row["mean_ratio"] == pytest.approx(4 / 9)
    assert row["deviation_ratio"] == pytest.approx(np.sqrt(2) / 9)
    # Percentiles of 1 2 3 and of 0 1 2, interpolated: 15 % of the way over two intervals is 0.3, 85 % is 1.7.
    values = [
        [row[name] for name in ("step", "vector", "minimum", "p15", "p50", "p85", "maximum")]
        for row in monitor.percentiles
    ]
    np.testing.assert_allclose(values, [[0, 0, 1, 1.3, 2, 2.7, 3], [1, 0, 0, 0.3, 1, 1.7, 2]], rtol=1e-6)


@pytest.mark.parametrize("every", [1, 2, 5])
def test_each_distance_is_of_one_step(every):
    model, seen, monitor = network(run_eagerly=False), EveryWeight(), RankingMonitor("hidden", every=every)
    fit(model, seen, monitor)
    steps = [step for step in range(1, 13) if step % every == 0]
    assert [row["step"] for row in monitor.distances] == steps
    for row in monitor.distances:
        expected = ranking_distance(seen.kernels[row["step"] - 1], seen.kernels[row["step"]])
        assert (row["mean"], row["deviation"]) == pytest.approx(expected, rel=1e-12)  # sums in another order


def test_all_kernels_and_their_percentiles():
    model, monitor = network(), RankingMonitor(every=6, percentiles_every=12)
    fit(model, monitor)
    assert [(row["step"], row["kernel"]) for row in monitor.distances] == [
        (step, kernel) for step in (6, 12) for kernel in ("net/hidden/kernel", "net/out/kernel")
    ]
    assert [(row["step"], row["kernel"], row["vector"]) for row in monitor.percentiles] == [
        (step, *vector)
        for step in (0, 12)
        for vector in [
            ("net/hidden/kernel", 0),
            ("net/hidden/kernel", 1),
            ("net/hidden/kernel", 2),
            ("net/out/kernel", 0),
        ]
    ]
    last = monitor.percentiles[-4]
    kernel = model.layers[0].kernel.numpy()[:, 0]
    assert (last["minimum"], last["p50"], last["maximum"]) == (kernel.min(), np.median(kernel), kernel.max())


def test_files_and_a_training_that_goes_on(tmp_path):
    whole = RankingMonitor(every=2, percentiles_every=3, folder=tmp_path / "whole")
    fit(network(), whole, epochs=4)
    # Cut after two of three epochs, as if the third had not been saved: its rows are written again.
    model = network()
    fit(model, RankingMonitor(every=2, percentiles_every=3, folder=tmp_path / "parts"), epochs=2)
    weights, step = model.get_weights(), int(model.optimizer.iterations.numpy())
    fit(model, RankingMonitor(every=2, percentiles_every=3, folder=tmp_path / "parts"), epochs=3, initial_epoch=2)
    model.set_weights(weights)
    model.optimizer.iterations.assign(step)
    again = RankingMonitor(every=2, percentiles_every=3, folder=tmp_path / "parts")
    fit(model, again, epochs=4, initial_epoch=2)
    for name in ("ranking_distance.csv", "weight_percentiles.csv"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert again.distances == whole.distances
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        "ranking_distance.csv",
        "weight_percentiles.csv",
    ]
    with (tmp_path / "whole/ranking_distance.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["mean"]) for row in rows] == [row["mean"] for row in whole.distances]


def test_a_new_training_replaces_what_is_there(tmp_path):
    monitor = RankingMonitor(every=3, folder=tmp_path)
    fit(network(), monitor)
    first = (tmp_path / "ranking_distance.csv").read_text()
    fit(network(), monitor)
    assert (tmp_path / "ranking_distance.csv").read_text() == first


def test_tensorboard(tmp_path):
    fit(network(), RankingMonitor("hidden", every=6, log_dir=tmp_path))
    [events] = tmp_path.glob("events*")
    read = EventAccumulator(str(events)).Reload()
    tags = {(event.step, tag) for tag in read.Tags()["tensors"] for event in read.Tensors(tag)}
    assert {(6, "net/hidden/kernel/ranking_distance/mean"), (0, "net/hidden/kernel/weights/p50")} <= tags
    assert (12, "net/hidden/kernel/weights/maximum") in tags


def test_with_laperm_and_skipped_steps():
    monitor = RankingMonitor("hidden", every=1)
    fit(network(LaPerm(keras.optimizers.SGD(0.05), sync_period=5)), monitor)
    assert len(monitor.distances) == 12
    # A skipped step: the gradients of the second batch overflow.
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01))
    model, monitor = network(optimizer), RankingMonitor("hidden", every=1)
    x = X.copy()
    x[5] = 1e30
    model.fit(x, Y, batch_size=4, verbose=0, shuffle=False, callbacks=[monitor])
    assert [row["step"] for row in monitor.distances] == list(range(1, 6))


def test_bad_input_is_one_sentence():
    for argument in ({"every": 0}, {"every": 1.5}, {"every": True}, {"percentiles_every": -1}):
        with pytest.raises(ValueError, match=rf"`{next(iter(argument))}` must be an integer of at least 1"):
            RankingMonitor(**argument)
    with pytest.raises(ValueError, match="nothing"):
        fit(network(), RankingMonitor("nothing"))
    model = network()
    model.compile(optimizer="sgd", loss="mse", steps_per_execution=2)
    with pytest.raises(ValueError, match="steps_per_execution=2"):
        fit(model, RankingMonitor())
    with pytest.raises(ValueError, match="net/hidden/kernel"):
        fit(network(keras.optimizers.SGD(1e30)), RankingMonitor(every=1))
