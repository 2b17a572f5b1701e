"""The same training under another name: experiments share curves, and one that is finished need not run again."""

import dataclasses
import os
import shutil

from scripts.experiment import find, names
from scripts.running.declaration import declaration, differences
from scripts.running.files import read_json, write_json
from scripts.running.records import unpack_records
from scripts.running.runner import folder_of, size_folder


def take_over(name, size, training, seed, options):
    """Copy a finished run of the same training from another experiment, size or curve, if there is one.

    It must be the same in all but its label: the same class and settings, seed, precision and compiler. Then it would
    give the same numbers again, apart from its time and, on another machine, rounding. A training that starts from
    another run is not taken: which run that is depends on the experiment.

    Args:
        name: str, the experiment that wants it.
        size: str.
        training: a declared training of it.
        seed: int.
        options: `scripts.running.runner.Options`.

    Returns:
        Str, the experiment that had it, and the size where it is another; None where there is none, or where the run
        has been begun here. The copy's summary says it too, as `taken_from`.
    """
    folder = folder_of(name, size, training.label, seed, options.results)
    if folder.exists() or any(hasattr(part, "starts_from") for part in training.initial_weights):
        return None
    for other, other_size, twin in _twins(training):
        unpack_records(size_folder(other, other_size, options.results))
        finished = folder_of(other, other_size, twin.label, seed, options.results)
        if (finished / "done.json").exists() and not differences(
            read_json(finished / "declaration.json"), declaration(twin, seed, options)
        ):
            where = other if other_size == size else f"{other}, size {other_size}"
            _copy(finished, folder, declaration(training, seed, options), where)
            return where
    return None


def _twins(training):
    """All declared trainings that differ in nothing but the label, with their experiments and sizes."""
    for other in names():
        for size, trainings in find(other).trainings.items():
            for twin in trainings:
                if dataclasses.replace(twin, label=training.label) == training:
                    yield other, size, twin


def _copy(finished, folder, declared, other):
    """All at once: a copy that is cut leaves nothing that looks like a run."""
    partial = folder.with_name(f"partial_{os.getpid()}_{folder.name}")
    try:
        shutil.copytree(finished, partial)
        write_json(partial / "declaration.json", declared)
        summary = read_json(partial / "done.json")
        write_json(partial / "done.json", {**summary, "taken_from": summary.get("taken_from", other)})
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
