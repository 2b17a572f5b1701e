"""Keras' `fit` under TensorFlow's strategy for several machines, where it takes no step."""

from typing import Any

import keras

from train_by_reconnect.backend import keras_training


def let_fit_fail_with(message: str) -> None:
    """Let Keras' `fit` fail with this sentence where it takes no step: elsewhere nothing is changed."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    is_multi_worker = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    is_told = "reduce" in vars(strategy)
    if not is_multi_worker or is_told or strategy.num_replicas_in_sync == len(strategy.extended.worker_devices):
        return
    own = strategy.reduce

    # `fit` reduces a whole batch, a tuple of tensors, before it asks callbacks or optimizer for anything (keras#20585).
    # TensorFlow reduces one tensor; what a loop of one's own reduces is that, and goes through untouched.
    @tf.autograph.experimental.do_not_convert
    def reduce(reduce_op: Any, value: Any, axis: Any = None) -> Any:
        try:
            return own(reduce_op, value, axis=axis)
        except ValueError:
            if isinstance(value, tuple | list | dict):
                raise ValueError(message) from None
            raise

    keras_training.put(strategy, "reduce", reduce)
