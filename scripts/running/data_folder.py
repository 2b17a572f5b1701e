"""The folder of data sets that the command line names: whether it is there, and whether anything is read from it."""

import pathlib

NEEDS_NO_FILE = ("digits",)


def check_data_folder(directory):
    """Refuse a folder that is not there, whether or not something would be read from it.

    Args:
        directory: str or path, or None for Keras' cache.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if directory is not None and not pathlib.Path(directory).is_dir():
        raise FileNotFoundError(
            f"The folder of data sets must be there. Received: --data {directory}. Name one that holds e.g. mnist.npz, "
            "or leave it out to use Keras' cache."
        )


def unused_data_folder(trainings, directory):
    """What to say where no training reads anything from the folder.

    Args:
        trainings: list of `scripts.running.training.Training`.
        directory: str or path, or None for Keras' cache.

    Returns:
        Str, or None where something is read from it, or none is named.
    """
    names = list(dict.fromkeys(training.data.name for training in trainings))
    if directory is None or not set(names) <= set(NEEDS_NO_FILE):
        return None
    return f"--data is not used: the data set {' and '.join(names)} comes with scikit-learn"
