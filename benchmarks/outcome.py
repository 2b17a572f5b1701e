"""What the benchmarks share at their end: where and when they ran, and the file they write."""

import datetime
import importlib.metadata
import os
import pathlib

import keras

from scripts.running.circumstances import machine
from scripts.running.files import replacing


def finish(title, script, about, tables, rounds, write, by_backend=False):
    """Print where and when a benchmark ran, and put all it found into a file beside it.

    Args:
        title: str.
        script: str, path of the benchmark, e.g. `benchmarks/layerwise.py`; the file is `benchmarks/layerwise.md`.
        about: str, what was measured and how.
        tables: list of str, Markdown.
        rounds: str, what the numbers are, e.g. `"medians of 7 rounds"`.
        write: bool, whether to write the file.
        by_backend: bool, whether the file is of one backend of Keras: `benchmarks/layerwise_jax.md` on JAX, and as
            above on TensorFlow. Defaults to `False`.
    """
    backends = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
    chosen = keras.backend.backend()
    packages = {chosen: backends[chosen], "keras": "Keras", "numpy": "NumPy", "matplotlib": "matplotlib"}
    versions = ", ".join(f"{name} {importlib.metadata.version(package)}" for package, name in packages.items())
    load = f"Load of the machine: {os.getloadavg()[1]:.1f} running processes, of which this one alone is up to 2"
    where = f"{machine()}, {versions}, {datetime.date.today()}; {rounds}. {load}."
    print(f"\n{where}")
    if write:
        path, backend = pathlib.Path(script), keras.backend.backend()
        suffix = f"_{backend}" if by_backend and backend != "tensorflow" else ""
        with replacing(path.with_name(f"{path.stem}{suffix}.md")) as partial:
            partial.write_text("\n\n".join([f"# {title}", about.strip(), where, *tables]) + "\n")
