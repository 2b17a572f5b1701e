"""The kernels of a model whose weight vectors are drawn, permuted or masked, and the axes that number their neurons."""

from typing import NamedTuple

import keras

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.optimizers.laperm import LaPerm
from train_by_reconnect.optimizers.nesting import find_optimizer
from train_by_reconnect.weights.kernels import check_built
from train_by_reconnect.weights.variables import describe_variables, path_of


class Kernel(NamedTuple):
    """A kernel, its number among the variables of its model, and whether LaPerm was told to leave it alone."""

    place: int
    variable: keras.Variable
    axes: Axes
    is_left_alone: bool


def kernels_in(model: keras.Model) -> list[Kernel]:
    """The kernels of a built model in the order of its weights; what LaPerm was told of axes holds."""
    check_built(model)
    optimizer = find_optimizer(model, LaPerm)
    said = {}
    if optimizer is not None and optimizer.built:
        said = {layout.path: layout.unit_axes for layout in optimizer.describe()}
    kernels = []
    for place, layout in enumerate(describe_variables(model.weights, model=model)):
        if layout.kind == "kernel" and layout.unit_axes is not None:
            variable = model.weights[place]
            axes = said.get(path_of(variable), layout.unit_axes)
            used = layout.unit_axes if axes is None else axes
            kernels.append(Kernel(place, variable, tuple(a % len(variable.shape) for a in used), axes is None))
    return kernels
