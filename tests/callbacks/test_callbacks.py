import csv

import keras
import numpy as np
import pytest
from backends import several_steps_at_once

from train_by_reconnect import LaPerm, Lookahead, SyncEvaluation, SyncPeriodScheduler
from train_by_reconnect.callbacks.synchronization import periodic_optimizer

LOSS = "sparse_categorical_crossentropy"


def data(count=40, seed=0):
    """Three classes, five batches of 8."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 4)).astype("float32")
    return x, np.argmax(x[:, :3], axis=1).astype("int32")


def compiled(sync_period=5, optimizer=None, steps_per_execution=1, **arguments):
    """The same weights each time, and a layer that draws random numbers while it is trained."""
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(6, activation="relu"), keras.layers.Dropout(0.2), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Softmax(dtype="float32")])
    optimizer = optimizer or LaPerm(keras.optimizers.SGD(0.5), sync_period=sync_period, **arguments)
    model.compile(optimizer, LOSS, metrics=["accuracy"], steps_per_execution=steps_per_execution)
    return model


def fit(model, *callbacks, epochs=2, **arguments):
    return model.fit(*data(), batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks), **arguments).history


@pytest.fixture(scope="module")
def restart():
    """One model, traced once, and put back to its beginning with a k for each training."""
    model = compiled()
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    optimizer.recapture()  # going back to before the first step would lose the initial weights
    beginning = [(variable, variable.numpy()) for variable in [*model.variables, *optimizer.variables]]

    def begin(k, final_sync=True):
        for variable, value in beginning:
            variable.assign(value)
        optimizer.sync_period, optimizer.final_sync = k, final_sync
        return model

    return begin


def with_momentum(k):
    return LaPerm(keras.optimizers.SGD(0.1, momentum=0.9), sync_period=k)


def steps(evaluation, when="after"):
    return [row["step"] for row in evaluation.rows if row["when"] == when]


class Watch(keras.callbacks.Callback):
    """Note `look(model)` after every batch."""

    def __init__(self, look):
        super().__init__()
        self.look, self.seen = look, []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(self.look(self.model))


class StopAt(keras.callbacks.Callback):
    """End training after so many batches, in one way or another."""

    def __init__(self, batches, how):
        super().__init__()
        self.left, self.how = batches, how

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.how(self.model)


def test_solved_by_hand(restart):
    # 5 batches an epoch and k = 4: synchronizations after steps 4 and 8, and the final one after step 10.
    # 4 is in epoch 0; 8 and 10 are in epoch 1.
    evaluation = SyncEvaluation({"test": data(20, seed=1)})
    fit(restart(4), evaluation)
    assert [(row["epoch"], row["step"], row["when"]) for row in evaluation.rows] == [
        (0, 4, "after"),
        (1, 8, "after"),
        (1, 10, "after"),
    ]


@pytest.mark.parametrize(
    ("k", "every", "expected"),
    [
        (1, 1, list(range(1, 16))),
        (5, 1, [5, 10, 15]),
        (4, 1, [4, 8, 12, 15]),
        (2, 5, [6, 10, 15]),  # after 5 comes 6, at 10 itself; 15 is the final synchronization
        (3, 7, [9, 15]),  # after 7 comes 9, after 14 comes 15
        (5, 100, [15]),  # the last synchronization is always looked at
        (100, 1, [15]),
    ],
)
def test_steps_at_which_it_evaluates(k, every, expected, restart):
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, every=every)
    fit(restart(k), evaluation, epochs=3)
    assert steps(evaluation) == expected


def test_without_a_final_synchronization(restart):
    evaluation = SyncEvaluation({"test": data(20, seed=1)})
    fit(restart(4, final_sync=False), evaluation)
    assert steps(evaluation) == [4, 8]


def test_accuracy_is_what_evaluate_says():
    x, y = data(50, seed=1)
    evaluation = SyncEvaluation({"test": (x, y), "train": data()}, batch_size=20)  # the last batch is smaller
    model = compiled(4)
    watch = Watch(lambda model: model.get_weights())
    fit(model, evaluation, watch)
    at_step = dict(enumerate([*watch.seen[:9], model.get_weights()], start=1))
    for row in evaluation.rows:
        model.set_weights(at_step[row["step"]])
        assert row["test_accuracy"] == pytest.approx(model.evaluate(x, y, verbose=0)[1])
        assert row["train_accuracy"] == pytest.approx(model.evaluate(*data(), verbose=0)[1])


def test_other_metrics(restart):
    metrics = [
        keras.metrics.SparseCategoricalCrossentropy(name="loss"),
        keras.metrics.SparseTopKCategoricalAccuracy(2, name="top"),
    ]
    x, y = data(20, seed=1)
    evaluation = SyncEvaluation({"test": (x, y)}, metrics=metrics)
    model = restart(5)
    history = fit(model, evaluation)
    assert set(evaluation.rows[0]) == {"epoch", "step", "when", "test_loss", "test_top"}
    assert evaluation.rows[-1]["test_loss"] == pytest.approx(model.evaluate(x, y, verbose=0)[0], rel=1e-5)
    assert history["sync_test_top"] == [row["test_top"] for row in evaluation.rows]


@pytest.mark.parametrize("k", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_training_is_the_same_with_and_without(k):
    plain, validation = compiled(optimizer=with_momentum(k)), data(20, seed=2)
    expected = fit(plain, validation_data=validation)
    for before in (False, True):
        watched = compiled(optimizer=with_momentum(k))
        history = fit(watched, SyncEvaluation({"test": data(20, seed=1)}, before=before), validation_data=validation)
        assert {key: values for key, values in history.items() if not key.startswith("sync_")} == expected
        for with_it, without in zip(watched.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_array_equal(with_it, without)
        for with_it, without in zip(watched.optimizer.variables, plain.optimizer.variables, strict=True):
            np.testing.assert_array_equal(with_it.numpy(), without.numpy())


def test_before_with_a_schedule_that_shortens_k():
    # Epoch 0 has k = 4 and a synchronization at 4; epoch 1 begins at 5 with k = 1, so each step has one.
    def schedule(epoch, k):
        return 4 if epoch == 0 else 1

    plain = compiled()
    fit(plain, SyncPeriodScheduler(schedule))
    evaluation, watched = SyncEvaluation({"test": data(20, seed=1)}, before=True), compiled()
    fit(watched, SyncPeriodScheduler(schedule), evaluation)
    assert steps(evaluation) == [4, 6, 7, 8, 9, 10]
    for with_it, without in zip(watched.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(with_it, without)


def test_before_and_after(restart):
    metrics = [keras.metrics.SparseCategoricalCrossentropy(name="loss")]
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, metrics, before=True)
    fit(restart(5), evaluation)
    assert [(row["step"], row["when"]) for row in evaluation.rows] == [
        (5, "before"),
        (5, "after"),
        (10, "before"),
        (10, "after"),
    ]
    before, after = (
        [row["test_loss"] for row in evaluation.rows if row["when"] == when] for when in ("before", "after")
    )
    assert all(abs(one - other) > 1e-3 for one, other in zip(before, after, strict=True))


def test_compare(restart):
    x, y = data(50, seed=1)
    model = restart(4)
    evaluation = SyncEvaluation({"test": (x, y)}, before=True, compare=True, batch_size=20)
    fit(model, evaluation, epochs=4)
    before, after = ([row for row in evaluation.rows if row["when"] == when] for when in ("before", "after"))
    assert "test_agreement" not in before[0]
    for there, here in zip(before, after, strict=True):
        change = here["test_gained"] - here["test_lost"]
        assert here["test_accuracy"] - there["test_accuracy"] == pytest.approx(change, abs=1e-6)
        assert here["test_agreement"] + here["test_gained"] + here["test_lost"] <= 1 + 1e-9
    assert any(row["test_agreement"] < 1 for row in after)


def test_compare_without_before():
    with pytest.raises(ValueError, match=r"`compare` needs the answers before.*Received: compare=True, before=False"):
        SyncEvaluation({"test": data()}, compare=True)


def test_before_with_every(restart):
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, before=True, every=6)
    fit(restart(2), evaluation, epochs=3)
    assert steps(evaluation, "before") == [6, 12]
    assert steps(evaluation, "after") == [6, 12, 15]


def test_history_checkpoints_and_csv_see_the_values(tmp_path):
    evaluation = SyncEvaluation({"test": data(20, seed=1)})
    best = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "{epoch}.keras"), monitor="sync_test_accuracy", mode="max", save_best_only=True
    )
    table = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = fit(compiled(4), evaluation, best, table)
    values = [row["test_accuracy"] for row in evaluation.rows[:2]]  # those after the steps 4 and 8
    assert history["sync_test_accuracy"] == values
    assert best.best == max(values)
    with open(tmp_path / "log.csv") as file:
        assert [float(row["sync_test_accuracy"]) for row in csv.DictReader(file)] == values


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(("k", "steps_per_execution"), [(3, 2), (2, 4)])
@several_steps_at_once
def test_hidden_synchronization(k, steps_per_execution, before):
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, before=before)
    model = compiled(k, steps_per_execution=steps_per_execution)
    advice = rf"a synchronization at step {k}, seen only at step \d+. Choose `steps_per_execution` so that it divides"
    with pytest.raises(ValueError, match=advice):
        model.fit(*data(80), batch_size=8, verbose=0, callbacks=[evaluation])
    assert periodic_optimizer(model).sync_in_step


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(("k", "steps_per_execution"), [(4, 2)])
@several_steps_at_once
@pytest.mark.slow
def test_steps_per_execution_that_divides(k, steps_per_execution, before):
    expected = SyncEvaluation({"test": data(20, seed=1)}, before=before)
    compiled(k).fit(*data(80), batch_size=8, verbose=0, callbacks=[expected])
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, before=before)
    model = compiled(k, steps_per_execution=steps_per_execution)
    model.fit(*data(80), batch_size=8, verbose=0, callbacks=[evaluation])
    assert steps(evaluation) == steps(expected)
    assert [row["when"] for row in evaluation.rows] == [row["when"] for row in expected.rows]
    for row, other in zip(evaluation.rows, expected.rows, strict=True):
        assert row["test_accuracy"] == pytest.approx(other["test_accuracy"], abs=0.051)  # one example of 20


@pytest.mark.slow
def test_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    plain = compiled(4)
    fit(plain)
    for before in (False, True):
        watched, evaluation = compiled(4), SyncEvaluation({"test": data(20, seed=1)}, before=before)
        assert isinstance(watched.optimizer, keras.optimizers.LossScaleOptimizer)
        fit(watched, evaluation)
        assert steps(evaluation) == [4, 8, 10]
        for with_it, without in zip(watched.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_array_equal(with_it, without)


@pytest.mark.parametrize("before", [False, True])
def test_lookahead(before):
    optimizer = Lookahead(keras.optimizers.SGD(0.5), sync_period=4)
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, before=before)
    fit(compiled(optimizer=optimizer), evaluation)
    assert steps(evaluation)[:2] == [4, 8]


@pytest.mark.parametrize("before", [False, True])
def test_resumed_training_continues_the_grid(before, restart):
    model, evaluation = restart(4, final_sync=False), SyncEvaluation({"test": data(20, seed=1)}, before=before)
    fit(model, evaluation, epochs=1)
    fit(model, evaluation, initial_epoch=1, epochs=3)
    assert steps(evaluation) == [4, 8, 12]
    assert [row["epoch"] for row in evaluation.rows if row["when"] == "after"] == [0, 1, 2]


def test_resumed_after_a_final_synchronization(restart):
    # The final one of the first fit is at 5, and k counts from there: 9, then the final one at 10.
    model, evaluation = restart(4), SyncEvaluation({"test": data(20, seed=1)})
    fit(model, evaluation, epochs=1)
    fit(model, evaluation, initial_epoch=1, epochs=2)
    assert steps(evaluation) == [4, 5, 9, 10]


def stop(model):
    model.stop_training = True


def interrupt(model):
    raise KeyboardInterrupt


def synchronizes(model):
    """Whether a fit without any callback synchronizes: right after it, last_sync is the newest step."""
    optimizer = periodic_optimizer(model)
    watch = Watch(lambda model: (int(optimizer.iterations), optimizer.last_sync))
    optimizer.sync_period = 1
    fit(model, watch, epochs=1)
    return all(step == last for step, last in watch.seen)


@pytest.mark.parametrize("how", [stop, interrupt])
@pytest.mark.parametrize("batches", [3, 4])
def test_ended_early(how, batches):
    model = compiled(4)
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, before=True)
    if how is interrupt:
        with pytest.raises(KeyboardInterrupt):
            fit(model, evaluation, StopAt(batches, how))
    else:
        fit(model, evaluation, StopAt(batches, how))
    assert model.optimizer.sync_in_step
    assert synchronizes(model)


def test_early_stopping():
    model = compiled(4)
    evaluation = SyncEvaluation({"test": data(20, seed=1)}, before=True)
    # No accuracy is better than the first by 2, nor than the baseline.
    stopping = keras.callbacks.EarlyStopping("sync_test_accuracy", mode="min", min_delta=2, baseline=-1.0)
    assert len(fit(model, evaluation, stopping, epochs=9)["loss"]) == 2
    assert steps(evaluation) == [4, 8, 10]
    assert synchronizes(model)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_within_a_step(error):
    model = compiled(4)
    model.make_train_function()
    take_step, taken = model.train_function, []

    def step_that_fails(*arguments):
        taken.append(1)
        if len(taken) == 4:
            raise error("in the middle")
        return take_step(*arguments)

    model.train_function = step_that_fails
    with pytest.raises(error, match="in the middle"):
        fit(model, SyncEvaluation({"test": data(20, seed=1)}, before=True))
    assert model.train_function is step_that_fails
    assert model.optimizer.sync_in_step
    assert synchronizes(model)


def test_a_failing_callback_leaves_a_model_that_synchronizes():
    class Failing(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            raise RuntimeError("before the step")

    model = compiled(4)
    model.make_train_function()
    train_function = model.train_function
    with pytest.raises(RuntimeError, match="before the step"):
        fit(model, SyncEvaluation({"test": data(20, seed=1)}, before=True), Failing())
    fit(model, epochs=1)
    assert model.train_function is train_function
    assert synchronizes(model)


@pytest.mark.slow
def test_a_model_saved_on_the_way_synchronizes(tmp_path):
    # The checkpoint comes after every batch, also when a synchronization is held back.
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "model.keras", save_freq=1)
    fit(compiled(4), checkpoint, SyncEvaluation({"test": data(20, seed=1)}, before=True), epochs=1)
    model = keras.models.load_model(tmp_path / "model.keras")
    assert model.optimizer.sync_in_step
    assert synchronizes(model)


@pytest.mark.parametrize("every", [0, -5])
def test_wrong_every(every):
    with pytest.raises(
        ValueError, match=rf"`every` must be an integer of at least 1.* Received: every={every}. Pass 1"
    ):
        SyncEvaluation({"test": data()}, every=every)


def test_scheduler_solved_by_hand(restart):
    # Five batches an epoch; k is 5, then 2, then 3.
    # epoch 0: a synchronization at 5; epoch 1: at 7 and 9; epoch 2: 3 after 9 is 12, then 15
    asked = []

    def schedule(epoch, k):
        asked.append((epoch, k))
        return [5, 2, 3][epoch]

    watch = Watch(lambda model: model.optimizer.last_sync)
    history = fit(restart(100), SyncPeriodScheduler(schedule), watch, epochs=3)
    assert asked == [(0, 100), (1, 5), (2, 2)]
    assert history["sync_period"] == [5, 2, 3]
    assert sorted(set(watch.seen)) == [0, 5, 7, 9, 12, 15]


def test_scheduler_when_resumed(restart):
    model = restart(7)
    doubling = SyncPeriodScheduler(lambda epoch, k: 2 * k if epoch == 1 else k)
    assert fit(model, doubling, epochs=1)["sync_period"] == [7]
    assert fit(model, doubling, initial_epoch=1, epochs=3)["sync_period"] == [14, 14]


@pytest.mark.parametrize("wrong", [0, -1, 2.0, "5", True])
def test_scheduler_with_a_wrong_value(wrong):
    model = compiled(5)
    with pytest.raises(ValueError, match=rf"`sync_period` must be an integer .* Received: sync_period={wrong!r}"):
        fit(model, SyncPeriodScheduler(lambda epoch, k: wrong))
    assert model.optimizer.sync_period == 5


def test_scheduler_takes_numpy_integers(restart):
    assert fit(restart(5), SyncPeriodScheduler(lambda epoch, k: np.int64(3)))["sync_period"] == [3, 3]


def test_scheduler_without_a_period():
    model = compiled(2)
    history = model.fit(
        *data(),
        batch_size=8,
        epochs=2,
        verbose=2,
        callbacks=[SyncPeriodScheduler(lambda epoch, k: 2 if epoch else None)],
    ).history
    assert history["sync_period"] == [2]
    assert model.optimizer.last_sync == 10


def test_scheduler_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = compiled(5)
    assert fit(model, SyncPeriodScheduler(lambda epoch, k: k + 1))["sync_period"] == [6, 7]
    assert model.optimizer.inner_optimizer.sync_period == 7


@pytest.mark.parametrize(
    "callback",
    [SyncPeriodScheduler(lambda epoch, k: k), SyncEvaluation({"test": data()})],
    ids=["scheduler", "evaluation"],
)
def test_an_optimizer_that_does_not_synchronize(callback):
    with pytest.raises(ValueError, match=r"needs an optimizer that synchronizes. Received: model.optimizer=.*LaPerm"):
        fit(compiled(optimizer=keras.optimizers.Adam()), callback)


def test_periodic_optimizer():
    laperm = LaPerm("adam")
    assert periodic_optimizer(compiled(optimizer=laperm)) is laperm
    around = keras.optimizers.LossScaleOptimizer(laperm)
    assert periodic_optimizer(compiled(optimizer=around)) is laperm
    with pytest.raises(ValueError, match=r"model.optimizer=None. Compile the model with `LaPerm"):
        periodic_optimizer(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]))
