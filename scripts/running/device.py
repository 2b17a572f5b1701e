"""What is asked of the current backend itself: its version, its accelerators, and to wait until they are done."""

import importlib.metadata
import platform

import keras

BACKEND = keras.backend.backend()


def versions():
    """The versions that numbers depend on.

    Example:

    >>> versions().startswith(f"keras {keras.__version__}, {BACKEND} ")
    True
    """
    backend = f"{BACKEND} {importlib.metadata.version(BACKEND)}"
    return f"keras {keras.__version__}, {backend}, python {platform.python_version()}"


def accelerators():
    """The names of the GPUs, or of whatever else is not the processor: list of str, empty where there is none."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
        return [details.get("device_name", "GPU") for details in gpus]
    if BACKEND == "jax":
        import jax

        return [device.device_kind for device in jax.local_devices() if device.platform != "cpu"]
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def wait_for(values):
    """Wait until the device has computed some values, and give them back."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tf.test.experimental.sync_devices()
    elif BACKEND == "jax":
        import jax

        jax.block_until_ready(values)
    else:
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
    return values
