"""The settings of table A.2 of connectivity training, which its experiments share, and what its figures group by."""

import functools

from scripts.connectivities.network import ConnectivityNetwork, SignedMaskNetwork
from scripts.connectivities.observers import (
    BestEpochTested,
    ChangedConnections,
    MagnitudePruned,
    RemovedConnections,
    WeightsRemoved,
)
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.optimizer import Optimizer
from scripts.running.training import Training, changed

INITIALIZER_NAMES = {
    "glorot_normal": "Glorot normal",
    "he_normal": "He normal",
    "signed_he_constant": "He constant",
}
DIGITS = {"data": {"name": "digits", "validation": 200}}  # for the quick size: needs no file
# How each method's network is made, and the learning rate of Adam on LeNet, on Conv2, and on Conv4 and Conv6.
_METHODS = {
    "baseline": (None, (1e-3, 2e-4, 3e-4)),
    "free pruning": ({"mode": "prune", "objective": "free"}, (1e-3, 3e-3, 3e-3)),
    "minimal pruning": ({"mode": "prune", "objective": "minimal"}, (1e-3, 3e-3, 3e-3)),
    "free flipping": ({"mode": "flip", "objective": "free"}, (1e-3, 5e-4, 5e-4)),
    "minimal flipping": ({"mode": "flip", "objective": "minimal"}, (1e-3, 5e-4, 5e-4)),
}
_COLUMN = {"lenet_300_100": 0, "conv2": 1, "conv4": 2, "conv6": 2}
_PEERS = {"edge_popup": "edge-popup", "bernoulli": "Bernoulli supermask", "prune_and_flip": "prune and flip"}


def training(label, method, network, epochs, *changes, width=1.0):
    """One training with the settings of table A.2, from the He constant initialization.

    Args:
        label: str.
        method: str, e.g. `"free pruning"`, or `"baseline"`, which trains all weights.
        network: str, `"lenet_300_100"`, `"conv2"`, `"conv4"` or `"conv6"`.
        epochs: int, which the paper does not say.
        *changes: dicts as in `scripts.running.training.changed`; what is observed follows from the changed network.
        width: float, a factor on filters and units. Defaults to 1.

    Returns:
        `Training`.

    Example:

    >>> training("a", "free pruning", "conv2", 50).optimizer.learning_rate
    0.003
    """
    made, rates = _METHODS[method]
    is_lenet = network == "lenet_300_100"
    make = Network if made is None else functools.partial(ConnectivityNetwork, **made)
    arguments = {"width": width} if is_lenet else {"width": width, "plain": True}
    declared = Training(
        label,
        Images("mnist" if is_lenet else "cifar10", scaling="pixel_mean_overall_std", validation=5000),
        make(network, arguments, **_initializer("signed_he_constant")),
        epochs=epochs,
        batch_size=25,
        optimizer=Optimizer(learning_rate=rates[_COLUMN[network]]),
        steps_at_once=True,
    )
    declared = changed(declared, *changes)
    return changed(declared, observers=_observers(declared.network))


def _initializer(name):
    return {"initializer": name, "initializer_arguments": {"positive": 0.5} if name == "signed_he_constant" else {}}


def _observers(network):
    if not isinstance(network, ConnectivityNetwork):
        return (BestEpochTested(),)
    if isinstance(network, SignedMaskNetwork):
        return (ChangedConnections(), RemovedConnections(), BestEpochTested())
    return (ChangedConnections(), BestEpochTested(), *([WeightsRemoved()] if network.has_one_magnitude else []))


def pruned_half_way(baseline, label, sparsity):
    """The same training of all weights, pruned by magnitude half way; only an epoch after that may be the best."""
    half = baseline.epochs // 2
    return changed(baseline, label=label, observers=(MagnitudePruned(half, sparsity), BestEpochTested(first=half)))


def all_methods(network, epochs, *changes, initializers=tuple(INITIALIZER_NAMES), width=1.0):
    """The five methods of Table 1 with some initializations.

    Args:
        network: str, as in `training`, and so are the epochs, the changes and the width.
        epochs: int.
        *changes: dicts.
        initializers: tuple of str, of `INITIALIZER_NAMES`. Defaults to all.
        width: float. Defaults to 1.

    Returns:
        Tuple of `Training`, labelled "method, initialization".
    """
    return tuple(
        training(
            f"{method}, {INITIALIZER_NAMES[name]}", method, network, epochs, {"network": _initializer(name)}, *changes,
            width=width,
        )
        for name in initializers
        for method in _METHODS
    )  # fmt: skip


def method_of(training):
    """The method of a declared training, as text: of those of `training`, or a peer of theirs.

    >>> method_of(training("a", "minimal flipping", "conv2", 50, {"network": {"average": "layer"}}))
    'minimal flipping by layer'
    """
    network = training.network
    if not isinstance(network, ConnectivityNetwork):
        return "magnitude" if training.part(MagnitudePruned) else "baseline"
    if network.mode in _PEERS:
        return _PEERS[network.mode]
    made = {"mode": network.mode, "objective": network.objective}
    name = next(method for method, (fields, _) in _METHODS.items() if fields == made)
    return f"{name} by layer" if network.average == "layer" else name
