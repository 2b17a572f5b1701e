"""Backends start without their notes on drivers and processors, which tell the user of a command nothing."""

import os

from scripts.backend import choose_backend
from train_by_reconnect_start import quiet_unless_it_fails


def start_quietly(backend=None, devices=None, is_trained_here=True):
    """Import Keras and its backend, and let the backend look for its devices, without what it writes meanwhile.

    Args:
        backend: str, the backend that Keras is to run on, or None for its own default.
        devices: int, so many devices are simulated where there is no accelerator. Defaults to None: the processor.
        is_trained_here: bool; if not, the devices are left to the processes that train. Defaults to `True`.

    Raises:
        ValueError: as in `choose_backend`.
        ImportError: the backend is not installed.
    """
    choose_backend(backend)
    if devices is not None:  # which has no effect on other backends than JAX, nor on a GPU
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_force_host_platform_device_count={devices}".strip()
    with quiet_unless_it_fails():
        import keras

        import train_by_reconnect  # noqa: F401 (all of it, while nothing is shown)

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")  # it warns of every function that is traced more than a few times
            if devices is not None and not tf.config.list_physical_devices("GPU"):
                simulated = [tf.config.LogicalDeviceConfiguration()] * devices
                tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], simulated)
            if is_trained_here:
                tf.config.list_physical_devices()
                tf.constant(0)  # the first value makes the devices
        elif is_trained_here:
            keras.ops.zeros(())
