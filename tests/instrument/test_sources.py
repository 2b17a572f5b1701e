"""What a file is shows in its contents; what is none is refused in one sentence."""

import sys

import keras
import numpy as np
import pytest
from backends import BACKEND
from stored import write_safetensors, write_torch

from train_by_reconnect.instrument.sources import open_source

WEIGHTS = {"a.weight": np.ones((2, 3), "float32")}


@pytest.mark.parametrize(("write", "kind"), [(write_safetensors, "safetensors file"), (write_torch, "PyTorch file")])
def test_the_contents_decide_where_the_ending_is_unknown(tmp_path, write, kind):
    assert open_source(write(tmp_path / "weights", WEIGHTS)).kind == kind
    assert open_source(str(tmp_path / "weights")).kind == kind


@pytest.mark.parametrize("content", [b"GIF89a...........", b"\x00" * 64, b"{}", b"PK\x03\x04" + bytes(30), b"\x80"])
@pytest.mark.parametrize("name", ["x", "x.txt", "x.bin", "x.pt", "x.safetensors", "x.h5", "x.weights.h5", "x.keras"])
def test_refuses_what_is_no_model(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"x.* must be .* Received: "):
        open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["x", "x.safetensors", "x.h5", "x.keras", "x.pt", "x.onnx"])
def test_refuses_an_empty_file(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match="an empty file"):
        open_source(tmp_path / name)


def test_refuses_what_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="There is no such file"):
        open_source(tmp_path / "none.keras")
    with pytest.raises(ValueError, match="a folder of 0 files"):
        open_source(tmp_path)


def test_refuses_what_is_neither_a_model_nor_a_path():
    with pytest.raises(TypeError, match="Received: model_or_file=3"):
        open_source(3)


def test_a_layout_is_for_files_that_hold_no_layers(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save(tmp_path / "x.keras")
    for source in (model, tmp_path / "x.keras"):
        with pytest.raises(ValueError, match="`layout` must be None"):
            open_source(source, layout="torch")


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow reads a SavedModel")
def test_reads_a_saved_model(tmp_path):
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="first")(inputs)
    x = keras.layers.DepthwiseConv2D(3, use_bias=False, name="each")(x)
    x = keras.layers.Conv2DTranspose(6, 3, name="up")(x)
    model = keras.Model(inputs, keras.layers.Dense(7, name="top")(x))
    model.export(tmp_path / "saved", verbose=False)
    source = open_source(tmp_path / "saved")
    assert source.kind == "SavedModel"
    expected = {tensor.name: tensor for tensor in open_source(model).tensors}
    assert {tensor.name: tensor.shape for tensor in source.tensors} == {
        name: tensor.shape for name, tensor in expected.items()
    }
    for tensor in source.profiled:
        rank = len(tensor.shape)
        assert [axis % rank for axis in tensor.unit_axes] == [axis % rank for axis in expected[tensor.name].unit_axes]
        np.testing.assert_array_equal(tensor.read(), expected[tensor.name].read())
    assert "depthwise" in next(tensor.assumed for tensor in source.profiled if tensor.name.startswith("each"))
    data = tmp_path / "saved" / "variables" / "variables.index"
    data.write_bytes(data.read_bytes()[:20])
    with pytest.raises(ValueError, match="must be a whole SavedModel"):
        open_source(tmp_path / "saved")


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow writes a SavedModel")
def test_reads_a_saved_model_that_keras_did_not_write(tmp_path):
    import tensorflow as tf

    class Linear(tf.Module):
        def __init__(self):
            super().__init__()
            self.matrix, self.offset = tf.Variable(tf.ones((3, 4))), tf.Variable(tf.ones(4))

    tf.saved_model.save(Linear(), str(tmp_path))
    source = open_source(tmp_path)
    assert {tensor.name: tensor.shape for tensor in source.tensors} == {"matrix": (3, 4), "offset": (4,)}
    assert not source.profiled  # a name that says nothing
    [matrix] = open_source(tmp_path, layout="keras").profiled
    assert (matrix.units, matrix.read().sum()) == (4, 12)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="there TensorFlow is installed")
def test_says_what_a_saved_model_needs(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(ValueError, match="pip install tensorflow"):
        open_source(tmp_path)


def test_says_which_package_an_onnx_file_needs(tmp_path, monkeypatch):
    (tmp_path / "x.onnx").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"train-by-reconnect\[onnx\]"):
        open_source(tmp_path / "x.onnx")
