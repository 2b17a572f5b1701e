"""Where code is run: traced, by several replicas, on several devices; by names that are not public."""

from typing import Any

import keras


def layout_of_rows(kernel: keras.Variable, unit_axes: tuple[int, ...]) -> Any:
    """How the weight vectors of a kernel, as rows, are spread over devices: as its first unit axis is.

    None where Keras distributes nothing.
    """
    layout = getattr(kernel, "_layout", None)
    if not isinstance(layout, keras.distribution.TensorLayout):
        return None
    first, *others = [layout.axes[axis] for axis in unit_axes] or [None]
    return keras.distribution.TensorLayout([None if any(others) else first, None], layout.device_mesh)


def is_in_stateless_scope() -> bool:
    """Whether variables have values given from outside, as in a train step of JAX."""
    from keras.src.backend.common import stateless_scope

    return stateless_scope.in_stateless_scope()


def is_in_xla() -> bool:
    """Whether what is being traced will be compiled by XLA."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def replicas_meet_to_assign() -> bool:
    """Whether several replicas assign variables together, which they cannot do inside a condition."""
    import tensorflow as tf

    return tf.distribute.has_strategy() and not tf.__internal__.distribute.strategy_supports_no_merge_call()
