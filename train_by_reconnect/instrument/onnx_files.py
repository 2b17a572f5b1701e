"""The tensors of ONNX files: the one format here that says of each what is computed with it.

| operation, input | unit axes |
|---|---|
| `Conv`, weight (filters, inputs / groups, ...) | 0 |
| `ConvTranspose` of one group, weight (inputs, filters, ...) | 1 |
| `Gemm`, second input (inputs, outputs); the reverse with `transB` | -1; 0 |
| `MatMul`, second input (..., inputs, outputs); first | -1; -2 |
| `LSTM`, `GRU`, `RNN`, weights (directions, gates x hidden, inputs) | 0, 1 |
| `Gather`, first input (rows, size) | 0 |

Read by the package `onnx` (the extra `onnx`).
"""

import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from train_by_reconnect.backend.needing import needing
from train_by_reconnect.instrument.conventions import describe_entries
from train_by_reconnect.instrument.entries import Decision, Entry
from train_by_reconnect.instrument.file_bytes import unreadable
from train_by_reconnect.instrument.tensors import Source

_PASSING = ("Identity", "Cast", "DequantizeLinear")


def onnx_source(path: pathlib.Path, layout: Any = None) -> Source:
    """List the initializers and constants of an ONNX file, of subgraphs too.

    Args:
        path: the file.
        layout: see `train_by_reconnect.instrument.conventions.describe_entries`.

    Returns:
        `Source`.

    Raises:
        ImportError: there is no package `onnx`.
        ValueError: a file that is not whole, or holds no weights.
    """
    with needing("onnx", "An ONNX file", "onnx", str(path), "save the weights as .safetensors"):
        import onnx
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf raises its own errors
        raise unreadable(path, "a whole ONNX file", error, "Copy or download it again.") from error
    entries: list[Entry] = []
    known: dict[str, Decision] = {}
    for place, graph in _graphs(model.graph, ""):
        stored = [*((each.name, each) for each in graph.initializer), *_constants(graph)]
        uses = {name: decision for node in graph.node for name, decision in _uses(node, dict(stored))}
        for name, tensor in stored:
            entries.append(_entry(onnx, path, f"{place}{name}", tensor))
            decision = uses.get(_passed_on(graph, name))
            # A matrix is used as the table says; of a pile of them for `MatMul` the table says nothing.
            if decision and (len(tensor.dims) == 2 or decision.unit_axes not in ((-1,), (-2,))):
                known[f"{place}{name}"] = decision
    if not entries:
        raise unreadable(path, "an ONNX file with weights", "a graph without any", "Pass the file of a network.")
    return Source(path.name, "ONNX file", describe_entries(entries, layout, known))


def _graphs(graph: Any, place: str) -> Iterator[tuple[str, Any]]:
    yield place, graph
    for number, node in enumerate(graph.node):
        for attribute in node.attribute:
            inside = [attribute.g] if attribute.HasField("g") else list(attribute.graphs)
            for each in inside:
                yield from _graphs(each, f"{place}{node.name or f'{node.op_type}_{number}'}.{attribute.name}/")


def _constants(graph: Any) -> list[tuple[str, Any]]:
    nodes = [node for node in graph.node if node.op_type == "Constant"]
    return [(node.output[0], each.t) for node in nodes for each in node.attribute if each.name == "value"]


def _passed_on(graph: Any, name: str) -> str:
    """The name under which a tensor is used, if that is through nodes that leave it as it is."""
    for node in graph.node:
        if node.op_type in _PASSING and node.input and node.input[0] == name:
            return node.output[0]
    return name


def _uses(node: Any, stored: dict[str, Any]) -> Iterator[tuple[str, Decision]]:
    said = {attribute.name: attribute.i for attribute in node.attribute}
    inputs = list(node.input)
    if node.op_type == "Conv":
        yield from ((name, Decision((0,))) for name in inputs[1:2])
    elif node.op_type == "ConvTranspose":
        grouped = "Of a transposed convolution in groups: its weight vectors are no axes of the tensor."
        decision = Decision((1,)) if said.get("group", 1) == 1 else Decision(None, grouped)
        yield from ((name, decision) for name in inputs[1:2])
    elif node.op_type == "Gemm":
        yield from ((name, Decision((0,) if said.get("transB") else (-1,))) for name in inputs[1:2])
        yield from ((name, Decision((-1,) if said.get("transA") else (0,))) for name in inputs[:1])
    elif node.op_type == "MatMul":
        yield from zip(inputs, (Decision((-2,)), Decision((-1,))), strict=False)
    elif node.op_type in ("LSTM", "GRU", "RNN"):
        yield from ((name, Decision((0, 1))) for name in inputs[1:3])
    elif node.op_type == "Gather":
        rank = len(stored[inputs[0]].dims) if inputs[0] in stored else 0
        yield from ((name, Decision((0,))) for name in inputs[:1] if rank == 2 and not said.get("axis"))


def _entry(onnx: Any, path: pathlib.Path, name: str, tensor: Any) -> Entry:
    try:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).name
    except (KeyError, TypeError):
        dtype = onnx.TensorProto.DataType.Name(tensor.data_type).lower()

    def load() -> np.ndarray:
        try:
            return onnx.numpy_helper.to_array(tensor, str(path.parent))
        except Exception as error:  # numbers that are not there, or fewer than the shape says
            whole = f"an ONNX file that holds all of {name}"
            raise unreadable(path, whole, error, "Put its parts together.") from error

    return Entry(name, tuple(tensor.dims), dtype, load)
