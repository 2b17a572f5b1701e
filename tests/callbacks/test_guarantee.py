"""When the weights are a permutation of the initial ones: with every standard callback, `SyncEveryEpoch` or not.

Epochs of four steps and k = 3: without the callback, no epoch ends with a synchronization but the third.
"""

import functools

import keras
import numpy as np
import pytest
from backends import BACKEND, several_steps_at_once

from train_by_reconnect import LaPerm, Lookahead, SyncEvaluation, SyncEveryEpoch, is_permutation

X, Y = np.random.default_rng(0).normal(size=(2, 16, 6)).astype("float32"), np.ones((16, 3), "float32")
PERIODS = pytest.mark.parametrize("period", [3, None])


@functools.cache
def start():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(5, "relu"), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((6,)), *layers])


def net(period=3, inner="adam", **arguments):
    model = keras.models.clone_model(start())
    model.set_weights(start().get_weights())
    model.compile(LaPerm(inner, sync_period=period), loss="mse", **{"run_eagerly": True, **arguments})
    return model


def fit(model, *callbacks, epochs=2, x=X[0], validation=False, **arguments):
    held_out = {"validation_data": (X[1], Y)} if validation else {}
    arguments = {"y": Y, "batch_size": 4, "shuffle": False, **arguments}
    return model.fit(x, epochs=epochs, verbose=0, callbacks=list(callbacks), **held_out, **arguments).history


class Seen(keras.callbacks.Callback):
    """Whether the guarantee held where others look."""

    def __init__(self):
        super().__init__()
        self.at = {"validation": [], "end": []}

    def on_test_begin(self, logs=None):
        self.at["validation"].append(bool(is_permutation(self.model)))

    def on_epoch_end(self, epoch, logs=None):
        self.at["end"].append(bool(is_permutation(self.model)))


def ranked(values):
    return np.argsort(np.argsort(values, 0, kind="stable"), 0)


