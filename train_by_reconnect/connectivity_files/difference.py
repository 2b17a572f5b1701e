"""How two networks from the same initial weights differ, and what an update from one to the other costs."""

import dataclasses
import math
import os

import numpy as np

from train_by_reconnect.backend.rows import to_rows
from train_by_reconnect.connectivity_files.description import ARRAY, PERMUTED, SIGNED_MASK
from train_by_reconnect.connectivity_files.reading import Opened, decoded, open_file
from train_by_reconnect.connectivity_files.words import bits_of, order_words
from train_by_reconnect.weights.listing import Listing


@dataclasses.dataclass(frozen=True)
class ConnectivityDifference:
    """How one variable differs between two networks.

    Args:
        path: str, the path of the variable.
        how: str, how the second file stores it, e.g. `"permuted"` or `"masked"`.
        size: int, the number of connections.
        changed: int, how many of them have another weight.
        bits: float, the least number of bits that turn the first into the second: which places change, and for a
            permutation in which order the weights that left them come back. What is stored as it is costs all its bits
            if any of it changes.

    Example:

    >>> ConnectivityDifference("dense/kernel", "masked", size=100, changed=3, bits=19.4)
    ConnectivityDifference(path='dense/kernel', how='masked', size=100, changed=3, bits=19.4)
    """

    path: str
    how: str
    size: int
    changed: int
    bits: float


def connectivity_diff(
    before: str | os.PathLike[str], after: str | os.PathLike[str], *, max_bytes: int | None = None
) -> list[ConnectivityDifference]:
    """Count the connections in which two networks differ, and the bits that would update one to the other.

    Both must come from the same initial weights, e.g. be of one training, or two trainings from one seed.

    Args:
        before: str or path of a connectivity file.
        after: str or path of another.
        max_bytes: int, as of `load_connectivity`.

    Returns:
        List of `ConnectivityDifference`, one for each variable.

    Raises:
        ValueError: they are not of the same architecture and initial weights, and as from `load_connectivity`.

    Example:

    >>> import keras, tempfile
    >>> from train_by_reconnect import draw_initial_weights, save_connectivity
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="dense")], name="net")
    >>> rule = draw_initial_weights(model)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_connectivity(model, f"{folder}/before.tbr")
    ...     _ = model.layers[0].kernel.assign(keras.ops.take(model.layers[0].kernel, [1, 0, 2], axis=0))
    ...     save_connectivity(model, f"{folder}/after.tbr")
    ...     kernel, bias = connectivity_diff(f"{folder}/before.tbr", f"{folder}/after.tbr")
    >>> kernel.changed, round(kernel.bits, 2)  # of three two: log2 3 for which, log2 2! for their order
    (2, 2.58)
    >>> bias.changed
    0
    """
    one, other = open_alike(before, after, max_bytes)
    found: list[ConnectivityDifference] = []
    for (_, _, first), (entry, _, second) in zip(decoded(one), decoded(other), strict=True):
        axes = entry.axes or ()
        old, new = (np.frombuffer(np.ascontiguousarray(value), np.uint8) for value in (first, second))
        if entry.how == ARRAY:
            width = max(1, entry.bytes // max(1, entry.size))
            changed = (old.reshape(-1, width) != new.reshape(-1, width)).any(axis=1)
            bits = 8.0 * entry.bytes if changed.any() else 0.0
        else:
            rows, others = (order_words(bits_of(to_rows(value, axes, np))) for value in (first, second))
            changed = rows != others
            bits = _log2_choices(changed.size, int(changed.sum()))
            hows = (entry.how, one.description.entries[len(found)].how)
            if SIGNED_MASK in hows:
                bits += int(changed.sum())  # each of three becomes one of two others
            if PERMUTED in hows:
                bits = min(bits + _log2_orders(rows, changed), _log2_orders(rows, np.ones_like(changed)))
        found.append(ConnectivityDifference(entry.path, entry.how, entry.size, int(changed.sum()), bits))
    return Listing(found)


def open_alike(
    before: str | os.PathLike[str], after: str | os.PathLike[str], max_bytes: int | None = None
) -> tuple[Opened, Opened]:
    """Read two files of networks that differ in their connections only; a ValueError if they are of others."""
    one, other = open_file(before, max_bytes), open_file(after, max_bytes)
    alike = [[each.variable for each in file.description.entries] for file in (one, other)]
    if alike[0] != alike[1]:
        raise ValueError(
            "Two networks must come from the same initial weights and have the same architecture, to differ in their "
            f"connections only. Received: {before} and {after}, which do not. Pass two files of one training."
        )
    return one, other


def _log2_choices(size: int, chosen: int) -> float:
    return (math.lgamma(size + 1) - math.lgamma(chosen + 1) - math.lgamma(size - chosen + 1)) / math.log(2)


def _log2_orders(rows: np.ndarray, changed: np.ndarray) -> float:
    """The bits for the order of those weights of each row that are marked, of which equal ones do not count."""
    total = 0.0
    for row, marked in zip(rows, changed, strict=True):
        _, counts = np.unique(row[marked], return_counts=True)
        total += math.lgamma(counts.sum() + 1) - sum(map(math.lgamma, (counts[counts > 1] + 1).tolist()))
    return total / math.log(2)
