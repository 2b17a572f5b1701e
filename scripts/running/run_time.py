"""How long a run will take, so that none is begun that cannot end in time."""

import statistics

from scripts.running.checkpoint import epochs_saved
from scripts.running.files import read_json
from scripts.running.progress_file import progress_of
from scripts.running.runner import folder_of

# What is expected of a run while nothing is known of its experiment.
SECONDS = {"quick": 60, "laptop": 600, "overnight": 1800, "paper": 3600}


def expected_seconds(name, size, training, seed, results):
    """How long the rest of a run will take.

    As long as the longest finished run of the same training with another seed; else, epoch for epoch, as the median of
    the finished runs of the experiment at this size, or of those that are under way; else `SECONDS`. What an earlier
    attempt has done is taken off.

    Args:
        name: str, the experiment.
        size: str.
        training: `scripts.running.training.Training`.
        seed: int.
        results: str or path, the folder of results, in which records are unpacked.

    Returns:
        Float.
    """
    folder = folder_of(name, size, training.label, seed, results)
    same = [_finished(path)[0] for path in folder.parent.glob("seed_*/done.json")]
    if same:
        whole = max(same)
    else:
        others = [_finished(path) for path in folder.parent.parent.glob("*/seed_*/done.json")]
        others = others or [_under_way(path) for path in folder.parent.parent.glob("*/seed_*/progress.json")]
        per_epoch = [seconds / epochs for seconds, epochs in others if seconds is not None]
        whole = statistics.median(per_epoch) * training.epochs if per_epoch else SECONDS[size]
    return whole * (1 - epochs_saved(folder) / training.epochs)


def _finished(done):
    """The seconds and the epochs of a finished run."""
    return read_json(done)["seconds"], _epochs(done)


def _under_way(noted):
    """The seconds that a run under way will have taken, None where it has just begun, and its epochs."""
    return progress_of(noted.parent)[1], _epochs(noted)


def _epochs(path):
    return read_json(path.with_name("declaration.json"))["training"]["epochs"]
