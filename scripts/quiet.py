"""Backends start without their notes on drivers and processors, which tell the user of a command nothing."""

from scripts.backend import choose_backend
from train_by_reconnect_start import quiet_unless_it_fails


def start_quietly(backend=None):
    """Import Keras and its backend, and let the backend look for its devices, without what it writes meanwhile.

    Args:
        backend: str, the backend that Keras is to run on, or None for its own default.

    Raises:
        ValueError: as in `choose_backend`.
        ImportError: the backend is not installed.
    """
    choose_backend(backend)
    with quiet_unless_it_fails():
        import keras

        import train_by_reconnect  # noqa: F401 (before Keras: it says which backend is missing)

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")  # it warns of every function that is traced more than a few times
            tf.config.list_physical_devices()
            tf.constant(0)  # the first value makes the devices
        else:
            keras.ops.zeros(())
