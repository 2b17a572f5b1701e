"""One training on several devices of one machine, by the backend's own engine."""

import contextlib

import keras

MIRRORED, DATA_PARALLEL = "mirrored", "data_parallel"
_BACKENDS = {MIRRORED: "tensorflow", DATA_PARALLEL: "jax"}
HOW = tuple(_BACKENDS)


@contextlib.contextmanager
def distributed(how, count=None):
    """Let a model be made and trained on several devices, each of which takes its share of every batch.

    Args:
        how: str, of `HOW`: `"mirrored"`, TensorFlow's `MirroredStrategy`; `"data_parallel"`, Keras' `DataParallel`, on
            JAX. Or None for one device.
        count: int, how many devices. Defaults to None: all that there are.

    Raises:
        ValueError: the backend has no such engine, or there are not so many devices.
    """
    if how is None:
        yield
        return
    check_engine(how, keras.backend.backend())
    devices = _devices(how)
    if len(devices) < (count or 0):
        raise ValueError(
            f"`--devices` must not be more than there are. Received: --devices {count}, and there are {len(devices)}. "
            "Pass fewer, or leave it out."
        )
    devices = devices[:count]
    if how == MIRRORED:
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(devices).scope():
            yield
        return
    before = keras.distribution.distribution()
    # Each device gets its part of the batches that are made here: nothing of the data set has to be cut beforehand.
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False))
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def check_engine(how, backend):
    """Refuse an engine that a backend does not have."""
    if how is not None and _BACKENDS[how] != backend:
        fitting = next((each for each, other in _BACKENDS.items() if other == backend), None)
        advice = f"Pass --distribute {fitting}" if fitting else "See docs/scale.md for its DistributedDataParallel"
        raise ValueError(
            f"`--distribute {how}` is an engine of {_BACKENDS[how]}. Received: --distribute {how} on {backend}. "
            f"{advice}, or choose another --backend."
        )


def can_make_several_steps():
    """Whether one call can make several steps: PyTorch compiles none, and `MirroredStrategy` fails, with Adam too."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return not tf.distribute.has_strategy()
    return keras.backend.backend() != "torch"


def _devices(how):
    if how == DATA_PARALLEL:
        return keras.distribution.list_devices()
    import tensorflow as tf

    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [device.name for device in tf.config.list_logical_devices(kind)]
