"""Make any network into one of fixed weights, whose connectivity is trained."""

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

import keras
import numpy as np

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.conversion.replace_layers import copy_of_layer, copy_state, is_searched, replace_layers
from train_by_reconnect.layers.connectivity_layers import connectivity_layers
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.layers.masked_and_signed import Masked, Signed, SignedMask
from train_by_reconnect.layers.objective import set_objective
from train_by_reconnect.layers.wrapped import LAYER_CLASSES
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.layouts import describe_layer


def connectivity_model(
    model: keras.Model,
    mode: Literal["prune", "flip", "prune_and_flip"] | Callable[[keras.Layer], FixedKernels] = "prune",
    objective: Literal["free", "minimal"] = "free",
    *,
    average: Literal["network", "layer"] = "network",
    train_bias: bool = False,
    rescale: bool = False,
    keep: Sequence[str] = (),
    seed: int | None = None,
) -> keras.Model:
    """Make a model whose connectivity is trained, from any model.

    Every Dense, EinsumDense and convolutional layer is wrapped in `Masked`, `Signed` or `SignedMask`, with scores that
    leave all connections as they are: the new model has the outputs of the given one, and training it masks
    connections, flips their signs, or does either. Biases stay as they are unless `train_bias`; all other layers are
    copied with their state, so batch normalization trains as usual, and what was frozen (`trainable=False`) stays
    frozen. The given model is left untouched.

    A functional or Sequential model of Keras' own layers can be saved whole and loaded. A subclassed one, or one with
    layers of your own, whose configuration does not hold the masks, refuses to be saved whole: save the weights, and
    convert the original model again before `load_weights`; or `strip` it.

    Args:
        model: a built `keras.Model`: functional, Sequential or subclassed with `get_config`, nested or not. Layers
            inside a subclassed one are found where they are attributes set in `__init__`, also in lists and dicts.
        mode: `"prune"` for `Masked`; `"flip"` for `Signed`; `"prune_and_flip"` for `SignedMask`; or a function that
            wraps a layer in any `FixedKernels`, e.g. `functools.partial(Masked, rescale=True)`. Defaults to `"prune"`.
        objective: `"free"` or `"minimal"`, as in `set_objective`; only `"free"` if `mode` is a function. Defaults to
            `"free"`.
        average: `"network"` or `"layer"`, as in `set_objective`. Defaults to `"network"`.
        train_bias: bool, whether biases are trained. Defaults to `False`.
        rescale: bool, as in `Masked`; only for `"prune"`. Defaults to `False`.
        keep: tuple of str, the names of layers that stay as they are, with all inside them. Defaults to none.
        seed: int of at least 0, from which the scores of every kernel get a seed of their own; or None to draw anew.
            Defaults to None.

    Returns:
        A `keras.Model`, not compiled.

    Raises:
        ValueError: the model is not built, is already converted, has nothing to convert, or holds kernels in layers
            that cannot be wrapped and are not in `keep`, such as recurrent layers, attention and embeddings; it is a
            subclass of a functional or Sequential model with an `__init__` and other methods of Keras of its own; or
            an argument has another value.

    Example:

    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)])
    >>> masked = connectivity_model(model, "prune", "minimal", seed=0)
    >>> [(layer.name == plain.name, type(layer).__name__) for layer, plain in zip(masked.layers, model.layers)]
    [(True, 'Masked'), (True, 'Masked')]
    >>> images = np.ones((1, 8), "float32")
    >>> bool(keras.ops.all(masked(images) == model(images)))
    True

    Reference:
        Ivan and Florian 2020, sections 2 and 3; Koster et al. 2022 for `"prune_and_flip"`.
    """
    wrap, counts = _wrapping(mode, objective, train_bias, rescale)
    if seed is not None and not (isinstance(seed, (int, np.integer)) and seed >= 0):
        raise ValueError(f"`seed` must be an integer of at least 0, or None. Received: seed={seed!r}")
    check_built(model)
    converted = [layer.name for layer in keras_layers.all_layers(model) if isinstance(layer, FixedKernels)]
    if converted:
        raise ValueError(
            f"`model` must be a plain model. Received: model={model.name!r}, of which {', '.join(converted)} have "
            "fixed kernels already. Train it as it is, or `strip` it first."
        )
    kept = _kept(model, keep)

    def replace(layer: keras.Layer) -> FixedKernels | None:
        return wrap(layer) if id(layer) not in kept and _can_be_wrapped(layer) else None

    new_model, wrapped = replace_layers(model, replace)
    _check_all_wrapped(model, kept | {id(layer) for layer, _ in wrapped}, wrapped)
    for layer, wrapper in wrapped:
        copy_state(layer, wrapper.layer)
    if seed is not None:
        _draw_scores(new_model, seed)
    if counts is not None:
        set_objective(new_model, objective, counts=counts, average=average)
    return new_model


