"""Where the data sets come from: files, the cache of Keras, scikit-learn; unscaled, and checked."""

import pathlib
import zipfile
import zlib

import keras
import numpy as np
import sklearn.datasets
import sklearn.model_selection

SHAPES = {"digits": (8, 8, 1), "mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
NUM_CLASSES = 10
_KEYS = ("x_train", "y_train", "x_test", "y_test")


def read(name, directory=None):
    """Read a data set as it is stored.

    Args:
        name: One of `SHAPES`.
        directory: Folder with `<name>.npz`, or `None` for the cache of Keras; `"digits"` does not look at it.

    Returns:
        The name of the source, for messages, and four arrays: training images, uint8, shape `(n, *SHAPES[name])`,
        training labels, int32, shape `(n,)`, test images and test labels.

    Raises:
        FileNotFoundError: `directory` is given and holds no `<name>.npz`.
        OSError: Keras can neither read nor download the data set.
        ValueError: The file is not what it should be.

    Example:

    >>> source, (x_train, y_train, x_test, y_test) = read("digits")
    >>> x_train.shape, y_test.shape
    ((1437, 8, 8, 1), (360,))
    """
    if name == "digits":
        source, arrays = "scikit-learn's digits", _digits()
    elif directory is None:
        source, arrays = f"keras.datasets.{name}", _keras_dataset(name)
    else:
        source = pathlib.Path(directory) / f"{name}.npz"
        arrays = _read_file(source)
    return source, _check(source, SHAPES[name], *arrays)


def _digits():
    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    train, test = sklearn.model_selection.train_test_split(
        np.arange(len(images)), test_size=360, stratify=labels, random_state=0
    )
    images = images.reshape(-1, 8, 8).astype("uint8")
    return images[train], labels[train], images[test], labels[test]


def _keras_dataset(name):
    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # What Keras raises where there is no network is a bare Exception.
        raise OSError(
            f"Expected {name!r} in the cache of Keras or a network to download it from. Received: {error}. "
            f"Name a folder that holds {name}.npz with --data DIR, or use 'digits', which needs neither."
        ) from error
    return x_train, y_train, x_test, y_test


def _read_file(path):
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected a file {path.name} in the folder of data sets. Received: --data {path.parent}, which has none. "
            "Put it there, or leave --data out to use the cache of Keras or a download."
        )
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [key for key in _KEYS if key not in archive]
            arrays = [archive[key] for key in _KEYS if key not in missing]
    except (OSError, EOFError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"Expected {path} to be a complete .npz archive of plain arrays. Received: a file of "
            f"{path.stat().st_size:,} bytes that cannot be read as one ({error}). Copy or download it again."
        ) from error
    if missing:
        raise ValueError(
            f"Expected {path} to hold the arrays {', '.join(_KEYS)}. Received: a file without {', '.join(missing)}. "
            f"Save it again with `numpy.savez(path, x_train=..., y_train=..., x_test=..., y_test=...)`."
        )
    return arrays


def _check(source, shape, x_train, y_train, x_test, y_test):
    """Return the four arrays as uint8 images of shape `(n, *shape)` and int32 labels of shape `(n,)`, or raise."""
    checked = []
    for part, images, labels in (("train", x_train, y_train), ("test", x_test, y_test)):
        with_channel = images[..., np.newaxis] if shape[-1] == 1 and images.ndim == 3 else images
        if with_channel.ndim != 4 or with_channel.shape[1:] != shape or images.dtype != np.uint8 or not len(images):
            raise ValueError(
                f"Expected x_{part} of {source} to be uint8 images of shape (n, {', '.join(map(str, shape))}), n at "
                f"least 1. Received: shape={images.shape}, dtype={images.dtype}. Check that the file is the one named."
            )
        if labels.shape not in ((len(images),), (len(images), 1)):
            raise ValueError(
                f"Expected y_{part} of {source} to have one label for each of the {len(images):,} images in "
                f"x_{part}. Received: shape={labels.shape}. Check that images and labels are of the same part."
            )
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= NUM_CLASSES:
            raise ValueError(
                f"Expected y_{part} of {source} to be integers from 0 to {NUM_CLASSES - 1}. Received: "
                f"dtype={labels.dtype}, values={np.unique(labels)[:20]}. Save one class number for each image."
            )
        checked += [with_channel, labels.reshape(-1).astype("int32")]
    return checked
