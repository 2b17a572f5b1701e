"""What LaPerm's tables and pictures group by, read from the declared training and never from its label."""

from scripts.laperm.initial_weights import MakeDissimilar, ReducePrecision, ShuffledBestOf, Sparsify
from scripts.laperm.observers import SyncPeriodFollowsRate
from scripts.publishing.names import network_name
from scripts.running.observers import ZerosKept

INNER_NAMES = {
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSprop",
    "sgd": "SGD",
    "momentum": "SGD with momentum",
}
_AROUND_NAMES = {"laperm": "LaPerm", "lookahead": "Lookahead"}


def fields(training):
    """What is declared of a training, as it is said in tables.

    Args:
        training: `scripts.running.training.Training`.

    Returns:
        Dict: `network`; `method`, what is around the inner optimizer, or its own name; `inner`, that optimizer; `k` of
        LaPerm or None; `rate` in the first epoch; `start`, the initializer, or `"shuffled"`; `p`, the percentage of
        zeros at the start; `spread` and `precision` of the initial weights or None; and what is true or not: `frozen`
        zeros, k `tied` to the rate, `state_reset` and `norm_reset` at synchronizations, and `output_free` of them.

    Example:

    >>> from scripts.laperm.settings import conv, laperm, removed
    >>> known = fields(conv("30 % removed", "conv4", 90, laperm(200), removed(30)))
    >>> [known[name] for name in ("network", "method", "inner", "k", "p")]
    ['Conv4', 'LaPerm', 'Adam', 200, 30]
    """
    optimizer, network = training.optimizer, training.network
    inner = INNER_NAMES.get(optimizer.name, optimizer.name)
    spread = _setting(training, MakeDissimilar, "spread")
    return {
        "network": network_name(network),
        "method": _AROUND_NAMES.get(optimizer.around, inner),
        "inner": inner,
        "k": optimizer.sync_period,
        "rate": optimizer.learning_rate,
        "start": "shuffled" if training.part(ShuffledBestOf) else network.initializer or "he_uniform",
        "p": _percent(_setting(training, Sparsify, "sparsity") or 0),
        "spread": spread and round(spread),
        "precision": _setting(training, ReducePrecision, "precision"),
        "frozen": training.part(ZerosKept) is not None,
        "tied": training.part(SyncPeriodFollowsRate) is not None,
        "state_reset": optimizer.arguments.get("reset_inner_state", False),
        "norm_reset": not optimizer.arguments.get("skip_batch_norm", True),
        "output_free": "unit_axes" in optimizer.arguments,
    }


def _setting(training, kind, name):
    """A setting of a part of the training, or None where it has no such part."""
    return getattr(training.part(kind), name, None)


def _percent(sparsity):
    """One percentage for all kernels, or a tuple with one for each."""
    return tuple(map(_percent, sparsity)) if isinstance(sparsity, tuple) else round(100 * sparsity)
