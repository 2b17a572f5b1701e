"""The variables of a SavedModel, the format of TensorFlow: read from its checkpoint, so that nothing of it is run."""

import collections
import pathlib
from collections.abc import Callable

import numpy as np

_ENDING = "/.ATTRIBUTES/VARIABLE_VALUE"
_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def saved_variables(path: pathlib.Path) -> list[tuple[str, tuple[int, ...], str, Callable[[], np.ndarray]]]:
    """List the variables of a SavedModel.

    Args:
        path: its folder.

    Returns:
        List of tuples: the name (as TensorFlow or Keras gave it, or that of the checkpoint), the shape, the type, and a
        function that reads the array.

    Raises:
        ImportError: there is no TensorFlow.
        Exception: whatever TensorFlow raises of a file that is not whole.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
    shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
    names: dict[str, str] = {}
    if _GRAPH in shapes:
        graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(reader.get_tensor(_GRAPH))
        attributes = [attribute for node in graph.nodes for attribute in node.attributes]
        names = {attribute.checkpoint_key: attribute.full_name for attribute in attributes if attribute.full_name}
    keys = sorted(shapes.keys() - {_GRAPH})
    # Keras writes every variable twice, the second time into this list of its own.
    copies = {key for key in keys if key.startswith("_all_variables/")}
    first = {names.get(key) for key in keys if key not in copies}
    keys = [key for key in keys if key not in copies or names.get(key) not in first]
    # Models inside one another may have variables of one name: then the checkpoint's keys tell them apart.
    counts = collections.Counter(names.get(key) for key in keys)
    names = {key: name for key, name in names.items() if counts[name] == 1}
    return [
        (
            _name(key, names),
            tuple(shapes[key]),
            dtypes[key].name,
            lambda key=key: reader.get_tensor(key),  # type: ignore[misc]
        )
        for key in keys
    ]


def _name(key: str, names: dict[str, str]) -> str:
    is_of_optimizer = ".OPTIMIZER_SLOT" in key or key.startswith("optimizer/")
    name = names.get(key, key.removesuffix(_ENDING))
    return f"optimizer/{name}" if is_of_optimizer and not name.startswith("optimizer/") else name
