"""Weight profiles: the sorted weight vectors of every kernel of a model."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.backend.types import Axes
from train_by_reconnect.weights.finite import finite
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.layouts import Layout
from train_by_reconnect.weights.listing import Listing
from train_by_reconnect.weights.variables import describe_variables


@dataclasses.dataclass(frozen=True)
class WeightProfile:
    """One kernel of a model as weight vectors, unsorted and sorted.

    It refers to the model's variable and keeps no copy: `unsorted` and `vectors` are computed from the current weights
    each time they are read. Of a layer with fixed kernels (`Masked` and the like) they are the effective weights, those
    that the layer computes with. Made by `weight_profiles`.

    Args:
        name: str, the path of the variable, as Keras names it.
        layer: str, the name of the layer that owns the variable.
        shape: tuple of ints, the shape of the kernel.
        unit_axes: tuple of ints, the axes of the kernel that number its neurons.
        variable: the `keras.Variable`.
        initializer: the `keras.initializers.Initializer` that the layer names for it, or None if it names none. Loaded
            weights may have started from another.
        fixed_in: the layer with fixed kernels that `variable` is one of, or None.

    Example:

    >>> dense = keras.layers.Dense(2, name="dense")
    >>> dense.build((None, 3))
    >>> _ = dense.kernel.assign([[3, 5], [1, 4], [2, 6]])
    >>> [profile] = weight_profiles(dense)
    >>> profile.layer, profile.vectors.tolist()
    ('dense', [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])

    Reference:
        Qiu and Suda 2020, section 2 and Fig. 11.
    """

    name: str
    layer: str
    shape: Axes
    unit_axes: Axes
    variable: keras.Variable = dataclasses.field(repr=False, compare=False)
    initializer: keras.initializers.Initializer | None = dataclasses.field(default=None, repr=False, compare=False)
    fixed_in: Any = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def unsorted(self) -> np.ndarray:
        """The weight vectors, array of shape (units, size), float32 (float64 if the kernel is)."""
        return np.ascontiguousarray(to_rows(self.value(), self.unit_axes, np))

    @property
    def vectors(self) -> np.ndarray:
        """The weight profile: as `unsorted`, with every row in ascending order."""
        rows = self.unsorted  # a copy: Keras' `numpy` lends no memory
        rows.sort(axis=1)
        return rows

    def value(self) -> np.ndarray:
        """A copy of the kernel's weights, array of `shape`, float32 (float64 if the kernel is), which are finite."""
        return finite(_current_value(self), self.name)


def weight_profiles(model: keras.Layer, layers: str | Sequence[str] | None = None) -> list[WeightProfile]:
    """Find the weight profile of every kernel of a model.

    A weight profile is what is left of a weight matrix once the order within each weight vector is forgotten. Every
    kernel is included, trainable or not: depthwise kernels, kernels with one output, recurrent kernels and embeddings
    too. Biases and the vectors of normalization layers are not, nor are the integer codes of a quantized layer.

    Of a model whose connectivity is trained these are the profiles of the effective kernels, the same as those of
    `strip(model)`: masked connections are zeros. Of `BernoulliMask` it is the mask that the next call will draw.

    Args:
        model: a built `keras.Model`, or any built layer.
        layers: str or list of str, names of the layers wanted; the name of a nested model stands for all
            within it. Defaults to `None`: every layer.

    Returns:
        List of `WeightProfile`, in the order of `model.weights`. It holds no weights until they are read.

    Raises:
        ValueError: a model that is not built or has no kernel, a layer that does not exist or has no kernel, or a
            weight that is NaN or infinite.
        TypeError: something that is no model.

    Example:

    >>> model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.DepthwiseConv2D(3)])
    >>> [(profile.shape, profile.vectors.shape) for profile in weight_profiles(model)]
    [((3, 3, 3, 4), (4, 27)), ((3, 3, 4, 1), (4, 9))]

    Reference:
        Qiu and Suda 2020, section 2, Fig. 1 and 2.
    """
    if not isinstance(model, keras.layers.Layer):
        raise TypeError(f"`model` must be a Keras model or layer. Received: model={model!r}. Load or build one first.")
    check_built(model)
    described = described_weights(model)
    profiles = [
        profile_of(variable, holders, layout.unit_axes)  # type: ignore[arg-type]  # a kernel has
        for layout, variable, holders in described
        if layout.kind == "kernel"
    ]
    if not profiles:
        raise ValueError(
            f"`model` must have a kernel. Received: model={model.name!r} with {len(model.weights)} variables, none of "
            "which is a kernel (codes of a quantized one are not). Pass a model with a layer such as `Dense` or "
            "`Conv2D`."
        )
    if layers is not None:
        owners = {id(variable): holders[1:] for _, variable, holders in described}
        profiles = _select(profiles, owners, [layers] if isinstance(layers, str) else list(layers))
    for profile in profiles:
        profile.value()
    return Listing(profiles)


