"""Images rotated, shifted, zoomed and flipped in one interpolation: as tensors of any backend, and as arrays."""

import math

import numpy as np
from keras import ops


def affine(images, *, rotation=0.0, width_shift=0.0, height_shift=0.0, width_zoom=1.0, height_zoom=1.0, flip=0.0):
    """Rotate, shift, zoom and flip images in one interpolation.

    The output at `(column, row)`, counted from the image centre, is the input at

        R(rotation) ((width_shift * width, height_shift * height) + (±width_zoom * column, height_zoom * row))

    with minus where the image is flipped. So a positive rotation turns the content counterclockwise, a positive shift
    moves it left and up, and a zoom above 1 makes it smaller.

    Args:
        images: Shape `(n, height, width, channels)`.
        rotation: Degrees. This and the following are one number for all images or one for each, shape `(n,)`.
        width_shift: Fraction of the width.
        height_shift: Fraction of the height.
        width_zoom: Factor.
        height_zoom: Factor.
        flip: 1 to mirror left and right, 0 not to.

    Returns:
        Images of the same shape, a float32 tensor.

    Example:

    >>> image = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    >>> ops.convert_to_numpy(affine(image, rotation=90))[0, :, :, 0].round(3)
    array([[2., 4.],
           [1., 3.]], dtype=float32)
    """
    images = ops.cast(images, "float32")
    settings = (rotation, width_shift, height_shift, width_zoom, height_zoom, flip)
    rows = _map(ops, images.shape[1:3], *[ops.cast(each, "float32") for each in settings])
    zero = ops.zeros((), "float32")
    count = ops.shape(images)[:1]
    transforms = ops.stack([ops.broadcast_to(row, count) for row in (*rows, zero, zero)], axis=1)
    return ops.image.affine_transform(
        images, transforms, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
    )


def affine_of_arrays(
    images, *, rotation=0.0, width_shift=0.0, height_shift=0.0, width_zoom=1.0, height_zoom=1.0, flip=0.0
):
    """The same as `affine`, of arrays and by NumPy alone: without a backend, in any thread.

    Args:
        images: As in `affine`, and so is all else.
        rotation: As there.
        width_shift: As there.
        height_shift: As there.
        width_zoom: As there.
        height_zoom: As there.
        flip: As there.

    Returns:
        Images of the same shape, a float32 array.

    Example:

    >>> affine_of_arrays(np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1), flip=1)[0, :, :, 0]
    array([[2., 1.],
           [4., 3.]], dtype=float32)
    """
    images = np.asarray(images, "float32")
    count, height, width, channels = images.shape
    settings = (rotation, width_shift, height_shift, width_zoom, height_zoom, flip)
    rows = _map(np, (height, width), *[np.asarray(each, "float32") for each in settings])
    x_from_x, x_from_y, x_offset, y_from_x, y_from_y, y_offset = [row.reshape(-1, 1, 1) for row in rows]
    column, row = np.arange(width, dtype="float32"), np.arange(height, dtype="float32")[:, np.newaxis]
    left, x = _between(x_from_x * column + x_from_y * row + x_offset, width)
    upper, y = _between(y_from_x * column + y_from_y * row + y_offset, height)
    place = (np.arange(count)[:, np.newaxis, np.newaxis] * height + upper) * width + left
    right, lower = left < width - 1, (upper < height - 1) * width  # the way to the next pixel; none beyond the edge
    pixels = images.reshape(-1, channels)
    above = _mean(pixels.take(place, axis=0), pixels.take(place + right, axis=0), x)
    below = _mean(pixels.take(place + lower, axis=0), pixels.take(place + lower + right, axis=0), x)
    return _mean(above, below, y)


def _map(module, size, rotation, width_shift, height_shift, width_zoom, height_zoom, flip):
    """The six numbers that lead from a column and row of the output to those of the input, by the functions of one."""
    height, width = size
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    angle = rotation * (math.pi / 180)
    cos, sin = module.cos(angle), module.sin(angle)
    zoom_x, zoom_y = width_zoom * (1.0 - 2.0 * flip), height_zoom
    shift_x, shift_y = width_shift * width, height_shift * height
    x_from_x, x_from_y = cos * zoom_x, -sin * zoom_y
    y_from_x, y_from_y = sin * zoom_x, cos * zoom_y
    x_offset = cos * shift_x - sin * shift_y + center_x - x_from_x * center_x - x_from_y * center_y
    y_offset = sin * shift_x + cos * shift_y + center_y - y_from_x * center_x - y_from_y * center_y
    return x_from_x, x_from_y, x_offset, y_from_x, y_from_y, y_offset


def _between(places, size):
    """The pixel at or before each place, and how far it is from there; outside is the edge."""
    places = places.clip(0, size - 1)
    before = places.astype(np.int64)
    return before, (places - before).astype("float32")[..., np.newaxis]


def _mean(first, second, share):
    """Between two values, in the memory of the second."""
    second -= first
    second *= share
    second += first
    return second
