"""Minimal pruning and flipping: change as few connections as possible, and see how many were changed."""

from typing import Any, Literal

import keras
import numpy as np

from train_by_reconnect import backend
from train_by_reconnect.backend.types import Tensor
from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.layers.masked_and_signed import Masked, Signed, SignedMask

COUNTS = ("kept", "changed")


@keras.saving.register_keras_serializable("train_by_reconnect")
class MinimalChange(keras.Regularizer):
    """A regularizer of scores that asks for as few changed connections as possible.

    With `counts="kept"` it is minus `weight` times the fraction of scores above 0, the last term of equation (4), and
    with `counts="changed"` it is `weight` times the fraction of all others. The two differ by a constant; their
    gradient of each score is `-weight / size`, as the step function passes gradients unchanged.

    In the paper the fraction is one of the whole network, so a layer that holds a share of all scores has that share as
    its `weight`; in the authors' code it is the mean of the layers' fractions, so each of n layers has `1 / n`.
    `set_objective` sets either.

    Args:
        weight: float of at least 0. Defaults to 1.0, for a network of one layer.
        counts: `"kept"` for pruning or `"changed"` for flipping. Defaults to `"kept"`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    >>> scores = keras.ops.array([0.1, 0.1, 0.1, -0.1])
    >>> float(MinimalChange()(scores)), float(MinimalChange(counts="changed")(scores))
    (-0.75, 0.25)

    Reference:
        Ivan and Florian 2020, section 2.1, equation (4), and section 3.
    """

    def __init__(self, weight: float = 1.0, counts: Literal["kept", "changed"] = "kept") -> None:
        if not 0 <= weight < float("inf"):
            raise ValueError(f"`weight` must be a number of at least 0. Received: weight={weight!r}")
        if counts not in COUNTS:
            raise ValueError(f"`counts` must be one of {', '.join(map(repr, COUNTS))}. Received: counts={counts!r}")
        self.weight, self.counts = float(weight), counts

    def __call__(self, scores: Tensor) -> Tensor:
        """The penalty of the scores of one kernel.

        Args:
            scores: tensor or variable.

        Returns:
            Scalar tensor.
        """
        kept = backend.fraction_above_zero(scores)
        return -self.weight * kept if self.counts == "kept" else self.weight * (1 - kept)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"weight": self.weight, "counts": self.counts}


def set_objective(
    model: keras.Layer,
    objective: Literal["free", "minimal"],
    *,
    counts: Literal["kept", "changed"] = "kept",
    average: Literal["network", "layer"] = "network",
    strength: float = 1.0,
) -> None:
    """Set the free or the minimal objective for all layers with fixed kernels in a built model.

    Compile, or compile anew, afterwards: a compiled train step keeps the objective it was made with.

    Args:
        model: `keras.Model` that is built.
        objective: `"free"`, the loss alone, or `"minimal"`, with `MinimalChange`.
        counts: as in `MinimalChange`. Defaults to `"kept"`.
        average: `"network"`, the fraction is of all scores of the model, as in the paper; or `"layer"`, it is the mean
            of the kernels' fractions, as in the authors' code. Defaults to `"network"`.
        strength: float of at least 0, factor of the regularization. Defaults to 1, as in the paper.

    Raises:
        ValueError: an argument has another value; the model has no such layers, or is not built; for `"minimal"`, it
            has layers with fixed kernels that are neither `Masked` nor `Signed` nor `SignedMask`.

    Example:

    >>> from train_by_reconnect import Masked
    >>> model = keras.Sequential([keras.Input((9,)), Masked(keras.layers.Dense(3)), Masked(keras.layers.Dense(1))])
    >>> set_objective(model, "minimal")
    >>> [layer.scores[0].regularizer.weight for layer in model.layers]  # 27 and 3 of 30 scores
    [0.9, 0.1]

    Reference:
        Ivan and Florian 2020, section 2.1, equations (3) and (4).
    """
    if objective not in ("free", "minimal"):
        raise ValueError(f'`objective` must be "free" or "minimal". Received: objective={objective!r}')
    if average not in ("network", "layer"):
        raise ValueError(f'`average` must be "network" or "layer". Received: average={average!r}')
    layers = _built_layers(model)
    others = [layer.name for layer in layers if not isinstance(layer, (Masked, Signed, SignedMask))]
    if objective == "minimal" and others:
        raise ValueError(
            "The minimal objective is for `Masked`, `Signed` and `SignedMask`, whose scores change something at 0. "
            f"Received: a model with other layers, {', '.join(others)}. Give these a `score_regularizer` of their own."
        )
    sizes = [[int(np.prod(scores.shape)) for scores in layer.scores] for layer in layers]
    total, number = sum(map(sum, sizes)), sum(map(len, sizes))
    for layer, own in zip(layers, sizes, strict=True):
        if objective == "free":
            layer.set_score_regularizers([None] * len(own))
            continue
        shares = [size / total if average == "network" else 1 / number for size in own]
        layer.set_score_regularizers([MinimalChange(strength * share, counts) for share in shares])


def changed_fractions(model: keras.Layer) -> dict[str, float]:
    """The fraction of changed (masked or flipped) connections, for each layer and for the whole network.

    Args:
        model: `keras.Model` that is built.

    Returns:
        Dict from the name of each layer with fixed kernels (its path, where several have one name) to a float in
        [0, 1]; `"all"` is of all connections.

    Raises:
        ValueError: the model has no such layers, or is not built.

    Example:

    >>> from train_by_reconnect import Masked
    >>> changed_fractions(keras.Sequential([keras.Input((9,)), Masked(keras.layers.Dense(3, name="hidden"))]))
    {'hidden': 0.0, 'all': 0.0}
    """
    layers = _built_layers(model)
    names = [layer.name for layer in layers]
    fractions, changed_in_all, size_in_all = {}, 0, 0
    for layer in layers:
        masks = [keras.ops.convert_to_numpy(layer.is_changed(scores.value)) for scores in layer.scores]
        changed = sum(int(np.count_nonzero(mask)) for mask in masks)
        size = sum(mask.size for mask in masks)
        fractions[layer.name if names.count(layer.name) == 1 else layer.path] = changed / size
        changed_in_all, size_in_all = changed_in_all + changed, size_in_all + size
    return {**fractions, "all": changed_in_all / size_in_all}


def _built_layers(model: keras.Layer) -> list[FixedKernels]:
    layers = connectivity_layers(model)
    unbuilt = [layer.name for layer in layers if not layer.built]
    if unbuilt:
        raise ValueError(f"`model` must be built. Received: a model with unbuilt {', '.join(unbuilt)}. Call it once.")
    return layers
