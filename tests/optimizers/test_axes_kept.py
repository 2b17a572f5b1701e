"""The axes that LaPerm uses: visible, in its config, and those of a copy too."""

import copy
import pickle

import keras
import numpy as np
import pytest
from backends import only_on

from train_by_reconnect import LaPerm, Layout, connectivity_model, is_permutation

X, Y = np.random.default_rng(0).normal(size=(8, 4)).astype("float32"), np.ones((8, 2), "float32")


def net(optimizer):
    layers = [keras.layers.Dense(3, name="a"), keras.layers.BatchNormalization(), keras.layers.Dense(2, name="b")]
    model = keras.Sequential([keras.Input((4,)), *layers], name="net")
    model.compile(optimizer, loss="mse", run_eagerly=True)
    return model


def test_describe():
    model = net(LaPerm("adam", unit_axes={"net/a/kernel": (0,)}))
    with pytest.raises(ValueError, match=r"must be built before it can describe"):
        model.optimizer.describe()
    model.optimizer.build(model.trainable_variables)
    left = [("bias", None), ("normalization", None), ("normalization", None)]
    found = [(layout.kind, layout.unit_axes) for layout in model.optimizer.describe()]
    assert found == [("kernel", (0,)), *left, ("kernel", (-1,)), ("bias", None)]
    assert model.optimizer.describe()[0].path == "net/a/kernel"
    kept = [(entry["path"], entry["unit_axes"]) for entry in model.optimizer.get_config()["layouts"]]
    assert (kept[0], kept[4]) == (("net/a/kernel", [0]), ("net/b/kernel", [-1]))


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
@pytest.mark.parametrize("how", ["load", "deepcopy", "pickle"])
def test_of_a_copy_whose_paths_are_shorter(how, tmp_path):
    # A Sequential that is loaded builds its layers before it has them: `a/kernel` is what `net/a/kernel` was.
    model = net(LaPerm("adam", sync_period=3, unit_axes={"net/a/kernel": (0,), "^net/b/kernel$": None}))
    model.fit(X, Y, batch_size=2, verbose=0)
    if how == "load":
        model.save(tmp_path / "model.keras")
        twin = keras.saving.load_model(tmp_path / "model.keras")
    else:
        twin = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
    assert twin.optimizer.describe() == model.optimizer.describe()
    twin.fit(X, Y, batch_size=2, verbose=0)
    assert is_permutation(twin)
    assert is_permutation(twin).kernels == 1


def test_a_config_for_another_network():
    optimizer = LaPerm("adam", unit_axes={"net/a/kernel": (0,)})
    optimizer.build(net("sgd").trainable_variables)
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, name="c")])
    twin = LaPerm.from_config(optimizer.get_config())
    with pytest.raises(ValueError, match=r"no path matches. Received: 'net/a/kernel'"):
        twin.build(other.trainable_variables)


def test_scores_are_no_kernels():
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="a")])
    model = connectivity_model(plain)
    with pytest.raises(ValueError, match=r"LaPerm permutes kernels.*Received: .*scores. Train them with the inner"):
        LaPerm("adam").build(model.trainable_variables)


@only_on("tensorflow jax", "XLA")
def test_a_kernel_without_weights():
    # Under XLA; without it TensorFlow's own product of matrices cannot do this, whatever the optimizer.
    inputs = keras.Input((0,)), keras.Input((4,))
    parts = [keras.layers.Dense(2)(each) for each in inputs]
    model = keras.Model(inputs, keras.layers.add(parts))
    model.compile(LaPerm("adam", sync_period=2), loss="mse", jit_compile=True)
    model.fit([X[:, :0], X], Y, batch_size=2, verbose=0)
    assert is_permutation(model)


@only_on("tensorflow", "only TensorFlow has variables of its own that Keras takes")
@pytest.mark.filterwarnings("ignore:The layer that owns a variable")
def test_variables_of_tensorflow():
    import tensorflow as tf

    # As in `test_solved_by_hand`: with rate 1 and gradients 1, -1, 1 twice, -1.5 1.0 0.0 is lowest, highest, middle.
    kernel = tf.Variable([[0.5], [-1.0], [2.0]])
    optimizer = LaPerm(keras.optimizers.SGD(1.0), sync_period=2)
    for _ in range(2):
        optimizer.apply([tf.constant([[1.0], [-1.0], [1.0]])], [kernel])
    assert kernel.numpy().ravel().tolist() == [-1.0, 2.0, 0.5]
    assert optimizer.describe() == [Layout("kernel", (-1,))]
