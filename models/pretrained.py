"""A network that starts from the weights of another, as far as their shapes agree."""

import collections.abc
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def initialize_from(
    model: keras.Model, weights: keras.Model | str | os.PathLike[str] | Mapping[str, npt.ArrayLike]
) -> list[str]:
    """Copy the kernels and biases of another network, as far as they fit.

    The k-th layer with a kernel gets what the k-th one of the other network has, if the kernel's shape agrees, and the
    bias with it if it agrees too; other layers keep what they have, and so do normalizations. So VGG-11 for CIFAR-10
    takes all convolutions of ImageNet's, and leaves its dense layers, which have other sizes.

    Other frameworks store the kernel of a convolution as (out, in, height, width), and that of a dense layer as
    (out, in). If more kernels fit that way than as Keras stores them, all are taken so. A dense kernel behind an image
    of several pixels is then not copied: those frameworks flatten channels first, which orders its rows otherwise.

    Args:
        model: a built `keras.Model`.
        weights: a `keras.Model`; the path of one that was saved whole, `.keras` or `.h5`; the path of an `.npz` file;
            or a dict of arrays. Arrays count in their order: those of two and more dimensions are kernels, and the one
            of one dimension right behind a kernel is its bias.

    Returns:
        List of str, the names of the layers that were filled.

    Raises:
        ValueError: nothing fits, or the file is of another kind.
        FileNotFoundError: there is no such file.

    Example:

    >>> def network(classes):
    ...     hidden, output = keras.layers.Dense(3, name="hidden"), keras.layers.Dense(classes)
    ...     return keras.Sequential([keras.Input((4,)), hidden, output])
    >>> initialize_from(network(2), network(5))
    ['hidden']

    Reference:
        Li and Banerjee, 2021, "Experiments with Rich Regime Training for Deep Learning", section 6.2.
    """
    own = _kernels_and_biases(model)
    kernels = [kernel for kernel, _ in own]
    pairs = list(zip(own, _pairs_of(weights), strict=False))
    layouts = [
        [(mine, kernel, bias) for mine, (kernel, bias) in pairs if mine[0].shape == kernel.shape],
        [(mine, _transposed(kernel), bias) for mine, (kernel, bias) in pairs if _fits_transposed(mine[0], kernel)],
    ]
    foreign = len(layouts[1]) > len(layouts[0])
    filled = []
    for (own_kernel, own_bias), kernel, bias in layouts[foreign]:
        if foreign and _is_behind_several_pixels(own_kernel, kernels):
            continue
        own_kernel.assign(kernel)
        if bias is not None and own_bias is not None and own_bias.shape == bias.shape:
            own_bias.assign(bias)
        filled.append(_layer_path(own_kernel).rpartition("/")[-1])
    if not filled:
        expected, received = [tuple(kernel.shape) for kernel in kernels], [kernel.shape for _, (kernel, _) in pairs]
        raise ValueError(
            f"`weights` must have a kernel that fits the layer of the same number. Received: kernels of {received} for "
            f"layers of {expected}. Pass the weights of a network of the same architecture and width."
        )
    return filled


def _pairs_of(weights: Any) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """The kernel and the bias, or None, of each layer."""
    if isinstance(weights, (str, pathlib.Path)):
        weights = _read(pathlib.Path(weights))
    if isinstance(weights, keras.Model):
        return [(kernel.numpy(), _numpy(bias)) for kernel, bias in _kernels_and_biases(weights)]
    if not isinstance(weights, collections.abc.Mapping):
        raise ValueError(
            "`weights` must be a `keras.Model`, the path of a .keras, .h5 or .npz file, or a dict of arrays. Received: "
            f"weights={weights!r}. Pass one of these."
        )
    arrays = [np.asarray(array) for array in weights.values()]
    behind = [*arrays[1:], None]
    return [
        (array, following if following is not None and following.ndim == 1 else None)
        for array, following in zip(arrays, behind, strict=True)
        if array.ndim > 1
    ]


def _read(path: pathlib.Path) -> keras.Model | dict[str, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(f"`weights` must be a file that exists. Received: weights={path}. Correct the path.")
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        return keras.saving.load_model(path, compile=False)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"`weights` must be an .npz file of plain arrays, or a .keras or .h5 file of a whole model. Received: "
            f"weights={path}, which cannot be read as one ({error}). Load what it holds into a model and pass that."
        ) from error


def _kernels_and_biases(model: keras.Model) -> list[tuple[keras.Variable, keras.Variable | None]]:
    """The kernel and the bias, or None, of each layer with a kernel, those of nested models in their place."""
    found: list[tuple[keras.Variable, keras.Variable | None]] = []
    for variable in model.weights:  # layer by layer, and one that is used twice comes once
        if variable.name == "kernel":
            found.append((variable, None))
        elif variable.name == "bias" and found and _layer_path(found[-1][0]) == _layer_path(variable):
            found[-1] = (found[-1][0], variable)
    return found


def _layer_path(variable: keras.Variable) -> str:
    return variable.path.rpartition("/")[0]


def _numpy(variable: keras.Variable | None) -> np.ndarray | None:
    return None if variable is None else variable.numpy()


def _transposed(kernel: np.ndarray) -> np.ndarray:
    return np.transpose(kernel, (2, 3, 1, 0)) if kernel.ndim == 4 else kernel.T


def _fits_transposed(own: keras.Variable, kernel: np.ndarray) -> bool:
    return kernel.ndim in (2, 4) and own.shape == _transposed(kernel).shape


def _is_behind_several_pixels(kernel: keras.Variable, kernels: list[keras.Variable]) -> bool:
    """Whether it is the kernel of a dense layer that follows a convolution with fewer filters than this has inputs."""
    number = next(number for number, each in enumerate(kernels) if each is kernel)
    below: tuple[int, ...] = kernels[number - 1].shape if number else ()
    return len(kernel.shape) == 2 and len(below) == 4 and kernel.shape[0] != below[-1]
