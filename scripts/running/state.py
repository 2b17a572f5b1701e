"""Where a run stands, as seen from another process, which changes nothing by looking."""

import dataclasses

from scripts.running.checkpoint import epochs_saved
from scripts.running.files import read_json
from scripts.running.held import holder
from scripts.running.progress_file import progress_of
from scripts.running.records import record_of
from scripts.running.run_time import expected_seconds
from scripts.running.sweep import FAILED


@dataclasses.dataclass(frozen=True)
class State:
    """Where a run stands.

    Args:
        how: str, `"done"`, `"running"`, `"failed"` or `"missing"`.
        part: float from 0 to 1, how much of it is done.
        seconds: float, how long the rest will take.
        said: str, who runs it, or why it failed, else "".
    """

    how: str
    part: float = 0.0
    seconds: float = 0.0
    said: str = ""


def state_of(job, results):
    """Where a run stands now.

    Args:
        job: `scripts.running.sweep.Job`.
        results: str or path, the folder of results.

    Returns:
        `State`.
    """
    folder = job.folder(results)
    if job.is_done(results) or record_of(folder).exists():
        return State("done", 1.0)
    rest = expected_seconds(job.name, job.size, job.training, job.seed, results)
    who = holder(folder)
    if who is not None:
        part, whole = progress_of(folder)
        return State("running", part, rest if whole is None else whole * (1 - part), who)
    if (folder / FAILED).exists():
        return State("failed", seconds=rest, said=read_json(folder / FAILED)["error"])
    return State("missing", epochs_saved(folder) / job.training.epochs, rest)


def time_left(states):
    """How long all that is not done will take together, if as many processes go on as run now, in seconds.

    Example:

    >>> time_left([State("running", 0.5, 30.0), State("running", 0.5, 50.0), State("missing", 0.0, 60.0)])
    70.0
    """
    left = [state.seconds for state in states if state.how != "done"]
    processes = max(1, sum(state.how == "running" for state in states))
    return max([sum(left) / processes, *left])
