"""Modules of another backend of Keras than the current one are not collected for their doctests: it may be missing."""

import pathlib

import keras

_ROOT = pathlib.Path(__file__).resolve().parent

collect_ignore = [
    str(path)
    for name in {"tensorflow", "jax", "torch"} - {keras.backend.backend()}
    for folder in ("train_by_reconnect", "scripts")
    for pattern in (f"{name}.py", f"{name}_*.py")
    for path in (_ROOT / folder).rglob(pattern)
]
