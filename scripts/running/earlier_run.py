"""Another run of the same experiment, which one run builds on."""

import pathlib

from scripts.running.runner import folder_of


def earlier_run(folder, label, seed):
    """Where the run of another training with the same seed lies; it must be done.

    Args:
        folder: str or path of a run, as of `scripts.running.runner.folder_of`.
        label: str, of the other training of the same experiment and size.
        seed: int.

    Returns:
        `pathlib.Path`.

    Raises:
        FileNotFoundError: it has not been run to its end.
    """
    beside = pathlib.Path(folder).parent.parent.joinpath(*folder_of("", "", label, seed, "").parts[-2:])
    if not (beside / "done.json").exists():
        raise FileNotFoundError(
            f"`starts_from` must be a training that is finished. Received: starts_from={label!r}, seed {seed}, which "
            f"is not in {beside}. Run it first, e.g. without --only."
        )
    return beside
