"""The data sets of the papers, split and scaled the way each paper says."""

import dataclasses
import pathlib
import zipfile
import zlib

import keras
import numpy as np
import sklearn.datasets
import sklearn.model_selection

SCALINGS = ("unit", "z_score", "pixel_mean", "pixel_mean_overall_std")
SHAPES = {"digits": (8, 8, 1), "mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
_KEYS = ("x_train", "y_train", "x_test", "y_test")
_NUM_CLASSES = 10


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels in three parts that share no example.

    Args:
        name: Name of the data set, as given to `load`.
        num_classes: Number of classes; labels are 0 to `num_classes - 1`.
        x_train: Training images, float32, shape `(n, height, width, channels)`.
        y_train: Training labels, int32, shape `(n,)`.
        x_val: Validation images, as `x_train`; no images where none were asked for.
        y_val: Validation labels.
        x_test: Test images, as `x_train`.
        y_test: Test labels.
    """

    name: str
    num_classes: int
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(name, directory=None, *, scaling="unit", validation=0, limit=None, balanced=False, skip=0):
    """Load a data set, split validation from train and scale all parts alike.

    The validation images are the last ones of the training images, in the order of the file; `limit` then keeps the
    first so many of what remains. The test images are all those in the file, be they 10,000 or fewer.

    With `x` the images divided by their largest possible pixel (255, for `"digits"` 16), the scalings are

    | `scaling` | images become | used for |
    |---|---|---|
    | `"unit"` | `x`, so 0 to 1 | the published F1, F2 and Conv7 |
    | `"z_score"` | `(x - m) / s`, two numbers for the whole data set | LaPerm on CIFAR-10 |
    | `"pixel_mean"` | `x - M`, with `M` the mean image | the published ResNet-50 |
    | `"pixel_mean_overall_std"` | `(x - M) / S`, with `S` the deviation of all of `x - M` | connectivity training |

    The mean and standard deviation are those of all training images in the file, before `validation` and `limit` take
    any away. So the same image has the same values however the data is split, and the ResNet-50 gets the mean of the
    50,000 images it was trained with. They are never computed from test images.

    LaPerm's paper says z-scored (A.5.3) without saying over what; the authors' notebooks compute one mean and one
    standard deviation over all pixels of all training images, and so do we. The notebooks for Conv2, Conv4 and Conv13
    then return the raw images, 0 to 255: here we follow the paper. The code of the connectivities paper scales the
    test images by their own mean and deviation and, on CIFAR-10, validates on the test images: we do neither.

    Args:
        name: `"mnist"`, `"fashion_mnist"`, `"cifar10"` or `"digits"`. The last is scikit-learn's, 1,797 images of 8 by
            8 pixels, needs no file and no network, and is always split into the same 1,437 training and 360 test
            images, class by class in proportion.
        directory: Folder with `<name>.npz` in the layout of Keras: `x_train`, `y_train`, `x_test`, `y_test`, uint8.
            Defaults to `None`: the cache of Keras (in `KERAS_HOME`, or `~/.keras`), filled by a download where empty.
            `"digits"` needs no folder and does not look at it.
        scaling: One of the four above. Defaults to `"unit"`.
        validation: Number of training images to set aside, from the end. Defaults to 0.
        limit: Number of training images to keep after that, from the start, at least 1. Defaults to `None`: all.
        balanced: Whether those kept are equally many of each class, the first ones of it. Defaults to `False`.
        skip: Number of training images to pass over before those, as many of each class if they are balanced. With the
            `limit` of another call, none of its images is among these. Defaults to 0.

    Returns:
        A `Dataset`: float32 images of shape `(n, height, width, channels)`, int32 labels of shape `(n,)`.

    Raises:
        FileNotFoundError: `directory` is given and holds no `<name>.npz`.
        OSError: Keras can neither read nor download the data set.
        ValueError: An argument is out of range, or the file is not what it should be.

    Example:

    >>> data = load("digits", validation=137, limit=1000)
    >>> data.x_train.shape, data.x_val.shape, data.x_test.shape
    ((1000, 8, 8, 1), (137, 8, 8, 1), (360, 8, 8, 1))
    >>> float(data.x_train.min()), float(data.x_train.max())
    (0.0, 1.0)
    """
    if name not in SHAPES:
        raise ValueError(f"`name` must be one of {', '.join(map(repr, SHAPES))}. Received: name={name!r}")
    if scaling not in SCALINGS:
        raise ValueError(f"`scaling` must be one of {', '.join(map(repr, SCALINGS))}. Received: scaling={scaling!r}")
    if name == "digits":
        source, arrays = "scikit-learn's digits", _digits()
    elif directory is None:
        source, arrays = f"keras.datasets.{name}", _keras_dataset(name)
    else:
        source = pathlib.Path(directory) / f"{name}.npz"
        arrays = _read(source)
    x_train, y_train, x_test, y_test = _check(source, SHAPES[name], *arrays)

    count = len(x_train)
    _check_count("validation", validation, 0, count - 1, f"the {count:,} training images must not all be set aside")
    kept = count - validation
    _check_count("skip", skip, 0, kept - 1, f"{kept:,} training images are left after `validation={validation}`")
    if limit is not None:
        left = kept - skip
        why = f"{left:,} training images are left after `validation={validation}`"
        _check_count("limit", limit, 1, left, why + (f" and `skip={skip}`" if skip else ""))

    chosen = slice(skip, kept if limit is None else skip + limit)
    if balanced:
        chosen = _first_of_each_class(y_train[:kept], limit, skip)

    shift, scale = _statistics(source, x_train, scaling, 16 if name == "digits" else 255)

    def scaled(images):
        images = images.astype("float32")
        images -= shift
        images /= scale
        return images

    return Dataset(
        name=name,
        num_classes=_NUM_CLASSES,
        x_train=scaled(x_train[:kept][chosen]),
        y_train=y_train[:kept][chosen],
        x_val=scaled(x_train[kept:]),
        y_val=y_train[kept:],
        x_test=scaled(x_test),
        y_test=y_test,
    )


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


def _read(path):
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
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= _NUM_CLASSES:
            raise ValueError(
                f"Expected y_{part} of {source} to be integers from 0 to {_NUM_CLASSES - 1}. Received: "
                f"dtype={labels.dtype}, values={np.unique(labels)[:20]}. Save one class number for each image."
            )
        checked += [with_channel, labels.reshape(-1).astype("int32")]
    return checked


def _check_count(name, value, low, high, why):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(
            f"`{name}` must be a number of training images from {low:,} to {high:,} ({why}). Received: {name}={value!r}"
        )


def _first_of_each_class(labels, limit, skip):
    """The positions of the first `limit / 10` images of each class after the first `skip / 10`, ascending."""
    if limit is None or limit % _NUM_CLASSES or skip % _NUM_CLASSES:
        raise ValueError(
            f"`balanced=True` expects a `limit` and a `skip` that are multiples of {_NUM_CLASSES}, the number of "
            f"classes. Received: limit={limit}, skip={skip}. Pass e.g. limit=10_000."
        )
    wanted, passed = limit // _NUM_CLASSES, skip // _NUM_CLASSES
    positions = [np.flatnonzero(labels == number)[passed : passed + wanted] for number in range(_NUM_CLASSES)]
    fewest = min(map(len, positions))
    if fewest < wanted:
        raise ValueError(
            f"`limit={limit}` asks for {wanted:,} images of each class. Received: a class with {fewest:,}. Pass at "
            f"most limit={fewest * _NUM_CLASSES}."
        )
    return np.sort(np.concatenate(positions))


def _statistics(source, images, scaling, largest):
    """Return what to subtract from the raw images and what to divide them by then, both float32.

    Sums are of whole numbers or in float64, a thousand images at a time, so they are exact and need little memory.
    """
    if scaling == "unit":
        return np.float32(0), np.float32(largest)
    chunks = [images[start : start + 1000] for start in range(0, len(images), 1000)]
    if scaling == "z_score":
        counts = sum(np.bincount(chunk.ravel(), minlength=256) for chunk in chunks)
        mean = np.average(np.arange(256), weights=counts)
        deviation = np.sqrt(np.average((np.arange(256) - mean) ** 2, weights=counts))
    else:
        mean = sum(chunk.sum(axis=0, dtype="int64") for chunk in chunks) / len(images)
        deviation = float(largest)
        if scaling == "pixel_mean_overall_std":
            deviation = np.sqrt(sum(np.sum((chunk - mean) ** 2) for chunk in chunks) / images.size)
    if deviation == 0:
        raise ValueError(
            f"`scaling={scaling!r}` divides by the standard deviation of the training images of {source}. Received: "
            "images that do not vary. Use `scaling='unit'`, or check the file."
        )
    return np.asarray(mean, "float32"), np.float32(deviation)
