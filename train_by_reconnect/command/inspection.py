"""What a saved model holds: its layers, what a weight vector is in each, zeros, and what of ours is in it."""

import collections
import math
import pathlib
import warnings

import keras
import numpy as np

from train_by_reconnect.backend import keras_layers
from train_by_reconnect.command.networks import load_network
from train_by_reconnect.command.table import table
from train_by_reconnect.layers.fixed_kernels import FixedKernels
from train_by_reconnect.optimizers.laperm import LaPerm
from train_by_reconnect.optimizers.nesting import find_optimizer
from train_by_reconnect.weights.permutation_count import log10_permutations
from train_by_reconnect.weights.profiles import weight_profiles
from train_by_reconnect.weights.variables import describe_variables


def inspection(path: str) -> list[str]:
    """The facts about a model in a file, as lines of text.

    Args:
        path: str, a `.keras` file, or an `.h5` file with a whole model.

    Returns:
        List of str.

    Raises:
        ValueError: it is none.
    """
    model = _load(path)
    variables = [each for each in model.weights if "float" in each.dtype]  # the others are states of generators
    rows, zeros = [], 0
    for variable, layout in zip(variables, describe_variables(variables, model=model), strict=True):
        values = keras.ops.convert_to_numpy(variable)
        none = values.size - int(np.count_nonzero(values))
        zeros += none
        vectors = "-"
        if layout.kind == "kernel" and layout.unit_axes is not None:
            units = math.prod(variable.shape[axis] for axis in layout.unit_axes)
            vectors = f"{units:,} x {values.size // units:,}"
        rows.append([layout.path, layout.kind, "x".join(map(str, variable.shape)) or "()", vectors, f"{none:,}"])
    weights = sum(math.prod(variable.shape) for variable in variables)
    masked = [layer for layer in keras_layers.layers_in_order(model) if isinstance(layer, FixedKernels)]
    return [
        f"{pathlib.Path(path).name}: {type(model).__name__} {model.name!r}, {len(model.layers)} layers, {weights:,} "
        f"weights, {zeros:,} of them zero ({100 * zeros / max(weights, 1):.1f} %)",
        "",
        *table(["variable", "kind", "shape", "vectors x weights", "zeros"], rows),
        "",
        f"layers: {_counted(type(layer).__name__ for layer in model.layers)}",
        f"masks and signs: {_counted(type(layer).__name__ for layer in masked) or 'none'}",
        f"LaPerm: {_laperm(model)}",
        f"arrangements of the weights: {_arrangements(model)}",
    ]


def _load(path: str) -> keras.Model:
    """The model with its optimizer, where that can be read, else without."""
    if pathlib.Path(path).is_file():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # e.g. of an optimizer that has taken no step: it is shown as it is
                return keras.saving.load_model(path)
        except Exception:  # of what somebody else has registered, or of no model at all: that is said below
            return load_network(path)
    raise ValueError(f"There is no such file. Received: {path}. Pass a .keras file, or an .h5 file with a whole model.")


def _counted(names: collections.abc.Iterable[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in collections.Counter(names).items())


def _laperm(model: keras.Model) -> str:
    if getattr(model, "optimizer", None) is None:
        return "the file holds no optimizer that can be read"
    optimizer = find_optimizer(model, LaPerm)
    if optimizer is None:
        return f"no, the optimizer is {type(model.optimizer).__name__}"
    return (
        f"around {type(optimizer.inner_optimizer).__name__}, sync_period={optimizer.sync_period}, after "
        f"{int(optimizer.iterations.numpy()):,} steps, {'with' if optimizer.has_initial_weights else 'without'} the "
        "initial weights"
    )


def _arrangements(model: keras.Model) -> str:
    if any(profile.fixed_in is not None for profile in weight_profiles(model)):
        return "the kernels are fixed, and scores are trained"
    return f"10^{log10_permutations(model):,.1f}"