def _wrapping(
    mode: str | Callable[[keras.Layer], FixedKernels], objective: str, train_bias: bool, rescale: bool
) -> tuple[Callable[[keras.Layer], FixedKernels], Literal["kept", "changed"] | None]:
    """The function that wraps a copy of a layer, and what a minimal objective counts."""
    make: Callable[[keras.Layer], FixedKernels]
    counts: Literal["kept", "changed"] | None
    if callable(mode):
        given = {"objective": objective != "free", "train_bias": train_bias, "rescale": rescale}
        if any(given.values()):
            raise ValueError(
                f"With a function as `mode`, {', '.join(given)} are for it to set. Received: mode={mode} and "
                f"a value for {' and '.join(name for name in given if given[name])}. Leave it out here, and write e.g. "
                "`mode=functools.partial(Masked, train_bias=True)`."
            )
        make, counts = mode, None
    elif mode == "prune":
        make, counts = functools.partial(Masked, train_bias=train_bias, rescale=rescale), "kept"
    elif mode == "flip" and not rescale:
        make, counts = functools.partial(Signed, train_bias=train_bias), "changed"
    elif mode == "prune_and_flip" and not rescale:
        make, counts = functools.partial(SignedMask, train_bias=train_bias), "changed"
    else:
        raise ValueError(
            '`mode` must be "prune", "flip", "prune_and_flip" or a function that wraps a layer, and `rescale` is for '
            f'"prune". Received: mode={mode!r}, rescale={rescale}'
        )

    def wrap(layer: keras.Layer) -> FixedKernels:
        wrapper = make(copy_of_layer(layer))
        if not isinstance(wrapper, FixedKernels):
            raise ValueError(
                f"`mode` must wrap a layer in a `FixedKernels` such as `Masked`. Received: mode={mode}, which gave "
                f"{wrapper} for {layer.name!r}"
            )
        if not layer.trainable:
            wrapper.trainable = False
        return wrapper

    return wrap, counts


def _kept(model: keras.Model, keep: Sequence[str]) -> set[int]:
    """The ids of the layers that stay as they are."""
    layers = keras_layers.all_layers(model, include_self=False)
    if isinstance(keep, str) or not {layer.name for layer in layers}.issuperset(keep):
        raise ValueError(
            f"`keep` must be a tuple of names of layers in the model. Received: keep={keep!r}. The names are: "
            f"{', '.join(layer.name for layer in layers)}"
        )
    named = [layer for layer in layers if layer.name in keep]
    return {id(inside) for layer in named for inside in keras_layers.all_layers(layer)}


def _can_be_wrapped(layer: keras.Layer) -> bool:
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return False
    return layer.built and isinstance(layer, LAYER_CLASSES)


def _check_all_wrapped(model: keras.Model, done: set[int], wrapped: Collection[Any]) -> None:
    """Refuse kernels that would be trained as they are; an unintended half of a network is hard to notice."""
    left = list(dict.fromkeys(_left_out(model, done)))
    if left:
        raise ValueError(
            "Every layer that holds kernels must be one that can be wrapped, or be kept as it is. Received: "
            f"model={model.name!r}, of which {', '.join(left)} hold kernels and cannot be wrapped (recurrent layers, "
            "attention, embeddings, LoRA, quantized layers, and those that a layer makes in its `build`). Pass "
            f"keep={tuple(left)} to leave them as they are."
        )
    if not wrapped:
        raise ValueError(
            f"`model` must have a layer to convert. Received: model={model.name!r}, which has no "
            f"{', '.join(each.__name__ for each in LAYER_CLASSES)} that is built and not kept."
        )


def _left_out(layer: keras.Layer, done: set[int]) -> list[str]:
    """The names of layers with kernels, not of those inside a layer that is only replaced as a whole."""
    if id(layer) in done:
        return []
    if is_searched(layer):
        inside = [name for each in keras_layers.layers_inside(layer) for name in _left_out(each, done)]
        return [layer.name, *inside] if _kernels(layer) else inside
    return [layer.name] if any(_kernels(each) for each in keras_layers.all_layers(layer)) else []


def _kernels(layer: keras.Layer) -> list[keras.Variable]:
    return [variable for variable, layout in describe_layer(layer) if layout.kind == "kernel"]


def _draw_scores(model: keras.Model, seed: int) -> None:
    """Draw the scores of the n-th kernel with a seed derived from that seed and n, so that no two are alike."""
    pairs = [(layer.score_initializer, scores) for layer in connectivity_layers(model) for scores in layer.scores]
    for number, (initializer, scores) in enumerate(pairs, start=1):
        config = initializer.get_config() if isinstance(initializer, keras.initializers.Initializer) else {}
        if "seed" in config:
            config["seed"] = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
            scores.assign(type(initializer).from_config(config)(scores.shape, scores.dtype))
