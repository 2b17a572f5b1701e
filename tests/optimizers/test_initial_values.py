"""The initial weights are those at the first step, whatever built the optimizer and whatever came in between."""

import copy
import pickle

import keras
import numpy as np
import pytest
from backends import BACKEND, SLOW_TO_COMPILE, only_on

from train_by_reconnect import LaPerm, Lookahead, is_permutation, sparsify

X, Y = np.random.default_rng(0).normal(size=(2, 16, 6)).astype("float32"), np.ones((16, 3), "float32")
UNTRAINED = pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # plain Keras says so too


def net(optimizer):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(3)])
    model.compile(optimizer, loss="mse", run_eagerly=True)
    return model


def fit(model):
    model.fit(X[0], Y, batch_size=4, shuffle=False, verbose=0)
    return model


def loaded(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.saving.load_model(tmp_path / "model.keras")


def cloned(model, tmp_path):
    clone = keras.models.clone_model(model)
    clone.compile(LaPerm("adam", sync_period=3), loss="mse", run_eagerly=True)
    clone.optimizer.build(clone.trainable_variables)
    clone.set_weights(model.get_weights())
    return clone


COPIES = [loaded, cloned, lambda model, _: copy.deepcopy(model), lambda model, _: pickle.loads(pickle.dumps(model))]


@UNTRAINED
@pytest.mark.parametrize("copied", COPIES, ids=["loaded", "cloned", "deepcopy", "pickle"])
def test_of_a_copy(copied, tmp_path):
    # Half of all weights are zero, before the copy and, if they were its initial ones, after its training.
    model = net(LaPerm("adam", sync_period=3))
    sparsify(model, [0.5, 0.5], seed=0)
    twin = copied(model, tmp_path)
    fit(twin)
    assert is_permutation(twin)
    assert is_permutation(twin, model)
    assert [int((kernel == 0).sum()) for kernel in twin.get_weights()[::2]] == [15, 8]


def test_changed_after_building():
    model = net(LaPerm("adam", sync_period=3))
    model.optimizer.build(model.trainable_variables)
    sparsify(model, [0.5, 0.5], seed=0)
    start = model.get_weights()
    assert is_permutation(fit(model), start)


@UNTRAINED
def test_a_copy_of_lookahead_stands_still_at_rate_0():
    model = copy.deepcopy(net(Lookahead(keras.optimizers.SGD(0.0), sync_period=1)))
    start = model.get_weights()
    for now, before in zip(fit(model).get_weights(), start, strict=True):
        np.testing.assert_array_equal(now, before)


def test_recapture_fixes_them_before_the_first_step():
    # The rankings (1, 0, 2) of 2, 1, 3 with the values of 10, 20, 30.
    dense = keras.layers.Dense(1, use_bias=False)
    dense.build((None, 3))
    optimizer = LaPerm(keras.optimizers.SGD(0.0), sync_period=1)
    optimizer.build(dense.trainable_variables)
    dense.kernel.assign([[10.0], [20.0], [30.0]])
    optimizer.recapture()
    dense.kernel.assign([[2.0], [1.0], [3.0]])
    optimizer.apply([keras.ops.zeros((3, 1))])
    assert dense.kernel.numpy().ravel().tolist() == [20.0, 10.0, 30.0]


def test_recapture_of_what_is_not_built():
    with pytest.raises(ValueError, match=r"LaPerm must be built before it can keep.*Received: built=False. Call `fit`"):
        LaPerm("adam").recapture()


def test_synchronizing_before_the_first_step_changes_nothing():
    model = net(LaPerm("adam"))
    model.optimizer.build(model.trainable_variables)
    start = model.get_weights()
    model.optimizer.synchronize()
    for now, before in zip(model.get_weights(), start, strict=True):
        np.testing.assert_array_equal(now, before)
    assert (model.optimizer.last_sync, model.optimizer.has_initial_weights) == (0, False)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_a_fit_without_steps(frozen):
    model = net(LaPerm("adam"))
    model.trainable = not frozen
    start = model.get_weights()
    model.fit(X[0], Y, epochs=5, initial_epoch=0 if frozen else 5, verbose=0)
    assert is_permutation(model)
    np.testing.assert_array_equal(model.get_weights()[0], start[0])


@only_on("tensorflow", "its own checkpoints")
@pytest.mark.parametrize("wrapper", [LaPerm, Lookahead])
def test_checkpoint_of_tensorflow_restored_before_building(wrapper, tmp_path):
    # 4 steps and 4 more, as 8 in one go; synchronizations at 3 and 6 cross the border.
    import tensorflow as tf

    def fresh():
        optimizer = wrapper(keras.optimizers.Adam(0.01), sync_period=3)
        optimizer.final_sync = False
        return net(optimizer)

    model = fresh()
    start = model.get_weights()
    fit(model)
    path = tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(str(tmp_path / "checkpoint"))
    resumed = fresh()
    tf.train.Checkpoint(model=resumed, optimizer=resumed.optimizer).restore(path)
    for each in (model, resumed):
        fit(each)
    for there, here in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(there, here)
    assert resumed.optimizer.last_sync == 6
    if wrapper is LaPerm:
        resumed.optimizer.synchronize()
        assert is_permutation(resumed, start)


@pytest.mark.parametrize("jit", [False, pytest.param(True, marks=SLOW_TO_COMPILE)])
def test_state_set_back_after_training(jit):
    # The step that is compiled already must look for the initial weights again: those after the change, half zeros.
    model = net(LaPerm("adam", sync_period=2))
    model.compile(model.optimizer, loss="mse", jit_compile=jit)
    model.optimizer.build(model.trainable_variables)
    state = [(each, keras.ops.convert_to_numpy(each)) for each in (*model.variables, *model.optimizer.variables)]

    def restore():
        for variable, value in state:
            variable.assign(value)

    step = fit(model).train_function
    restore()
    sparsify(model, [0.5, 0.5], seed=0)
    start = model.get_weights()
    if jit and BACKEND == "tensorflow":  # within its XLA nothing looks
        message = r"must know the initial weights.*Received: .* XLA compiled.*Call `recapture\(\)` right after"
        with pytest.raises(ValueError, match=message):
            fit(model)
        restore()
        model.set_weights(start)
        model.optimizer.recapture()
    assert is_permutation(fit(model), start)
    assert model.train_function is step


def test_weights_of_an_untrained_network_loaded_after_training(tmp_path):
    model = net(LaPerm("adam", sync_period=2))
    model.compile(model.optimizer, loss="mse")
    model.optimizer.build(model.trainable_variables)
    sparsify(model, [0.5, 0.5], seed=0)
    model.save_weights(tmp_path / "m.weights.h5")
    start = model.get_weights()
    fit(model)
    step = model.train_function
    model.load_weights(tmp_path / "m.weights.h5")
    assert is_permutation(fit(model), start)
    assert model.train_function is step


@UNTRAINED
@pytest.mark.filterwarnings("ignore:The state of laperm")
class TestLoadingBeforeBuilding:
    @pytest.fixture
    def file(self, tmp_path):
        fit(net(LaPerm("adam", sync_period=3))).save_weights(tmp_path / "m.weights.h5")
        return tmp_path / "m.weights.h5"

    def test_k_stays(self, file):
        model = net(LaPerm("adam", sync_period=77))
        model.load_weights(file)
        fit(model)
        assert model.optimizer.sync_period == 77

    def test_zeros_made_afterwards_stay(self, file):
        model = net(LaPerm("adam", sync_period=3))
        model.load_weights(file)
        sparsify(model, [0.5, 0.5], seed=0)
        fit(model)
        assert [int((kernel == 0).sum()) for kernel in model.get_weights()[::2]] == [15, 8]

    @pytest.mark.filterwarnings("ignore:A total of", "ignore:.*Layer 'head'")
    def test_another_head(self, file):
        keras.utils.set_random_seed(2)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(2, name="head")])
        model.compile(LaPerm("adam", sync_period=3), loss="mse", run_eagerly=True)
        model.load_weights(file, skip_mismatch=True)
        start = model.get_weights()
        model.fit(X[0], Y[:, :2], batch_size=4, verbose=0)
        assert is_permutation(model, start)
