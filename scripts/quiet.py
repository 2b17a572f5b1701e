"""Backends start without their notes on drivers and processors, which tell the user of a command nothing."""

import contextlib
import os
import sys
import tempfile

from scripts.backend import choose_backend


def start_quietly(backend=None):
    """Import Keras and its backend, and let the backend look for its devices, without what it writes meanwhile.

    Args:
        backend: str, the backend that Keras is to run on, or None for its own default.

    Raises:
        ValueError: as in `choose_backend`.
        ImportError: the backend is not installed.
    """
    choose_backend(backend)
    with _only_if_it_fails():
        import keras

        import train_by_reconnect  # noqa: F401 (before Keras: it says which backend is missing)

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")  # it warns of every function that is traced more than a few times
            tf.config.list_physical_devices()
            tf.constant(0)  # the first value makes the devices
        else:
            keras.ops.zeros(())


@contextlib.contextmanager
def _only_if_it_fails():
    """Keep back what anybody, native code too, writes to the standard error, and show it only before an exception."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        stream = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stream, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stream, 2)
            os.close(stream)
