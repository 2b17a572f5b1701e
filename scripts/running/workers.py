"""Several processes that work through one queue and share one accelerator."""

import os
import subprocess
import sys


def run_workers(count, arguments, backend):
    """Start the same command several times and wait for all of them.

    Each makes all its runs in one process, for starting a backend takes long; which run is whose they find out by
    holding it. One that dies leaves its run to the others.

    Args:
        count: int.
        arguments: list of str, of `python -m scripts`.
        backend: str, the backend of Keras.

    Returns:
        List of int, their exit statuses.
    """
    environment = {**os.environ, **_share(count, backend), "KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "scripts", *arguments]
    workers = [subprocess.Popen(command, env=environment) for _ in range(count)]
    try:
        return [worker.wait() for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()


def _share(count, backend):
    """The settings by which each of several processes leaves room for the others.

    >>> _share(4, "jax"), _share(4, "torch")
    ({'XLA_PYTHON_CLIENT_MEM_FRACTION': '0.225'}, {})
    """
    if backend == "jax":  # which would take three quarters at once
        return {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 / count:.3f}"}
    return {"TF_FORCE_GPU_ALLOW_GROWTH": "true"} if backend == "tensorflow" else {}