def described_weights(model: keras.Layer) -> list[tuple[Layout, keras.Variable, list[keras.Layer]]]:
    """For each variable of a built model its layout, itself, and what holds it: the model first, the owner last."""
    owners = _owners(model)
    layouts = describe_variables(model.weights, model=model)
    return [
        (layout, variable, [model, *owners[id(variable)]])
        for variable, layout in zip(model.weights, layouts, strict=True)
    ]


def _owners(model: keras.Layer) -> dict[int, list[keras.Layer]]:
    """The layers that hold each variable, the owner last: Keras lists a layer before its parts."""
    owners: dict[int, list[keras.Layer]] = {id(variable): [] for variable in model.weights}
    for layer in keras_layers.all_layers(model, include_self=False):
        for variable in layer.weights:
            owners[id(variable)].append(layer)
    return {key: layers or [model] for key, layers in owners.items()}


def profile_of(variable: keras.Variable, owners: list[keras.Layer], unit_axes: Axes) -> WeightProfile:
    """The profile of one variable, of which `described_weights` says who holds it."""
    owner = owners[-1]
    stems = [name.removesuffix("_kernel") for name in keras_layers.public_names(owner, variable)]
    # DepthwiseConv's variable is its `kernel`, but its argument is `depthwise_initializer`.
    named = (getattr(owner, f"{stem}_initializer", None) for stem in [*stems, "depthwise"])
    initializer = next((found for found in named if found is not None), None)
    # Of the layers only those with fixed kernels have effective ones.
    fixed_in = next((layer for layer in owners if hasattr(layer, "effective_kernels")), None)
    return WeightProfile(variable.path, owner.name, tuple(variable.shape), unit_axes, variable, initializer, fixed_in)


def _select(
    profiles: list[WeightProfile], owners: dict[int, list[keras.Layer]], names: list[str]
) -> list[WeightProfile]:
    existing = dict.fromkeys(name for profile in profiles for name in _names(owners, profile))
    for name in names:
        if name not in existing:
            listed = list(existing)
            shown = ", ".join(listed[:20]) + (f" and {len(listed) - 20} more" if len(listed) > 20 else "")
            raise ValueError(
                f"`layers` must name layers that have a kernel. Received: layers={names}, and {name!r} is none of the "
                f"{len(listed)} of this model. Choose among: {shown}."
            )
    return [profile for profile in profiles if not set(names).isdisjoint(_names(owners, profile))]


def _names(owners: dict[int, list[keras.Layer]], profile: WeightProfile) -> list[str]:
    return [layer.name for layer in owners[id(profile.variable)]]


def _current_value(profile: WeightProfile) -> np.ndarray:
    if profile.fixed_in is None:
        return profile.variable.numpy()
    place = next(i for i, kernel in enumerate(profile.fixed_in.kernels) if kernel is profile.variable)
    with keras.StatelessScope():  # a random mask must not use up the layer's next draw
        return keras.ops.convert_to_numpy(profile.fixed_in.effective_kernels()[place])
