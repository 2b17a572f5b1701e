"""The settings of table A.2 of connectivity training, which its experiments share."""

from scripts.connectivities.draw_accuracies import INITIALIZER_NAMES
from scripts.connectivities.training import ConnectivityTraining

NETWORK_NAMES = {"lenet_300_100": "LeNet", "conv2": "Conv2", "conv4": "Conv4", "conv6": "Conv6"}
# Method: mode, objective, and the learning rate of Adam on LeNet, on Conv2, and on Conv4 and Conv6.
_METHODS = {
    "baseline": (None, "free", (1e-3, 2e-4, 3e-4)),
    "free pruning": ("prune", "free", (1e-3, 3e-3, 3e-3)),
    "minimal pruning": ("prune", "minimal", (1e-3, 3e-3, 3e-3)),
    "free flipping": ("flip", "free", (1e-3, 5e-4, 5e-4)),
    "minimal flipping": ("flip", "minimal", (1e-3, 5e-4, 5e-4)),
}
_COLUMN = {"lenet_300_100": 0, "conv2": 1, "conv4": 2, "conv6": 2}


def training(label, method, model, epochs, **changes):
    """One training with the settings of table A.2.

    Args:
        label: str.
        method: str, e.g. `"free pruning"` or `"baseline"`.
        model: str, `"lenet_300_100"`, `"conv2"`, `"conv4"` or `"conv6"`.
        epochs: int, which the paper does not say.
        **changes: further arguments of `ConnectivityTraining`.

    Returns:
        `ConnectivityTraining`.

    Example:

    >>> training("a", "free pruning", "conv2", 50).learning_rate
    0.003
    """
    mode, objective, rates = _METHODS[method]
    is_lenet = model == "lenet_300_100"
    own = changes.pop("model_arguments", {})
    settings = {
        "dataset": "mnist" if is_lenet else "cifar10",
        "epochs": epochs,
        "learning_rate": rates[_COLUMN[model]],
        "mode": mode,
        "objective": objective,
        "model_arguments": own if is_lenet else {"plain": True, **own},
    }
    return ConnectivityTraining(label, model, **{**settings, **changes})


def all_methods(model, epochs, initializers=tuple(INITIALIZER_NAMES), **changes):
    """The five methods of Table 1 with some initializations.

    Args:
        model: str, as in `training`.
        epochs: int.
        initializers: tuple of str, of `INITIALIZER_NAMES`. Defaults to all.
        **changes: as in `training`.

    Returns:
        Tuple of `ConnectivityTraining`, labelled "method, initialization".
    """
    return tuple(
        training(f"{method}, {INITIALIZER_NAMES[name]}", method, model, epochs, initializer=name, **changes)
        for name in initializers
        for method in _METHODS
    )
