"""How many permutations LaPerm chooses among."""

import math

import keras

from train_by_reconnect.weights.profiles import weight_profiles


def log10_permutations(model: keras.Model) -> float:
    """Count the arrangements of a network's weights among which LaPerm chooses, as a power of ten.

    It is the product of the factorials of the sizes of all weight vectors, `prod_j #w_j!`. Biases and normalization
    layers are left out. Equal weights are counted as different, as in the paper.

    Args:
        model: a built `keras.Model` without fixed kernels, which `LaPerm` does not permute.

    Returns:
        Float, the logarithm to base 10 of that number.

    Raises:
        ValueError: the model is not built, has no kernel, or has fixed ones.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])  # two weight vectors of size 3
    >>> round(10 ** log10_permutations(model), 6)
    36.0

    Reference:
        Qiu and Suda 2020, section 5.2.
    """
    total = 0.0
    for profile in weight_profiles(model):
        if profile.fixed_in is not None:
            raise ValueError(
                "`model` must have kernels that `LaPerm` can permute. Received: "
                f"model={model.name!r}, in which {profile.name} is fixed and its scores are trained. `strip` it first."
            )
        units = math.prod(profile.shape[axis] for axis in profile.unit_axes)
        total += units * math.lgamma(math.prod(profile.shape) / units + 1)
    return total / math.log(10)
