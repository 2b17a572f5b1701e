"""Files of Keras: a whole model says its layers; weights alone say what their paths and names say, and no more."""

import h5py
import keras
import numpy as np
import pytest

from train_by_reconnect import Masked
from train_by_reconnect.instrument.sources import open_source


def network():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="first")(inputs)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, name="each")(x)
    x = keras.layers.SeparableConv2D(5, 1, name="both")(x)
    x = keras.layers.Conv2DTranspose(6, 3, use_bias=False, name="up")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Reshape((-1, 6))(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(2, return_sequences=True))(x)
    x = keras.layers.MultiHeadAttention(2, 3, use_bias=False)(x, x)
    return keras.Model(inputs, keras.layers.Dense(7, name="top")(x), name="network")


def axes_by_shape(source):
    """The unit axes of every kernel, counted from the end; no two here have one shape and different axes."""
    found = [(tensor.shape, tuple(axis % len(tensor.shape) for axis in tensor.unit_axes)) for tensor in source.profiled]
    return sorted(found)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("hdf5"), network()
    model.save(folder / "x.keras")
    model.save_weights(folder / "x.weights.h5")
    model.save(folder / "x.h5")
    return folder, model


@pytest.mark.parametrize("name", ["x.keras", "x.weights.h5", "x.h5"])
def test_every_format_gives_the_axes_that_the_model_gives(files, name):
    folder, model = files
    source, expected = open_source(folder / name), open_source(model)
    assert axes_by_shape(source) == axes_by_shape(expected)
    assert len(source.tensors) == len(expected.tensors)
    sums = [sorted(float(np.sum(tensor.read())) for tensor in each.profiled) for each in (source, expected)]
    np.testing.assert_array_equal(*sums)
    assert all(tensor.skipped for tensor in source.tensors if len(tensor.shape) < 2)


def test_of_the_weights_alone_of_keras_2_names_and_biases_decide(pretrained_directory):
    source = open_source(pretrained_directory / "mobilenet_2_5_224_tf.h5")
    assert len(source.tensors) == 137
    depthwise = [tensor for tensor in source.profiled if tensor.unit_axes == (-2, -1)]
    assert (len(depthwise), len(source.profiled)) == (13, 28)
    assert [tensor.name for tensor in source.profiled if not tensor.assumed][-1] == "conv_preds/conv_preds/kernel"


def test_the_weights_of_a_layer_with_trained_connectivity_need_their_model(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Masked(keras.layers.Dense(3))])
    model.save_weights(tmp_path / "x.weights.h5")
    source = open_source(tmp_path / "x.weights.h5")
    assert not source.profiled
    assert any("Load the weights into the model" in tensor.skipped for tensor in source.tensors)
    assert len(open_source(model).profiled) == 1  # the effective weights


class Own(keras.layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(7, shape[-1]))
        self.cube = self.add_weight(shape=(2, 3, 4))

    def call(self, x):
        return x


def test_what_a_class_of_ones_own_holds_is_unknown_until_said(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Own()])
    model.save_weights(tmp_path / "x.weights.h5")
    source = open_source(tmp_path / "x.weights.h5")
    assert [bool(tensor.skipped) for tensor in source.tensors] == [True, True]
    assert all("layout=" in tensor.skipped for tensor in source.tensors)
    given = open_source(tmp_path / "x.weights.h5", layout={"vars/0": (0,), "vars/1": (-1,)})
    assert [tensor.units for tensor in given.profiled] == [7, 4]


def test_bfloat16_becomes_float32(tmp_path):
    dense = keras.layers.Dense(3, dtype="bfloat16")
    model = keras.Sequential([keras.Input((4,), dtype="bfloat16"), dense])
    model.save_weights(tmp_path / "x.weights.h5")
    [tensor] = open_source(tmp_path / "x.weights.h5").profiled
    assert tensor.dtype == "bfloat16"
    expected = keras.ops.convert_to_numpy(keras.ops.cast(dense.kernel, "float32"))
    np.testing.assert_array_equal(tensor.read(), expected)


def test_a_model_that_keras_cannot_make_is_read_by_its_names(files, tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes((files[0] / "x.h5").read_bytes())
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace('"MultiHeadAttention"', '"Unknown"')
    source = open_source(path)
    assert "Keras cannot make its model" in source.kind
    assert len(source.profiled) == len(open_source(files[1]).profiled)


@pytest.mark.parametrize("name", ["x.keras", "x.weights.h5", "x.h5"])
@pytest.mark.parametrize("kept", [0.1, 0.7])
def test_refuses_half_a_file(files, tmp_path, name, kept):
    whole = (files[0] / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ValueError, match=r"must be a whole .* Received: (?!File not found)"):
        open_source(tmp_path / name)


def test_refuses_arrays_that_are_declared_and_not_there(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("dense/kernel:0", (1 << 20, 1 << 20), "float32")
    with pytest.raises(ValueError, match="of which it holds 0 bytes"):
        open_source(tmp_path / "x.h5")


def test_refuses_a_file_without_arrays(tmp_path):
    h5py.File(tmp_path / "x.h5", "w").close()
    with pytest.raises(ValueError, match="without arrays"):
        open_source(tmp_path / "x.h5")


def test_a_file_of_other_layers_than_keras_knows_is_refused_with_the_cure(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Own()])
    model.save(tmp_path / "x.keras")
    with pytest.raises(ValueError, match="import their module first"):
        open_source(tmp_path / "x.keras")
