"""Another run of the same experiment, which one run builds on."""

from scripts.running.runner import slug


def earlier_run(prepared, training):
    """Where the run of another training of the same experiment with the same seed lies; it must be done.

    Args:
        prepared: `scripts.running.prepared.Prepared`, what builds on it.
        training: `scripts.running.training.Training`, what is built on.

    Returns:
        `pathlib.Path`.

    Raises:
        FileNotFoundError: it has not been run to its end.
    """
    beside = prepared.folder.parent.parent / slug(training.label) / f"seed_{prepared.seed}"
    if not (beside / "done.json").exists():
        raise FileNotFoundError(
            f"A training that starts from another needs that to be finished. Received: {prepared.training.label!r}, "
            f"which starts from {training.label!r}, seed {prepared.seed}, and that is not in {beside}. Run it first, "
            "e.g. without --only."
        )
    return beside
