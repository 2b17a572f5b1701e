"""ONNX says what is computed with each tensor: a graph with every operation of the table."""

import numpy as np
import pytest

from train_by_reconnect.instrument.sources import open_source

onnx = pytest.importorskip("onnx", reason="the extra `onnx`")


def graph_file(path, nodes, arrays, **external):
    make = onnx.helper
    stored = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = make.make_graph(nodes, "g", [], [], stored)
    onnx.save(make.make_model(graph), str(path), **external)
    return path


# Shapes are of 8 outputs and 6 inputs wherever there are as many.
OPERATIONS = [
    (("Conv", ["x", "w"], {}), (8, 6, 3, 3), (0,), 8),
    (("ConvTranspose", ["x", "w"], {}), (6, 8, 3, 3), (1,), 8),
    (("Gemm", ["x", "w"], {}), (6, 8), (-1,), 8),
    (("Gemm", ["x", "w"], {"transB": 1}), (8, 6), (0,), 8),
    (("MatMul", ["x", "w"], {}), (6, 8), (-1,), 8),
    (("MatMul", ["w", "x"], {}), (8, 6), (-2,), 8),
    (("LSTM", ["x", "w", "r"], {}), (1, 32, 6), (0, 1), 32),  # 4 gates of 8 units
    (("Gather", ["w", "x"], {}), (8, 6), (0,), 8),
]


@pytest.mark.parametrize(("operation", "shape", "unit_axes", "units"), OPERATIONS)
def test_axes_by_what_is_computed(tmp_path, operation, shape, unit_axes, units):
    kind, inputs, attributes = operation
    array = np.random.default_rng(0).normal(size=shape).astype("float32")
    node = onnx.helper.make_node(kind, inputs, ["y"], **attributes)
    [tensor] = open_source(graph_file(tmp_path / "x.onnx", [node], {"w": array})).tensors
    assert (tensor.unit_axes, tensor.units, tensor.skipped) == (unit_axes, units, "")
    np.testing.assert_array_equal(tensor.read(), array)


def test_lists_constants_codes_and_what_no_operation_explains(tmp_path):
    make = onnx.helper
    constant = onnx.numpy_helper.from_array(np.ones((6, 8), "float32"), "k")
    nodes = [
        make.make_node("Constant", [], ["k"], value=constant),
        make.make_node("MatMul", ["x", "k"], ["y"]),
        make.make_node("MatMul", ["x", "pile"], ["p"]),
        make.make_node("Cast", ["half"], ["whole"], to=1),
        make.make_node("Gemm", ["y", "whole"], ["z"]),
        make.make_node("ConvTranspose", ["z", "up"], ["o"], group=2),
    ]
    arrays = {
        "half": np.ones((8, 4), "float16"),
        "codes": np.ones((8, 4), "int8"),
        "up": np.ones((6, 8, 3, 3), "float32"),
        "table": np.ones((5, 4), "float32"),
        "pile": np.ones((2, 6, 8), "float32"),
    }
    source = open_source(graph_file(tmp_path / "x.onnx", nodes, arrays))
    found = {tensor.name: tensor for tensor in source.tensors}
    assert {name: tensor.units for name, tensor in found.items() if not tensor.skipped} == {"k": 8, "half": 4}
    assert "int8" in found["codes"].skipped
    assert "groups" in found["up"].skipped
    assert "layout=" in found["table"].skipped
    assert "layout=" in found["pile"].skipped


def test_reads_numbers_beside_the_file_and_says_when_they_are_not_there(tmp_path):
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    array = np.random.default_rng(0).normal(size=(60, 80)).astype("float32")
    external = {"save_as_external_data": True, "location": "numbers", "size_threshold": 0}
    path = graph_file(tmp_path / "x.onnx", [node], {"w": array}, **external)
    [tensor] = open_source(path).tensors
    np.testing.assert_array_equal(tensor.read(), array)
    (tmp_path / "numbers").unlink()
    with pytest.raises(ValueError, match="holds all of w"):
        tensor.read()


def test_numbers_that_are_fewer_than_the_shape_says(tmp_path):
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    path = graph_file(tmp_path / "x.onnx", [node], {"w": np.ones((6, 8), "float32")})
    model = onnx.load(str(path))
    model.graph.initializer[0].dims[0] = 1 << 40
    onnx.save(model, str(path))
    with pytest.raises(ValueError, match="holds all of w"):
        open_source(path).tensors[0].read()


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
def test_refuses_half_a_file(tmp_path, kept):
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    path = graph_file(tmp_path / "x.onnx", [node], {"w": np.ones((60, 80), "float32")})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ValueError, match="must be a whole ONNX file"):
        open_source(path)


def test_refuses_a_graph_without_weights(tmp_path):
    with pytest.raises(ValueError, match="without any"):
        open_source(graph_file(tmp_path / "x.onnx", [], {}))
