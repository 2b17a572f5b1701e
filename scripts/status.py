"""What is done of an experiment, what runs, what failed, what is missing, and how long the rest will take."""

from scripts.experiment import find, trainings_of
from scripts.running.state import state_of, time_left
from scripts.running.sweep import jobs_of


def status(name, size, seeds, results):
    """Some lines on the runs of an experiment; it may be running meanwhile.

    Args:
        name: str, the experiment.
        size: str, or None for its default.
        seeds: list of int, or None for those of the experiment.
        results: str or path, the folder of results.

    Returns:
        Str.

    Raises:
        ValueError: there is no such experiment, or no such size of it.
    """
    experiment = find(name)
    size = size or experiment.default_size
    jobs = jobs_of(name, size, trainings_of(name, size), seeds or experiment.seeds[size])
    states = [state_of(job, results) for job in jobs]
    counts = {how: sum(state.how == how for state in states) for how in ("done", "running", "failed", "missing")}
    lines = [f"{name}, size {size}, {len(jobs)} runs: {', '.join(f'{n} {how}' for how, n in counts.items())}"]
    for job, state in zip(jobs, states, strict=True):
        which = f"{job.training.label}, seed {job.seed}"
        if state.how == "running":
            lines.append(f"running: {which}, {100 * state.part:.0f} %, {_duration(state.seconds)} left, {state.said}")
        elif state.how == "failed":
            lines.append(f"failed: {which}: {state.said}")
        elif state.how == "missing":
            lines.append(f"missing: {which}" + (f", {100 * state.part:.0f} % done" if state.part else ""))
    if counts["done"] < len(jobs):
        by = f"{counts['running']} processes" if counts["running"] > 1 else "one process"
        lines.append(f"the rest takes about {_duration(time_left(states))} by {by}")
    return "\n".join(lines)


def _duration(seconds):
    """A time as people say it.

    >>> _duration(42.4), _duration(600), _duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
