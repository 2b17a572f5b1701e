"""Many runs, one after the other: what is done is passed over, what fails ends itself alone, others may take part.

Any number of processes may work through the same runs at once, on one accelerator or on several: each run is held by
the one that trains it, and whoever comes later goes on with the next.
"""

import dataclasses
import time
import traceback

from scripts.running.declaration import OtherDeclarationError
from scripts.running.failures import sentence
from scripts.running.files import DiskFullError, read_json, write_json
from scripts.running.held import held
from scripts.running.records import keep_record, unpack_records
from scripts.running.run_time import expected_seconds
from scripts.running.runner import folder_of, run, size_folder
from scripts.running.same_run import take_over
from scripts.running.stop_in_time import OutOfTimeError
from scripts.running.training import Training

FAILED = "failed.json"
_LOOK_AGAIN = 1.0  # seconds, at what another process has in hand


@dataclasses.dataclass(frozen=True)
class Job:
    """One run of an experiment.

    Args:
        name: str, the experiment.
        size: str.
        training: `Training` of this experiment and size.
        seed: int.
    """

    name: str
    size: str
    training: Training
    seed: int

    def folder(self, results):
        """Where it is run: `pathlib.Path`."""
        return folder_of(self.name, self.size, self.training.label, self.seed, results)

    def is_done(self, results):
        """Whether it has been run to its end."""
        return (self.folder(results) / "done.json").exists()

    def starts_from(self, other):
        """Whether it needs another one to be done first."""
        needed = [getattr(part, "starts_from", None) for part in self.training.initial_weights]
        return (self.name, self.size, self.seed) == (other.name, other.size, other.seed) and other.training in needed


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How one run of a sweep ended.

    Args:
        job: `Job`.
        how: str, `"trained now"`, `"done before"`, `"the same run as in NAME"`, or `"failed"`; in several processes
            also `"done by another process meanwhile"`.
        summary: dict, what was known at the end; empty where it failed.
        error: str, the sentence that says why it failed, or "".
    """

    job: Job
    how: str
    summary: dict
    error: str = ""


def jobs_of(name, size, trainings, seeds):
    """The runs of an experiment, seed by seed, so that a first result of all trainings is there soon: list of `Job`."""
    return [Job(name, size, training, seed) for seed in seeds for training in trainings]


def sweep(jobs, options):
    """Run what is given, in its order.

    A run that fails leaves a `failed.json` with its sentence, and is tried again the next time; all others go on. Only
    a full disk ends all, since no other could be written either. What another process has in hand is waited for, and
    taken up should that process die. With `options.until` a run that is not expected to end by then is not begun.

    Args:
        jobs: list of `Job`.
        options: `scripts.running.runner.Options`.

    Yields:
        `Outcome` of each run, as it ends; of a run that there was no time for, nothing.
    """
    for name, size in {(job.name, job.size): None for job in jobs}:
        unpack_records(size_folder(name, size, options.results))
    begun, waiting = time.time(), list(jobs)
    while waiting:
        ended, in_hand = [], 0
        for job in waiting:
            others = [other for other in waiting if other not in ended]
            if any(job.starts_from(other) for other in others):
                continue
            if not _is_enough(options.until, job, options.results):
                continue
            with held(job.folder(options.results)) as is_ours:
                outcome = _outcome(job, options, begun) if is_ours else None
            in_hand += not is_ours
            if is_ours:
                ended.append(job)
            if outcome is not None:
                yield outcome
        waiting = [job for job in waiting if job not in ended]
        if not ended:
            if not in_hand:
                return
            time.sleep(_LOOK_AGAIN)


def _is_enough(until, job, results):
    """Whether there is time for a run."""
    if until is None or job.is_done(results):
        return True
    return time.time() + expected_seconds(job.name, job.size, job.training, job.seed, results) <= until


def _outcome(job, options, begun):
    """How a run that is ours ends, or None where its time was over."""
    folder = job.folder(options.results)
    failed = folder / FAILED
    if failed.exists() and failed.stat().st_mtime > begun:  # another process has just tried
        return Outcome(job, "failed", {}, read_json(failed)["error"])
    other = take_over(job.name, job.size, job.training, job.seed, options)
    was_done = job.is_done(options.results)
    try:
        summary = run(job.training, job.seed, folder, options)
    except (DiskFullError, PermissionError):
        raise
    except OutOfTimeError:
        return None
    except OtherDeclarationError as error:  # what lies there is somebody's run
        return Outcome(job, "failed", {}, sentence(error))
    except Exception as error:  # whatever ends one training is no reason to lose the others
        said = sentence(error)
        write_json(failed, {"error": said, "traceback": traceback.format_exc()})
        return Outcome(job, "failed", {}, said)
    failed.unlink(missing_ok=True)
    keep_record(job.training, folder)
    how = f"the same run as in {other}" if other else "done before" if was_done else "trained now"
    return Outcome(job, how, summary)
