"""What the ResNet50 experiments of LaPerm find, as text."""

import statistics

from scripts.laperm.runs import final_means, in_epochs, mean_curve
from scripts.laperm.tables import differences
from scripts.publishing.markdown import percent
from scripts.publishing.results import by_label

_FIRST_DROP = 0.4  # of all epochs
SOON = 3  # epochs after it


def against_adam(curves):
    """LaPerm minus Adam.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Str, or None without Adam.
    """
    means = final_means(curves)
    adam = means.pop("Adam", None)
    return None if adam is None else differences({label: (mean, adam) for label, mean in means.items()})


def changes_between_evaluations(curves):
    """How much the held-out accuracy goes up and down before and after the first drop of the rate.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Str, or None where a part has less than two evaluations.
    """
    said = []
    for label, same in by_label(in_epochs(curves)).items():
        parts = ([], [])
        for curve in same:
            epochs, values = mean_curve([curve])
            for epoch, before, after in zip(epochs[1:], values, values[1:], strict=False):
                parts[epoch > _first_drop(curve)].append(abs(after - before))
        if all(parts):
            said.append(f"{label}: {' and '.join(f'{100 * statistics.mean(part):.2f}' for part in parts)} points")
    return "; ".join(said) or None


def around_the_first_drop(curves):
    """What LaPerm answers at the first drop of the rate and soon after it, on held-out images.

    Args:
        curves: list of `scripts.publishing.results.Curve`.

    Returns:
        Str, the mean and the lowest seed of each label, or None where nothing was evaluated up to the drop.
    """
    said = []
    for label, same in by_label(in_epochs(curves)).items():
        moments = [[_last_until(_first_drop(curve) + later, curve) for curve in same] for later in (0, SOON)]
        if label.startswith("LaPerm") and None not in moments[0]:
            each = " and ".join(f"{percent(statistics.mean(m))} (lowest {percent(min(m))})" for m in moments)
            said.append(f"{label}: {each}")
    return "; ".join(said) or None


def _first_drop(curve):
    return _FIRST_DROP * curve.rows[-1]["step"]


def _last_until(latest, curve):
    """The accuracy at the last evaluation up to an epoch, or None where there was none."""
    values = [value for epoch, value in zip(*mean_curve([curve]), strict=True) if epoch <= latest]
    return values[-1] if values else None
