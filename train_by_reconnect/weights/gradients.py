"""The gradient of a network over a whole data set, and its largest components."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from train_by_reconnect import backend
from train_by_reconnect.backend.types import Arrays
from train_by_reconnect.weights.flat_parameters import count_of, flat_absolute, split
from train_by_reconnect.weights.kernels import check_built


def full_batch_gradient(
    model: keras.Model, x: Arrays, y: Arrays, batch_size: int = 256, training: bool = False
) -> list[np.ndarray]:
    """The gradient of the mean loss over a whole data set, added up batch by batch.

    `g = sum_b (n_b / n) * gradient of (the loss of batch b)`, n_b of the n examples being in batch b. Where the
    compiled loss is a mean over the examples (Keras' default), this is the gradient of their mean loss, whatever
    `batch_size`, up to rounding; and the regularization losses, which every batch has in full, count once. Memory
    grows with the batch and with the parameters, not with the data set. The model is left as it is: its weights,
    moving statistics, random seeds and metrics.

    In mixed precision the gradient is that of the variables, which are float32, and the sum is float32 too. The loss is
    not scaled: with `mixed_float16` components below about 6e-8 on their way back become 0; `mixed_bfloat16` has the
    range of float32.

    Unlike the paper, which trains without such layers, a model may have dropout and batch normalization. By default
    both act as in inference, so that the gradient is that of one fixed function of each example.

    Args:
        model: a built and compiled `keras.Model`.
        x: array, or list or dict of arrays where the model has several inputs.
        y: array, or list or dict of arrays, the targets.
        batch_size: int, at least 1. Defaults to 256; the last batch may be smaller.
        training: bool, what the model is called with. Defaults to `False`. `True` is the gradient as a train step
            computes it: BatchNorm takes the statistics of each batch, and dropout its next draw, the same for every
            batch.

    Returns:
        List of arrays in the order and shapes of `model.trainable_variables`, float32 (float64 where a variable is).

    Raises:
        ValueError: the model is not built or not compiled, `batch_size` is below 1, or there are no examples or not
            the same number in every array.

    Example:

    One weight w = 2 at x = 1, 1 and 4 with the target 0: the mean of the gradients `2 w x^2` = 4, 4 and 64 is 24.

    >>> dense = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(2))
    >>> model = keras.Sequential([keras.Input((1,)), dense])
    >>> model.compile(loss="mse")
    >>> full_batch_gradient(model, np.array([[1.0], [1.0], [4.0]]), np.zeros((3, 1)), batch_size=2)[0].tolist()
    [[24.0]]

    Reference:
        Li and Banerjee 2021, section 5; Fig. 1 shows `np.sort(np.abs(...))` of its components for one batch.
    """
    return full_batch(model, x, y, batch_size, training)()


def most_active(gradients: Sequence[np.ndarray], percent: float) -> list[np.ndarray]:
    """The parameters with the largest absolute components of a gradient, over the whole network.

    These are exactly `round(percent * p / 100)` of all p components, a half rounded to the even number. Of equal ones
    those that come first are taken: in the order of the arrays, then of their flattened positions.

    Args:
        gradients: list of arrays, e.g. from `full_batch_gradient`.
        percent: float from 0 to 100, alpha.

    Returns:
        List of boolean arrays of the same shapes.

    Raises:
        ValueError: `percent` is not in this range, or a component is NaN or infinite.

    Example:

    >>> [active.tolist() for active in most_active([np.array([[-3.0, 1.0]]), np.array([2.0, 0.0])], percent=50)]
    [[[True, False]], [True, False]]

    Reference:
        Li and Banerjee 2021, section 5.
    """
    magnitudes = flat_absolute(gradients)
    if not np.isfinite(magnitudes).all():
        first = next(i for i, gradient in enumerate(gradients) if not np.isfinite(flat_absolute([gradient])).all())
        raise ValueError(
            f"`gradients` must be finite. Received: a NaN or an infinity in gradients[{first}]. The training has "
            "diverged; lower its learning rate."
        )
    return split(_largest(magnitudes, count_of(percent, magnitudes.size)), gradients)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Where the `count` largest values are, without sorting all: of equal ones the first."""
    if count == 0:
        return np.zeros(values.size, bool)
    smallest = np.partition(values, values.size - count)[values.size - count]
    chosen = values > smallest
    tied = np.flatnonzero(values == smallest)
    chosen[tied[: count - np.count_nonzero(chosen)]] = True
    return chosen


def full_batch(
    model: keras.Model, x: Arrays, y: Arrays, batch_size: int, training: bool
) -> Callable[[], list[np.ndarray]]:
    """A function without arguments that computes `full_batch_gradient`, compiled once for all its calls."""
    check_built(model)
    if not model.compiled:
        raise ValueError(
            f"`model` must be compiled, so that it has a loss. Received: model={model.name!r} with compiled=False. "
            "Call `compile(loss=...)`."
        )
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}. Pass e.g. 256.")
    x, y = keras.tree.map_structure(np.asarray, (x, y))
    lengths = [len(array) if array.ndim else 0 for array in keras.tree.flatten((x, y))]
    size = lengths[0]
    if size == 0 or lengths != [size] * len(lengths):
        raise ValueError(
            "`x` and `y` must be arrays with the same number of examples, at least 1. Received: arrays with "
            f"{lengths} examples. Pass one target for each input."
        )
    variables = list(model.trainable_variables)
    add = backend.gradient_adder(model, variables, x, y, training)

    def compute() -> list[np.ndarray]:
        sums = [keras.ops.zeros(v.shape, "float64" if v.dtype == "float64" else "float32") for v in variables]
        for start in range(0, size, batch_size):
            stop = min(start + batch_size, size)
            sums = add(sums, *_examples((x, y), start, stop), np.float32((stop - start) / size))
        return [keras.ops.convert_to_numpy(total) for total in sums]

    return compute


def _examples(arrays: tuple[Arrays, Arrays], start: int, stop: int) -> Any:
    return keras.tree.map_structure(lambda array: keras.ops.convert_to_tensor(array[start:stop]), arrays)
