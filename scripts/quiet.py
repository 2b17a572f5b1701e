"""TensorFlow starts without its notes on drivers and processors, which tell the user of a command nothing."""

import contextlib
import os
import sys
import tempfile


def start_quietly():
    """Import Keras and its backend, and let the backend look for its devices, without what it writes meanwhile."""
    with _only_if_it_fails():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")  # it warns of every function that is traced more than a few times
            tf.config.list_physical_devices()
            tf.constant(0)  # the first value makes the devices


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
