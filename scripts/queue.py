"""The queue: what is not finished yet of several experiments, for so many minutes, by one process or by several."""

import sys
import time

import keras

from scripts.experiment import find, trainings_of
from scripts.publishing.publish import publish
from scripts.running.data_folder import check_data_folder
from scripts.running.runner import Options, size_folder
from scripts.running.sweep import jobs_of, sweep
from scripts.running.workers import run_workers


def queue(parsed):
    """Do what the options say: `names`, `size`, `seeds`, `minutes`, `workers` and those of `run`.

    Args:
        parsed: the options of the command, as parsed by `scripts.__main__`.

    Returns:
        Int, the exit status: 1 if a run failed.

    Raises:
        ValueError: a name or a number is none.
        FileNotFoundError: the folder of data sets is not there.
    """
    for name, least in (("workers", 1), ("minutes", 0)):
        value = getattr(parsed, name)
        if value is not None and not value >= least:
            raise ValueError(
                f"`--{name}` must be at least {least}. Received: --{name} {value}. Pass more, or leave it out."
            )
    check_data_folder(parsed.data)
    jobs = _jobs(parsed)
    until = parsed.until or (time.time() + 60 * parsed.minutes if parsed.minutes is not None else None)
    if parsed.workers > 1:
        statuses = run_workers(parsed.workers, _for_worker(parsed, until), keras.backend.backend())
        # A worker that was killed has left its run to the others.
        failed = max(statuses) > 0 or (min(statuses) < 0 and not all(job.is_done(parsed.results) for job in jobs))
    else:
        failed = _work(jobs, parsed, until)
    if parsed.until is None:
        _publish(jobs, parsed.results)
    return 1 if failed else 0


def _jobs(parsed):
    jobs = []
    for name in parsed.names:
        experiment = find(name)
        size = parsed.size or experiment.default_size
        jobs += jobs_of(name, size, trainings_of(name, size), parsed.seeds or experiment.seeds[size])
    return jobs


def _work(jobs, parsed, until):
    """Make all runs that there is time for, and say how each ended; give whether one failed."""
    is_alone = parsed.until is None  # several bars would write over one another
    options = Options(parsed.results, parsed.data, parsed.precision, parsed.jit, progress=is_alone, until=until)
    failed = False
    for outcome in sweep(jobs, options):
        run = f"{outcome.job.name}: {outcome.job.training.label}, seed {outcome.job.seed}"
        if outcome.how == "failed":
            failed = True
            print(f"error: {run}: {outcome.error}", file=sys.stderr, flush=True)
        elif outcome.how != "done before":
            print(f"{run}: {outcome.summary['seconds']:.0f} s, {outcome.how}", flush=True)
    return failed


def _for_worker(parsed, until):
    """The command line of one of several workers."""
    said = ["queue", *parsed.names, "--results", str(parsed.results), "--precision", parsed.precision]
    said += ["--until", str(until or float("inf"))]
    said += ["--size", parsed.size] if parsed.size else []
    said += ["--data", parsed.data] if parsed.data else []
    said += ["--seeds", *map(str, parsed.seeds)] if parsed.seeds else []
    return [*said, "--jit"] if parsed.jit else said


def _publish(jobs, results):
    """Draw every experiment that has a finished run, and say what is left."""
    for name, size in dict.fromkeys((job.name, job.size) for job in jobs):
        own = [job for job in jobs if (job.name, job.size) == (name, size)]
        done = sum(job.is_done(results) for job in own)
        folder = size_folder(name, size, results)
        if done:
            publish(name, size, results, folder)
        drawn = f": {folder / name}.md" if done else ""
        left = "" if done == len(own) else ", the same command goes on with the others"
        print(f"{name}, size {size}: {done} of {len(own)} runs are done{left}{drawn}", flush=True)
