"""What each of several processes gets of a machine, and each of several machines of a sweep."""

import math
import os
import pathlib


def environment_of_worker(number, count, backend, cores=None, gpus=None):
    """The environment variables by which one of several processes leaves room for the others.

    Each gets an equal part of the cores, as threads, and of the memory of the accelerators. Variables that are set
    already stay.

    Args:
        number: int, which one it is, from 0.
        count: int, how many there are.
        backend: str, of Keras.
        cores: int. Defaults to those that this process may use.
        gpus: list of str. Defaults to those that there are.

    Returns:
        Dict of str.

    Example:

    >>> environment_of_worker(1, 2, "torch", cores=5, gpus=[])
    {'OMP_NUM_THREADS': '2'}
    >>> environment_of_worker(2, 3, "jax", cores=2, gpus=["0", "1"])["CUDA_VISIBLE_DEVICES"]
    '0'
    """
    threads = str(max(1, (cores or usable_cores()) // count))
    shares = {"OMP_NUM_THREADS": threads}
    if backend == "tensorflow":
        shares |= {"TF_NUM_INTRAOP_THREADS": threads, "TF_NUM_INTEROP_THREADS": threads}
    elif backend == "jax":
        shares |= {"NPROC": threads}  # as many threads as XLA makes
    gpus = _gpus() if gpus is None else gpus
    if len(gpus) > 1:
        shares["CUDA_VISIBLE_DEVICES"] = gpus[number % len(gpus)]
    if backend == "jax":  # which would take three quarters of a GPU's memory at once
        shares["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 / math.ceil(count / max(1, len(gpus))):.3f}"
    elif backend == "tensorflow":
        shares["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return {name: value for name, value in shares.items() if name not in os.environ or name == "CUDA_VISIBLE_DEVICES"}


def usable_cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpus():
    """The numbers of the GPUs that this process may use, found without starting a backend, which would take them."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [each for each in visible.split(",") if each and each != "-1"]
    return [str(number) for number, _ in enumerate(pathlib.Path("/dev").glob("nvidia[0-9]*"))]


def shard(jobs, text):
    """The runs that are one machine's, of several that share a sweep without talking to each other.

    The first machine takes the first run, the second the second, and so on, over and over. What starts from another run
    goes where that goes.

    Args:
        jobs: list of `scripts.running.sweep.Job`.
        text: str, `"2/5"` for the second of five, or None for all.

    Returns:
        List of `Job`, in their order.

    Raises:
        ValueError: the text says something else.
    """
    if text is None:
        return jobs
    which, count = _numbers(text)
    firsts = [_first(job, jobs) for job in jobs]
    places = {number: place for place, number in enumerate(dict.fromkeys(firsts))}
    return [job for job, first in zip(jobs, firsts, strict=True) if places[first] % count == which - 1]


def _first(job, jobs):
    """The number of the run that begins the chain of runs which a run starts from."""
    before = next((other for other in jobs if job.starts_from(other)), None)
    return jobs.index(job) if before is None else _first(before, jobs)


def _numbers(text):
    which, _, count = text.partition("/")
    if not (which.isdecimal() and count.isdecimal() and 1 <= int(which) <= int(count)):
        raise ValueError(
            f"`--shard` must say which part of how many, from 1/N to N/N. Received: --shard {text}. Pass e.g. --shard "
            "1/4, 2/4, 3/4 and 4/4 on four machines."
        )
    return int(which), int(count)
