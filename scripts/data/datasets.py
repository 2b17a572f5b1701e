"""The data sets of the papers, split and scaled the way each paper says."""

import dataclasses

import numpy as np

from scripts.data.sources import NUM_CLASSES, SHAPES, read

SCALINGS = ("unit", "z_score", "pixel_mean", "pixel_mean_overall_std")


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
    source, (x_train, y_train, x_test, y_test) = read(name, directory)

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
        num_classes=NUM_CLASSES,
        x_train=scaled(x_train[:kept][chosen]),
        y_train=y_train[:kept][chosen],
        x_val=scaled(x_train[kept:]),
        y_val=y_train[kept:],
        x_test=scaled(x_test),
        y_test=y_test,
    )


def _check_count(name, value, low, high, why):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(
            f"`{name}` must be a number of training images from {low:,} to {high:,} ({why}). Received: {name}={value!r}"
        )


def _first_of_each_class(labels, limit, skip):
    """The positions of the first `limit / 10` images of each class after the first `skip / 10`, ascending."""
    if limit is None or limit % NUM_CLASSES or skip % NUM_CLASSES:
        raise ValueError(
            f"`balanced=True` expects a `limit` and a `skip` that are multiples of {NUM_CLASSES}, the number of "
            f"classes. Received: limit={limit}, skip={skip}. Pass e.g. limit=10_000."
        )
    wanted, passed = limit // NUM_CLASSES, skip // NUM_CLASSES
    positions = [np.flatnonzero(labels == number)[passed : passed + wanted] for number in range(NUM_CLASSES)]
    fewest = min(map(len, positions))
    if fewest < wanted:
        raise ValueError(
            f"`limit={limit}` asks for {wanted:,} images of each class. Received: a class with {fewest:,}. Pass at "
            f"most limit={fewest * NUM_CLASSES}."
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
