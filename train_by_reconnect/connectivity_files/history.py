"""The files of one training, each of the network at one step."""

import os
import pathlib
import re
from collections.abc import Iterator

import keras

from train_by_reconnect.connectivity_files.loading import load_connectivity

INITIAL_FILE = "initial.tbr"


def file_of_step(folder: pathlib.Path, step: int) -> pathlib.Path:
    """The file of a step.

    >>> file_of_step(pathlib.Path("kept"), 20).name
    'step_00000020.tbr'
    """
    return folder / f"step_{step:08d}.tbr"


def connectivity_history(
    folder: str | os.PathLike[str], *, max_bytes: int | None = None
) -> Iterator[tuple[int, keras.Model]]:
    """Read back what `ConnectivityFiles` wrote of a training, in the order of its steps.

    Args:
        folder: str or path.
        max_bytes: int, as of `load_connectivity`.

    Yields:
        Pairs of the step and the `keras.Model` right after its synchronization, loaded when its turn comes.

    Raises:
        ValueError: there are no such files in the folder, and as from `load_connectivity`.

    Example:

    >>> import tempfile
    >>> from train_by_reconnect import save_connectivity
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_connectivity(model, f"{folder}/step_00000020.tbr", "stored")
    ...     [(step, model.count_params()) for step, model in connectivity_history(folder)]
    [(20, 15)]
    """
    named = [(re.fullmatch(r"step_(\d{8,})\.tbr", path.name), path) for path in pathlib.Path(folder).glob("step_*.tbr")]
    files = sorted((int(match[1]), path) for match, path in named if match)
    if not files:
        raise ValueError(
            f"There must be files of a training, step_00000020.tbr and the like. Received: folder={str(folder)!r}, "
            "without any. Pass the folder that `ConnectivityFiles` wrote to."
        )
    for step, path in files:
        yield step, load_connectivity(path, max_bytes=max_bytes)
