"""What is known to Keras as soon as there is one.

A saved model names classes of this library, which Keras finds where they were registered, and that is when their
modules are imported. `import train_by_reconnect` is to be enough for that, and yet not to bring Keras and a backend,
seconds and hundreds of megabytes, to those who read weights in a file. So all is imported when Keras is, by whomever.
"""

import contextlib
import importlib
import sys
from types import ModuleType

import wrapt

from train_by_reconnect.backend.chosen import backend_of_keras

_PACKAGE = __name__.partition(".")[0]


def load_all_after_keras() -> None:
    """Import all of the library now, if Keras is imported already, or else right after that.

    Without a backend that can train nothing happens, and who uses it is told. Where a module of ours is what imports
    Keras, it is in the midst of its own import, and others would find it without its names: then all is imported with
    the first public name.
    """
    wrapt.register_post_import_hook(_load_all, "keras")


def _load_all(keras: ModuleType) -> None:
    if not _in_the_midst():
        with contextlib.suppress(ImportError):
            backend_of_keras()
            importlib.import_module(f"{_PACKAGE}.needs_keras")


def _in_the_midst() -> bool:
    """Whether a module of ours, not a package, is not whole yet: Python binds it in its package once it is."""
    for name, module in list(sys.modules.items()):
        package, _, last = name.rpartition(".")
        ours = name.startswith(f"{_PACKAGE}.") and not hasattr(module, "__path__")
        if ours and last not in vars(sys.modules[package]):
            return True
    return False
