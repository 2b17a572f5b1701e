"""A sweep by several processes on one machine, seen and told as one sweep."""

import json
import os
import queue
import subprocess
import sys
import threading

from scripts.running.files import DiskFullError, read_json
from scripts.running.on_ray import sweep_on_ray
from scripts.running.packing import key, packed, told, unpacked
from scripts.running.records import unpack_records
from scripts.running.runner import size_folder
from scripts.running.shares import environment_of_worker
from scripts.running.sweep import Outcome, sweep
from scripts.running.sweep_progress import SweepProgress

MEANWHILE = "done by another process meanwhile"
_LOST = (
    "The connection to Ray must hold. Received: --ray {}, which was lost. What is done is kept: run the same command "
    "again to go on."
)
_LOOK_AGAIN = 1.0  # seconds, at how far the runs are
_ENDING = {
    each.__name__: each for each in (DiskFullError, PermissionError, ConnectionError, ValueError)
}  # what ends a whole sweep


def sweep_in_workers(jobs, options, count, backend, say=None, ray=None):
    """Run what is given, as `sweep` does, in several processes.

    Each makes many runs in one process, for starting a backend takes long; which run is whose they find out by holding
    it. One that dies leaves its run to the others. With `ray` it is one process, which hands out the runs to a cluster:
    it ends by itself, and in no sentence, where the connection is lost.

    Args:
        jobs: list of `scripts.running.sweep.Job`, as they are declared.
        options: `scripts.running.runner.Options`.
        count: int, how many processes.
        backend: str, the backend of Keras.
        say: function of a str, told when a process dies. Defaults to None: nobody is told.
        ray: dict, as for `scripts.running.on_ray.sweep_on_ray`, or None.

    Yields:
        `Outcome` of each run, once.

    Raises:
        DiskFullError, PermissionError: as in `sweep`.
        ConnectionError, ValueError: as in `sweep_on_ray`; or the connection was lost.
    """
    for name, size in {(job.name, job.size): None for job in jobs}:
        unpack_records(size_folder(name, size, options.results))
    done = [job for job in jobs if job.is_done(options.results)]
    yield from sweep(done, options)
    waiting = [job for job in jobs if job not in done]
    count = min(count, len(waiting))
    workers = [_start(number, count, waiting, options, backend, ray) for number in range(count)]
    heard = queue.SimpleQueue()
    listeners = [threading.Thread(target=_listen, args=(worker, heard), daemon=True) for worker in workers]
    for listener in listeners:
        listener.start()
    try:
        with SweepProgress(jobs, options) as progress:
            for message in _messages(heard, count, progress.show):
                if ray and message.get("over") and message["status"]:
                    raise ConnectionError(_LOST.format(ray["address"]))
                if (signal := -min(0, message.get("status", 0))) and say is not None:
                    say(f"a worker was ended by signal {signal}: what it had begun, the others go on with")
                elif "ends" in message:
                    raise _ENDING[message["ends"]](message["sentence"])
                elif "run" in message and (outcome := _outcome(message, waiting)):
                    waiting.remove(outcome.job)
                    progress.clear()
                    yield outcome
        for job in waiting:
            if job.is_done(options.results):  # by a process that died before it could say so, or by another command
                yield Outcome(job, MEANWHILE, read_json(job.folder(options.results) / "done.json"))
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
        for listener in listeners:
            listener.join(_LOOK_AGAIN)


def _start(number, count, jobs, options, backend, ray):
    environment = os.environ | environment_of_worker(number, count, backend) | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "scripts", "work"]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    streams |= {"stderr": subprocess.DEVNULL} if ray else {}  # of a lost connection Ray writes pages
    worker = subprocess.Popen(command, env=environment, text=True, **streams)
    with worker.stdin as file:
        file.write(packed(jobs, options, ray))
    return worker


def _listen(worker, heard):
    with worker.stdout as lines:
        for line in lines:
            heard.put(json.loads(line))
    status = worker.wait()
    heard.put({"over": True, "status": status})


def _messages(heard, count, meanwhile):
    """What the workers say, until all are over; something is done meanwhile, every second or so."""
    while count:
        try:
            message = heard.get(timeout=_LOOK_AGAIN)
        except queue.Empty:
            meanwhile()
            continue
        count -= "over" in message
        yield message


def _outcome(message, waiting):
    """The outcome of a run that is waited for, or None: each worker comes by every run."""
    job = next((job for job in waiting if [*key(job)] == message["run"]), None)
    if job is None or message["how"] == "done before":
        return None
    return Outcome(job, message["how"], message["summary"], message["error"])


def work(text, tell):
    """What one worker does: make the runs that nobody has in hand, or let a cluster make them, and tell of each.

    Args:
        text: str, as of `packed`.
        tell: function of a dict.
    """
    jobs, options, ray = unpacked(text)
    try:
        for outcome in sweep_on_ray(jobs, options, ray) if ray else sweep(jobs, options):
            tell(told(outcome))
    except tuple(_ENDING.values()) as error:
        name = next(name for name, kind in _ENDING.items() if isinstance(error, kind))
        tell({"ends": name, "sentence": str(error)})
