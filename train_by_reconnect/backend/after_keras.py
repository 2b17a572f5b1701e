"""What is known to Keras as soon as there is one.

A saved model names classes of this library, which Keras finds where they were registered, and that is when their
modules are imported. `import train_by_reconnect` is to be enough for that, and yet not to bring Keras and a backend,
seconds and hundreds of megabytes, to those who read weights in a file. So all is imported when Keras is, by whomever.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from train_by_reconnect.backend.chosen import backend_of_keras

_PACKAGE = __name__.partition(".")[0]


def load_all() -> None:
    """Import all of the library; without a backend that can train nothing happens, and who uses it is told."""
    with contextlib.suppress(ImportError):
        backend_of_keras()
        importlib.import_module(f"{_PACKAGE}.needs_keras")


def after_keras(action: Callable[[], None]) -> None:
    """Do something right after Keras is imported for the first time.

    Where a module of ours is what imports Keras, it is in the midst of its own import, which others would find without
    its names. Then nothing is done: all is imported with the first public name.

    Args:
        action: function without arguments.
    """
    sys.meta_path.insert(0, _AfterKeras(action))


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Finds Keras as the others do, and wraps what executes it."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "keras":
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next((found for found in specs if found is not None), None)
        if spec is not None and spec.loader is not None:
            self._wrap(spec.loader)
        return spec

    def _wrap(self, loader: importlib.abc.Loader) -> None:
        execute = loader.exec_module

        def execute_and_act(module: ModuleType) -> None:
            execute(module)
            sys.meta_path.remove(self)  # not before: an import that failed is tried again
            if not _in_the_midst():
                self._action()

        loader.exec_module = execute_and_act  # type: ignore[method-assign]


def _in_the_midst() -> bool:
    """Whether a module of ours, not a package, is not whole yet: Python binds it in its package once it is."""
    for name, module in list(sys.modules.items()):
        package, _, last = name.rpartition(".")
        ours = name.startswith(f"{_PACKAGE}.") and not hasattr(module, "__path__")
        if ours and last not in vars(sys.modules[package]):
            return True
    return False
