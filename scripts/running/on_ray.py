"""A sweep on a cluster, by Ray's tasks and scheduler: a task a run, made again elsewhere where its machine is lost."""

import contextlib
import logging
import os
import pathlib
import re
import socket
import uuid

import keras

from scripts.running.failures import sentence
from scripts.running.files import DiskFullError, replacing, touch
from scripts.running.packing import packed
from scripts.running.ray_task import make_run
from scripts.running.shares import environment_of_worker
from scripts.running.sweep import Outcome

LOCAL = "local"
_RETRIES = 3  # of a run whose machine is lost
_SECONDS = 5.0  # until an address that does not answer is given up


def sweep_on_ray(jobs, options, ray):
    """Run what is given, as `scripts.running.sweep.sweep` does, on a cluster.

    Args:
        jobs: list of `scripts.running.sweep.Job`.
        options: `scripts.running.runner.Options`, of paths that begin at the root.
        ray: dict: `"address"`, `"host:port"` of a cluster, or `"local"` for one on this machine, bound to the loopback
            address; `"cores"` and `"gpus"`, what each run takes, in parts of one too.

    Yields:
        `Outcome` of each run, as it ends.

    Raises:
        ConnectionError: nobody answers at the address.
        ValueError: Ray is not installed, or nothing in the cluster has what a run takes.
    """
    with _connected(ray) as engine, _token(options.results) as token:
        _check_there_is_enough(engine, ray)
        environment = _environment(ray)
        task = engine.remote(num_cpus=ray["cores"], num_gpus=ray["gpus"], max_retries=_RETRIES)(make_run)
        waiting, running = list(jobs), {}
        while waiting or running:
            begun = [job for job in waiting if not any(job.starts_from(o) for o in [*waiting, *running.values()])]
            for job in begun:
                running[task.remote(packed([job], options), environment, keras.backend.backend(), str(token))] = job
            waiting = [job for job in waiting if job not in begun]
            ended, _ = engine.wait(list(running))
            yield _outcome(engine, ended[0], running.pop(ended[0]), options.results)


def _outcome(engine, reference, job, results):
    try:
        said = engine.get(reference)
    except engine.exceptions.RayError as error:  # lost more often than it is tried again, or nowhere to write
        if isinstance(getattr(error, "cause", None), (DiskFullError, PermissionError)):
            raise error.cause from error
        return Outcome(job, "failed", {}, sentence(getattr(error, "cause", None) or error))
    for name, content in said["files"].items():
        with replacing(pathlib.Path(results, name)) as partial:
            partial.write_bytes(content)
    return Outcome(job, said["how"], said["summary"], said["error"])


@contextlib.contextmanager
def _connected(ray):
    """Ray, connected to the cluster, or to one that is started here and ends with this."""
    address = ray["address"]
    options = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if re.match(rf"{LOCAL}$|localhost:|127\.", address):
        # By this variable, of other systems, Ray keeps to the loopback address; it is read at the import.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    if address == LOCAL:
        options["include_dashboard"] = False
    try:
        import ray as engine
    except ImportError as error:
        raise ValueError(
            f"`--ray` needs Ray. Received: --ray {address}, and there is no ray here. Run `pip install "
            '"train-by-reconnect[ray]"`.'
        ) from error
    _knock(address)
    try:
        engine.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise _no_answer(address, sentence(error)) from error
    try:
        yield engine
    finally:
        engine.shutdown()


def _knock(address):
    """Refuse an address at which nobody listens: Ray itself would wait for minutes."""
    found = re.fullmatch(r"(?:ray://)?(?P<host>.+):(?P<port>\d+)", address)
    if found is None:
        return
    try:
        socket.create_connection((found["host"], int(found["port"])), _SECONDS).close()
    except OSError as error:
        raise _no_answer(address, error.strerror or str(error)) from error


def _no_answer(address, why):
    return ConnectionError(
        f"A Ray cluster must answer at `--ray`. Received: --ray {address} ({why}). Start one with `ray start --head`, "
        f"or pass --ray {LOCAL}."
    )


@contextlib.contextmanager
def _token(results):
    """A file by which a task sees whether the folder of results is the same there."""
    path = pathlib.Path(results, "runs", f"seen_{uuid.uuid4().hex}")
    touch(path)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _check_there_is_enough(engine, ray):
    """Refuse what no machine has: its tasks would wait for ever."""
    there = engine.cluster_resources()
    for name, wanted in (("CPU", ray["cores"]), ("GPU", ray["gpus"])):
        if wanted > there.get(name, 0):
            option = "--cores" if name == "CPU" else "--gpus"
            raise ValueError(
                f"`{option}` must not be more than the cluster has. Received: {option} {wanted:g}, and it has "
                f"{there.get(name, 0):g}. Pass less."
            )


def _environment(ray):
    """The variables by which a run keeps to its part of a machine; which GPUs it sees Ray itself says."""
    backend, cores = keras.backend.backend(), max(1, int(ray["cores"]))
    environment = environment_of_worker(0, 1, backend, cores=cores, gpus=[])
    if backend == "jax" and 0 < ray["gpus"] < 1:
        environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * ray['gpus']:.3f}"
    return environment
