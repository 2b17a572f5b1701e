"""Runs as text for other processes, which know the same experiments, and what these tell of them."""

import dataclasses
import json
import os

from scripts.experiment import trainings_of
from scripts.running.runner import Options
from scripts.running.sweep import Job, sweep


def key(job):
    """What a run is called among processes: a tuple that JSON holds."""
    return job.name, job.size, job.training.label, job.seed


def packed(jobs, options, ray=None):
    """Runs and options as text for another process, which may have another working directory."""
    said = dataclasses.asdict(options) | {"results": os.path.abspath(options.results), "progress": False}
    said |= {"data": os.path.abspath(options.data)} if options.data is not None else {}
    return json.dumps({"jobs": [key(job) for job in jobs], "options": said, "ray": ray})


def unpacked(text):
    """A list of `Job`, `Options` and what was said of Ray, from what `packed` gave."""
    said = json.loads(text)
    trainings = {
        (name, size): {training.label: training for training in trainings_of(name, size)}
        for name, size in {(name, size) for name, size, _, _ in said["jobs"]}
    }
    jobs = [Job(name, size, trainings[name, size][label], seed) for name, size, label, seed in said["jobs"]]
    return jobs, Options(**said["options"]), said["ray"]


def told_of_all(text, results=None):
    """Make all runs, in another folder of results if one is named, and give what a worker would tell: list of dict."""
    jobs, options, _ = unpacked(text)
    if results is not None:
        options = dataclasses.replace(options, results=results)
    return [told(outcome) for outcome in sweep(jobs, options)]


def told(outcome):
    """How a run ended, as a dict that JSON holds."""
    return {"run": key(outcome.job), "how": outcome.how, "summary": outcome.summary, "error": outcome.error}
