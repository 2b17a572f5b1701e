"""Networks with the weights that the authors of LaPerm published."""

import collections.abc
import dataclasses
import os
import pathlib

import h5py
import keras
import numpy as np

from models.dense import f1, f2
from models.lenet import conv7
from models.residual import resnet50


@dataclasses.dataclass(frozen=True)
class Published:
    """A published network: what it is made of, and what it expects and claims.

    Args:
        file: String, name of its file.
        builder: Function of this package that builds the network.
        scaling: String, how its inputs are made of pixels x in 0..255: `"unit"` is x / 255; `"pixel_mean"` is x / 255
            minus the mean, pixel by pixel, of the training images over 255.
        paper_accuracy: Float in [0, 1], test accuracy the authors state for the file, on 10,000 images. They chose the
            best epoch on these same images.
        note: String, what else to know of it.
    """

    file: str
    builder: collections.abc.Callable[..., keras.Model]
    scaling: str
    paper_accuracy: float
    note: str


PUBLISHED = {
    "F1": Published("F1.h5", f1, "unit", 0.8546, "MNIST; 40 % of the weights 0, the others 0.08; k = 250."),
    "F2": Published(
        "F2.h5",
        f2,
        "unit",
        0.7814,
        "MNIST; 93 %, 86 % and 67 % of the weights 0, the others 0.03; k = 250. An open question: the published "
        "78.14 % is not what the file gives, which is 70.68 % with x / 255 and 73.8 % with z-scored images.",
    ),
    "Conv7": Published("Conv7.h5", conv7, "unit", 0.9972, "MNIST; dense; k = 1200."),
    "resnet50": Published("resnet50.h5", resnet50, "pixel_mean", 0.9253, "CIFAR-10; dense; k = 400."),
    "resnet50_30": Published("resnet50_30.h5", resnet50, "pixel_mean", 0.9232, "CIFAR-10; sparsity 0.3; k = 800."),
    "resnet50_50": Published("resnet50_50.h5", resnet50, "pixel_mean", 0.9202, "CIFAR-10; sparsity 0.5; k = 800."),
    "resnet50_70": Published("resnet50_70.h5", resnet50, "pixel_mean", 0.9097, "CIFAR-10; sparsity 0.7; k = 800."),
}


def load_published(name: str, directory: str | os.PathLike[str]) -> keras.Model:
    """Build a network and give it the weights that the authors of LaPerm published.

    The files are those of the folder `pretrained` of the repository ihsuy/Train-by-Reconnect. Weights are matched by
    order and shape, for the layer names in the files depend on what else their session had built. `PUBLISHED[name]`
    tells how the network's inputs are scaled and which accuracy is stated for it. F1 and F2 have no bias (section 5.5),
    but their files hold one for each layer, all zero: it is dropped if it is zero.

    The published accuracy of F2, 78.14 %, is an open question: its file gives 70.68 % on MNIST's test images scaled by
    1/255 as in the authors' notebook, and 73.8 % if they are z-scored.

    Args:
        name: String, a key of `PUBLISHED`: `"F1"`, `"F2"`, `"Conv7"`, or `"resnet50"` for a dense and `"resnet50_30"`,
            `"resnet50_50"`, `"resnet50_70"` for sparse ResNet-50 with 30, 50 and 70 % of the weights pruned.
        directory: String or path, the folder with the files.

    Returns:
        An uncompiled `keras.Model`: scaled images (batch, 28, 28, 1), or (batch, 32, 32, 3) for ResNet-50, to
        probabilities (batch, 10).

    Raises:
        ValueError: If `name` is unknown, or if the file holds other weights than those of the network.
        FileNotFoundError: If the file is not in `directory`.
        OSError: If the file cannot be read, for instance because it was cut off.

    Example:

    >>> PUBLISHED["resnet50"].scaling
    'pixel_mean'
    >>> load_published("F1", "no_such_folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    FileNotFoundError: `directory` must hold the file F1.h5. Received: directory=no_such_folder. ...

    Reference:
        Qiu and Suda, 2020, "Train by Reconnect: Decoupling Locations of Weights from Their Values", sections 5.1, 5.4
        and 5.5, A.5.0.
    """
    if name not in PUBLISHED:
        raise ValueError(
            f"`name` must be one of {', '.join(PUBLISHED)}. Received: name={name}. These are the files' names."
        )
    published = PUBLISHED[name]
    path = pathlib.Path(directory) / published.file
    if not path.is_file():
        raise FileNotFoundError(
            f"`directory` must hold the file {published.file}. Received: directory={directory}. Download the file from "
            "the folder `pretrained` of https://github.com/ihsuy/Train-by-Reconnect, or pass the folder that has it."
        )
    model = published.builder()
    layers = [layer for layer in model.layers if layer.weights]
    saved = _read(path)
    if len(saved) != len(layers):
        raise ValueError(
            f"{name} must have {len(layers)} layers with weights. Received: {len(saved)} such layers in {path}. "
            f"Pass the `directory` with the authors' {published.file}."
        )
    for layer, (saved_name, weights) in zip(layers, saved, strict=True):
        layer.set_weights(_fitting(weights, layer, f"layer {saved_name} of {path}"))
    return model


def _read(path: pathlib.Path) -> list[tuple[str, list[np.ndarray]]]:
    """Give (layer name, arrays) for each layer with weights in a Keras 2 file, of weights or of a whole model."""
    try:
        with h5py.File(path, "r") as file:
            group = file.get("model_weights", file)
            if "layer_names" not in group.attrs:
                raise ValueError(
                    "The file must be one that Keras 2 saved, with the attribute `layer_names`. "
                    f"Received: {path}, which has none. Download the file again."
                )
            layers = [group[name] for name in group.attrs["layer_names"]]
            read = [(layer.name, [layer[name][()] for name in layer.attrs["weight_names"]]) for layer in layers]
    except (OSError, KeyError, RuntimeError) as error:
        raise OSError(
            f"The file must be a whole HDF5 file with Keras weights. Received: {path}, which h5py cannot read "
            f"({error}). Download the file again."
        ) from error
    return [(name.rpartition("/")[2], weights) for name, weights in read if weights]


def _fitting(weights: list[np.ndarray], layer: keras.Layer, where: str) -> list[np.ndarray]:
    """Give the weights as the layer takes them, without a zero bias that it does not have."""
    expected = [tuple(weight.shape) for weight in layer.weights]
    received = [weight.shape for weight in weights]
    has_surplus_bias = (
        getattr(layer, "use_bias", True) is False and len(expected) == 1 and received == [*expected, expected[0][-1:]]
    )
    if has_surplus_bias:
        if np.any(weights[-1]):
            raise ValueError(
                f"The bias must be all zero, for layer {layer.name} has none. Received: a bias of up to "
                f"{np.max(np.abs(weights[-1]))} in {where}. Download the file again."
            )
        return weights[:-1]
    if received != expected:
        raise ValueError(
            f"The weights of layer {layer.name} must have the shapes {expected}. Received: {received} in {where}. "
            "Pass the `directory` with the file of this network."
        )
    return weights
