"""What the ResNet50 experiments of LaPerm find, as text."""

import statistics

from scripts.laperm_runs import final_means, in_epochs, mean_curve
from scripts.laperm_tables import differences
from scripts.results import by_label

_FIRST_DROP = 0.4  # of all epochs


def against_adam(curves):
    """LaPerm minus Adam.

    Args:
        curves: list of `scripts.results.Curve`.

    Returns:
        Str, or None without Adam.
    """
    means = final_means(curves)
    adam = means.pop("Adam", None)
    return None if adam is None else differences({label: (mean, adam) for label, mean in means.items()})


def changes_between_evaluations(curves):
    """How much the held-out accuracy goes up and down before and after the first drop of the rate.

    Args:
        curves: list of `scripts.results.Curve`.

    Returns:
        Str, or None where a part has less than two evaluations.
    """
    said = []
    for label, same in by_label(in_epochs(curves)).items():
        parts = ([], [])
        for curve in same:
            epochs, values = mean_curve([curve])
            for epoch, before, after in zip(epochs[1:], values, values[1:], strict=False):
                parts[epoch > _FIRST_DROP * curve.rows[-1]["step"]].append(abs(after - before))
        if all(parts):
            said.append(f"{label}: {' and '.join(f'{100 * statistics.mean(part):.2f}' for part in parts)} points")
    return "; ".join(said) or None
