"""All trainings of an experiment with all seeds: what is done is passed over, and what fails ends itself alone."""

import dataclasses
import traceback

from scripts.running.declaration import OtherDeclarationError
from scripts.running.failures import sentence
from scripts.running.files import DiskFullError, write_json
from scripts.running.records import keep_record, unpack_records
from scripts.running.runner import folder_of, run, size_folder
from scripts.running.same_run import take_over
from scripts.running.training import Training

FAILED = "failed.json"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How one run of a sweep ended.

    Args:
        training: `Training`.
        seed: int.
        how: str, `"trained now"`, `"done before"`, `"the same run as in NAME"`, or `"failed"`.
        summary: dict, what was known at the end; empty where it failed.
        error: str, the sentence that says why it failed, or "".
    """

    training: Training
    seed: int
    how: str
    summary: dict
    error: str = ""


def sweep(name, size, trainings, seeds, options):
    """Run trainings of an experiment, one after the other.

    A run that fails leaves a `failed.json` with its sentence, and is tried again the next time; all others go on. Only
    a full disk ends all, since no other could be written either.

    Args:
        name: str, the experiment.
        size: str.
        trainings: list of `Training` of this experiment and size.
        seeds: list of int.
        options: `Options`.

    Yields:
        `Outcome` of each run, as it ends: seed by seed, so that a first result of all trainings is there soon.
    """
    unpack_records(size_folder(name, size, options.results))
    for seed in seeds:
        for training in trainings:
            yield _outcome(name, size, training, seed, options)


def _outcome(name, size, training, seed, options):
    folder = folder_of(name, size, training.label, seed, options.results)
    other = take_over(name, size, training, seed, options)
    was_done = (folder / "done.json").exists()
    try:
        summary = run(training, seed, folder, options)
    except (DiskFullError, PermissionError):
        raise
    except OtherDeclarationError as error:  # what lies there is somebody's run
        return Outcome(training, seed, "failed", {}, sentence(error))
    except Exception as error:  # whatever ends one training is no reason to lose the others
        said = sentence(error)
        write_json(folder / FAILED, {"error": said, "traceback": traceback.format_exc()})
        return Outcome(training, seed, "failed", {}, said)
    (folder / FAILED).unlink(missing_ok=True)
    keep_record(training, folder)
    how = f"the same run as in {other}" if other else "done before" if was_done else "trained now"
    return Outcome(training, seed, how, summary)