class TestSyncEveryEpoch:
    def test_is_a_synchronization(self):
        # Of four steps with no synchronization, and one at the end: the initial values in the ranking then.
        class Watch(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.trained = self.model.get_weights()[0]

            def on_epoch_end(self, epoch, logs=None):
                self.synchronized = self.model.get_weights()[0]

        watch = Watch()
        fit(net(None), watch, SyncEveryEpoch(), epochs=1)
        np.testing.assert_array_equal(ranked(watch.synchronized), ranked(watch.trained))
        np.testing.assert_array_equal(np.sort(watch.synchronized, 0), np.sort(start().get_weights()[0], 0))

    @pytest.mark.parametrize("validation", [False, True])
    @pytest.mark.parametrize("first", [False, pytest.param(True, marks=pytest.mark.slow)])
    @PERIODS
    def test_before_all_else(self, period, first, validation):
        seen = Seen()
        callbacks = [SyncEveryEpoch(), seen] if first else [seen, SyncEveryEpoch()]
        fit(net(period), *callbacks, validation=validation)
        assert seen.at == {"validation": [True, True] if validation else [], "end": [True, True]}

    @pytest.mark.filterwarnings("ignore:Your input ran out of data")
    @pytest.mark.parametrize(
        "arguments",
        [
            {"x": lambda: ((X[0, i : i + 4], Y[:4]) for i in range(0, 16, 4)), "y": None, "batch_size": None},
            pytest.param({}, marks=several_steps_at_once),
        ],
        ids=["generator", "steps_per_execution"],
    )
    def test_whatever_the_steps(self, arguments):
        seen = Seen()
        if arguments:
            fit(net(None), seen, SyncEveryEpoch(), epochs=1, **{**arguments, "x": arguments["x"]()})
        else:
            fit(net(None, run_eagerly=False, steps_per_execution=3), seen, SyncEveryEpoch())
        assert set(seen.at["end"]) == {True}

    def test_an_epoch_that_is_cut_short(self):
        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.stop_training = batch == 1

        seen = Seen()
        fit(net(None), Stop(), seen, SyncEveryEpoch())
        assert seen.at["end"] == [True]

    def test_every_other_epoch(self):
        # Epochs are counted from the first of all, also by a training that is resumed after the first.
        for begin, expected in ((0, [False, True, False, True]), (1, [True, False, True])):
            seen = Seen()
            fit(net(None), seen, SyncEveryEpoch(2), epochs=4, initial_epoch=begin)
            assert seen.at["end"] == expected

    def test_an_evaluation_within_an_epoch_is_no_end(self):
        class Evaluate(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                self.model.evaluate(X[1], Y, verbose=0)
                self.held = bool(is_permutation(self.model))

        evaluate = Evaluate()
        fit(net(None), SyncEveryEpoch(), evaluate, epochs=1)
        assert not evaluate.held

    def test_leaves_nothing_behind(self):
        class Interrupt(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                raise KeyboardInterrupt

        model, seen = net(None), Seen()
        with pytest.raises(KeyboardInterrupt):
            fit(model, SyncEveryEpoch(), Interrupt())
        fit(model, seen)
        assert seen.at["end"] == [False, False]
        fit(model, SyncEveryEpoch())
        assert not {"evaluate", "_get_metrics_result_or_logs"} & vars(model).keys()

    def test_lookahead(self):
        model = net()
        model.compile(Lookahead("sgd", sync_period=None), loss="mse", run_eagerly=True)
        fit(model, SyncEveryEpoch())
        assert model.optimizer.last_sync == 8

    @pytest.mark.parametrize("epochs", [0, -1, 1.5, True, None])
    def test_number_of_epochs(self, epochs):
        with pytest.raises(ValueError, match=r"`epochs` must be an integer of at least 1. Received: epochs=.* Pass"):
            SyncEveryEpoch(epochs)

    def test_another_optimizer(self):
        model = net()
        model.compile("adam", loss="mse")
        with pytest.raises(
            ValueError, match=r"needs an optimizer that synchronizes. Received: .*Compile the model with"
        ):
            fit(model, SyncEveryEpoch())


def test_no_period():
    model = net(None)
    assert model.optimizer.sync_period is None
    assert LaPerm.from_config(model.optimizer.get_config()).sync_period is None
    fit(model)
    assert model.optimizer.last_sync == 8  # the final one
    model.optimizer.sync_period = 3
    model.optimizer.final_sync = False
    fit(model, epochs=1)
    assert model.optimizer.last_sync == 11


class TestStandardCallbacks:
    """Whether the guarantee holds after `fit`, without `SyncEveryEpoch` (k = 3) and with it."""

    def after(self, callback, period=3, validation=False, **arguments):
        model = net(period)
        fit(model, callback, *([SyncEveryEpoch()] if period is None else []), validation=validation, **arguments)
        return bool(is_permutation(model))

    @PERIODS
    def test_early_stopping(self, period):
        # It stops, and the final synchronization comes after that.
        assert self.after(keras.callbacks.EarlyStopping("loss", mode="max"), period)

    @pytest.mark.parametrize(("period", "holds"), [(3, False), (None, True)])
    def test_early_stopping_that_restores(self, period, holds):
        # It brings back the weights of the first epoch's end, after the final synchronization.
        stopping = keras.callbacks.EarlyStopping("loss", mode="max", restore_best_weights=True)
        assert self.after(stopping, period) == holds

    @pytest.mark.parametrize("best", [False, True])
    @pytest.mark.parametrize(("period", "holds"), [(3, False), (None, True)])
    def test_model_checkpoint(self, period, holds, best, tmp_path):
        path = tmp_path / "model.keras"
        checkpoint = keras.callbacks.ModelCheckpoint(path, "val_loss", save_best_only=best)
        assert self.after(checkpoint, period, validation=True)
        assert bool(is_permutation(keras.saving.load_model(path))) == holds

    @pytest.mark.parametrize(("period", "holds"), [(3, False), (None, True)])
    def test_backup_and_restore(self, period, holds, tmp_path):
        # A killed training goes on from the backup: at its end the guarantee holds, in the backup it may not.
        class Kill(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 1:
                    self.held = bool(is_permutation(self.model))
                    raise KeyboardInterrupt

        kill, backup = Kill(), functools.partial(keras.callbacks.BackupAndRestore, tmp_path / "backup")
        sync = [SyncEveryEpoch()] if period is None else []
        with pytest.raises(KeyboardInterrupt):
            fit(net(period), backup(), kill, *sync)
        assert kill.held == holds
        resumed = net(period)
        fit(resumed, backup(), *sync)
        assert is_permutation(resumed)
        assert is_permutation(resumed, start())

    @pytest.mark.parametrize("swap_on_epoch", [False, pytest.param(True, marks=pytest.mark.slow)])
    @PERIODS
    def test_swap_ema_weights(self, period, swap_on_epoch):
        # While the averages are in the model it does not hold, nor after: on TensorFlow the callback swaps by adding
        # and subtracting, and rounds. The averages give the ranking of the final synchronization.
        swap, seen = keras.callbacks.SwapEMAWeights(swap_on_epoch), Seen()
        model = net(period, keras.optimizers.Adam(use_ema=True))
        fit(model, swap, seen, *([SyncEveryEpoch()] if period is None else []), validation=True)
        is_brought_back = BACKEND != "tensorflow" and period is None and not swap_on_epoch
        assert seen.at == {"validation": [False, False], "end": [is_brought_back, is_brought_back]}
        assert is_permutation(model)

    @pytest.mark.filterwarnings("ignore:invalid value encountered")
    @PERIODS
    def test_terminate_on_nan(self, period):
        # It ends `fit`, and what the synchronization at that end finds is no ranking: an error says so.
        model = net(period, keras.optimizers.SGD(0.1))
        sync = [SyncEveryEpoch()] if period is None else []
        with pytest.raises(ValueError, match=r"finite weights at a synchronization.*Lower the learning rate"):
            fit(model, keras.callbacks.TerminateOnNaN(), *sync, y=np.full_like(Y, np.nan))
        assert int(model.optimizer.iterations) == 1
        assert not is_permutation(model)

    @PERIODS
    def test_reduce_learning_rate(self, period):
        assert self.after(keras.callbacks.ReduceLROnPlateau("loss", min_delta=9.0, patience=1), period)


class TestIsPermutation:
    def test_solved_by_hand(self):
        # Columns 1 2 3 and 4 5 6: 3 1 2 and 6 5 4 are permutations of them; 3 1 1 is none of the first.
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")], name="net")
        columns = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        model.set_weights([columns.T, np.zeros(2)])
        assert is_permutation(model, [np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]]).T, np.array([7.0, 8.0])])
        found = is_permutation(model, [np.array([[3.0, 1.0, 1.0], [6.0, 5.0, 4.0]]).T, np.zeros(2)])
        assert not found
        assert repr(found) == "PermutationCheck(kernels=1, differs='net/dense/kernel', cure=None)"

    def test_weights_that_change_columns_are_none(self):
        # The same values in another neuron are no permutation of its weight vector.
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
        assert not is_permutation(model, [model.get_weights()[0][:, ::-1], np.zeros(2)])

    def test_two_models(self):
        model = net()
        fit(model)
        assert is_permutation(model, start())
        assert is_permutation(start(), model)

    def test_names_the_first_and_the_cure(self):
        model = net()
        fit(model)
        kernel = model.layers[1].kernel
        kernel.assign(kernel + 1)
        found = is_permutation(model)
        assert (found.kernels, found.differs, found.cure) == (2, kernel.path, "model.optimizer.synchronize()")
        assert kernel.path in repr(found)
        model.optimizer.synchronize()
        assert is_permutation(model)

    def test_before_the_first_step(self):
        model = net()
        assert is_permutation(model)
        model.optimizer.build(model.trainable_variables)
        assert is_permutation(model)

    def test_without_laperm(self):
        model = net()
        model.compile("adam", loss="mse")
        with pytest.raises(ValueError, match=r"must be compiled with `LaPerm`.*Received: optimizer=.*as `other`"):
            is_permutation(model)

    def test_another_architecture(self):
        with pytest.raises(ValueError, match=r"same architecture. Received: shapes .*Pass a clone of the model"):
            is_permutation(start(), start().get_weights()[:2])

    def test_not_built(self):
        with pytest.raises(ValueError, match=r"`model` must be built.*Received: .*built=False"):
            is_permutation(keras.Sequential([keras.layers.Dense(2)]))


@pytest.mark.parametrize("before", [False, True])
def test_sync_evaluation_sees_the_end_of_an_epoch(before):
    evaluation = SyncEvaluation({"train": (X[0], Y)}, metrics=["mse"], before=before, compare=False)
    history = fit(net(None), evaluation, SyncEveryEpoch())
    assert [(row["step"], row["when"]) for row in evaluation.rows] == [(4, "after"), (8, "after")]
    assert history["sync_train_mse"] == [row["train_mse"] for row in evaluation.rows]
