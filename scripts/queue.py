"""The queue: what is not finished yet of several experiments, for so many minutes, by one process or by several."""

import sys
import time

from scripts.experiment import find, trainings_of
from scripts.publishing.publish import publish
from scripts.running.data_folder import check_data_folder
from scripts.running.runner import size_folder
from scripts.running.shares import shard
from scripts.running.sweep import jobs_of
from scripts.running.who_trains import check_who_trains, options_of, outcomes


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
    check_who_trains(parsed)
    check_data_folder(parsed.data)
    jobs = shard(_jobs(parsed), parsed.shard)
    until = time.time() + 60 * parsed.minutes if parsed.minutes is not None else None
    failed = False
    for outcome in outcomes(jobs, options_of(parsed, until=until), parsed):
        run = f"{outcome.job.name}: {outcome.job.training.label}, seed {outcome.job.seed}"
        if outcome.how == "failed":
            failed = True
            print(f"error: {run}: {outcome.error}", file=sys.stderr, flush=True)
        elif outcome.how != "done before":
            print(f"{run}: {outcome.summary['seconds']:.0f} s, {outcome.how}", flush=True)
    _publish(jobs, parsed.results)
    # Without an end in time, what has not ended was lost with whoever made it.
    return int(failed or (until is None and not all(job.is_done(parsed.results) for job in jobs)))


def _jobs(parsed):
    jobs = []
    for name in parsed.names:
        experiment = find(name)
        size = parsed.size or experiment.default_size
        jobs += jobs_of(name, size, trainings_of(name, size), parsed.seeds or experiment.seeds[size])
    return jobs


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
