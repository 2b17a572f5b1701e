"""A sweep by several processes on one machine, seen and told as one sweep."""

import dataclasses
import json
import os
import queue
import subprocess
import sys
import threading

from scripts.experiment import trainings_of
from scripts.running.files import DiskFullError, read_json
from scripts.running.records import unpack_records
from scripts.running.runner import Options, size_folder
from scripts.running.shares import environment_of_worker
from scripts.running.sweep import Job, Outcome, sweep
from scripts.running.sweep_progress import SweepProgress

MEANWHILE = "done by another process meanwhile"
_LOOK_AGAIN = 1.0  # seconds, at how far the runs are
_ENDING = {"DiskFullError": DiskFullError, "PermissionError": PermissionError}


def sweep_in_workers(jobs, options, count, backend, say=None):
    """Run what is given, as `sweep` does, in several processes.

    Each makes many runs in one process, for starting a backend takes long; which run is whose they find out by holding
    it. One that dies leaves its run to the others.

    Args:
        jobs: list of `scripts.running.sweep.Job`, as they are declared.
        options: `scripts.running.runner.Options`.
        count: int, how many processes.
        backend: str, the backend of Keras.
        say: function of a str, told when a process dies. Defaults to None: nobody is told.

    Yields:
        `Outcome` of each run, once.

    Raises:
        DiskFullError, PermissionError: as in `sweep`.
    """
    for name, size in {(job.name, job.size): None for job in jobs}:
        unpack_records(size_folder(name, size, options.results))
    done = [job for job in jobs if job.is_done(options.results)]
    yield from sweep(done, options)
    waiting = [job for job in jobs if job not in done]
    count = min(count, len(waiting))
    workers = [_start(number, count, waiting, options, backend) for number in range(count)]
    told = queue.SimpleQueue()
    listeners = [threading.Thread(target=_listen, args=(worker, told), daemon=True) for worker in workers]
    for listener in listeners:
        listener.start()
    try:
        with SweepProgress(jobs, options) as progress:
            for message in _messages(told, count, progress.show):
                if (signal := message.get("killed")) and say is not None:
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


def _start(number, count, jobs, options, backend):
    environment = os.environ | environment_of_worker(number, count, backend) | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "scripts", "work"]
    worker = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with worker.stdin as file:
        file.write(packed(jobs, options))
    return worker


def _listen(worker, told):
    with worker.stdout as lines:
        for line in lines:
            told.put(json.loads(line))
    status = worker.wait()
    told.put({"over": True, "killed": -status if status < 0 else 0})


def _messages(told, count, meanwhile):
    """What the workers say, until all are over; something is done meanwhile, every second or so."""
    while count:
        try:
            message = told.get(timeout=_LOOK_AGAIN)
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


def key(job):
    """What a run is called among processes: a tuple that JSON holds."""
    return job.name, job.size, job.training.label, job.seed


def packed(jobs, options):
    """Runs and options as text for another process."""
    said = dataclasses.asdict(options) | {"results": str(options.results), "progress": False}
    return json.dumps({"jobs": [key(job) for job in jobs], "options": said})


def unpacked(text):
    """Pair of a list of `Job` and `Options`, from what `packed` gave."""
    said = json.loads(text)
    trainings = {
        (name, size): {training.label: training for training in trainings_of(name, size)}
        for name, size in {(name, size) for name, size, _, _ in said["jobs"]}
    }
    jobs = [Job(name, size, trainings[name, size][label], seed) for name, size, label, seed in said["jobs"]]
    return jobs, Options(**said["options"])


def work(text, tell):
    """What one worker does: make the runs that nobody has in hand, and tell of each.

    Args:
        text: str, as of `packed`.
        tell: function of a dict.
    """
    jobs, options = unpacked(text)
    try:
        for outcome in sweep(jobs, options):
            said = {"how": outcome.how, "summary": outcome.summary, "error": outcome.error}
            tell({"run": key(outcome.job), **said})
    except tuple(_ENDING.values()) as error:
        tell({"ends": type(error).__name__, "sentence": str(error)})
