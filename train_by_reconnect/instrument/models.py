"""The tensors of a Keras model in memory, or of a layer."""

import math

import keras

from train_by_reconnect.instrument.tensors import Source, StoredTensor
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.layouts import Layout
from train_by_reconnect.weights.profiles import described_weights, profile_of

_REASONS = {
    "normalization": "Scale or offset of a normalization layer: one number a channel, no weight vectors.",
    "scores": "Scores trained for a fixed kernel, whose effective weights are profiled.",
    "other": "No weights that neurons receive inputs by, as factors and statistics are.",
}


def model_source(model: keras.Layer) -> Source:
    """List the variables of a built model or layer.

    Of a layer with fixed kernels (`Masked` and the like) the weights are the effective ones.

    Args:
        model: a built `keras.Model` or layer.

    Returns:
        `Source`. It refers to the model's variables and reads the current weights each time.

    Raises:
        ValueError: the model is not built.
    """
    check_built(model)
    tensors = [_tensor(*described) for described in described_weights(model)]
    return Source(model.name, "Keras model", tensors)


def _tensor(layout: Layout, variable: keras.Variable, owners: list[keras.Layer]) -> StoredTensor:
    shape, dtype = tuple(variable.shape), keras.backend.standardize_dtype(variable.dtype)
    skipped = _reason(layout, shape, dtype)
    profile = profile_of(variable, owners, layout.unit_axes or ())
    return StoredTensor(
        name=variable.path,
        layer=profile.layer,
        shape=shape,
        dtype=dtype,
        unit_axes=layout.unit_axes if layout.kind == "kernel" else None,
        skipped=skipped,
        read=profile.value,
        initializer=profile.initializer,
    )


def _reason(layout: Layout, shape: tuple[int, ...], dtype: str) -> str:
    if "int" in dtype or dtype == "bool":
        return f"Codes or counts of type {dtype}, no weights."
    if layout.kind == "bias":
        return "A bias or statistic: one number a neuron, no weight vectors."
    if layout.kind != "kernel":
        return _REASONS[layout.kind]
    return "" if math.prod(shape) else f"It is empty, of shape {shape}."
