"""Who makes the runs of a sweep: this process, several on this machine, or several on a cluster."""

import sys

import keras

from scripts.running.distribution import check_engine
from scripts.running.runner import Options
from scripts.running.sweep import sweep
from scripts.running.workers import sweep_in_workers


def check_who_trains(parsed):
    """Refuse what cannot be, before anything begins.

    Args:
        parsed: the options of the command, as parsed by `scripts.__main__`.

    Raises:
        ValueError: a number is below its least, or the backend has no such engine.
    """
    for name, least in (("workers", 1), ("devices", 1), ("minutes", 0), ("cores", 0), ("gpus", 0)):
        value = getattr(parsed, name, None)
        if value is not None and not value >= least:
            raise ValueError(
                f"`--{name}` must be at least {least}. Received: --{name} {value}. Pass more, or leave it out."
            )
    if parsed.devices is not None and parsed.distribute is None:
        raise ValueError(
            f"`--devices` says how many devices share a training. Received: --devices {parsed.devices} without "
            "--distribute. Pass e.g. --distribute mirrored too."
        )
    if parsed.ray is not None and parsed.workers > 1:
        raise ValueError(
            f"Either this machine makes the runs or a cluster does. Received: --workers {parsed.workers} --ray "
            f"{parsed.ray}. Leave one of them out."
        )
    check_engine(parsed.distribute, keras.backend.backend())


def options_of(parsed, **more):
    """The `Options` of the command, and others."""
    said = {"distribute": parsed.distribute, "devices": parsed.devices, **more}
    return Options(parsed.results, parsed.data, parsed.precision, parsed.jit, **said)


def outcomes(jobs, options, parsed):
    """Make the runs, whoever does it: as `scripts.running.sweep.sweep`."""
    if parsed.ray is None and parsed.workers == 1:
        return sweep(jobs, options)
    ray = {"address": parsed.ray, "cores": parsed.cores, "gpus": parsed.gpus} if parsed.ray else None
    count = 1 if ray else parsed.workers
    return sweep_in_workers(jobs, options, count, keras.backend.backend(), _say, ray)


def _say(sentence):
    print(sentence, file=sys.stderr, flush=True)
