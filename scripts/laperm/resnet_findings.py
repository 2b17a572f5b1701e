"""What the ResNet50 experiments of LaPerm find, as text."""

import statistics

from scripts.laperm.runs import final_mean, final_means, only
from scripts.laperm.tables import differences, minus
from scripts.publishing.curves import by_training
from scripts.publishing.tables import percent

_FIRST_DROP = 0.4  # of all epochs
SOON = 3  # epochs after it


def against_adam(curves):
    """LaPerm minus Adam: text, or None without Adam."""
    ours, adam = only(curves, method="LaPerm"), only(curves, method="Adam")
    return differences(minus(final_means(ours, "label"), final_mean(adam)))


def changes_between_evaluations(curves):
    """How much the held-out accuracy goes up and down before and after the first drop of the rate.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        Str, or None where a part has less than two evaluations.
    """
    said = []
    for label, same in by_training(curves).items():
        before, after = [], []
        for curve in same:
            changes = curve.values("val_accuracy", by="epochs").diff().abs().dropna()
            is_late = changes.index > _first_drop(curve)
            before.extend(changes[~is_late])
            after.extend(changes[is_late])
        if before and after:
            said.append(f"{label}: {100 * statistics.mean(before):.2f} and {100 * statistics.mean(after):.2f} points")
    return "; ".join(said) or None


def around_the_first_drop(curves):
    """What LaPerm answers at the first drop of the rate and soon after it, on held-out images.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        Str, the mean and the lowest seed of each training, or None where nothing was evaluated up to the drop.
    """
    said = []
    for label, same in by_training(only(curves, method="LaPerm")).items():
        moments = [[_last_until(_first_drop(curve) + later, curve) for curve in same] for later in (0, SOON)]
        if None not in moments[0]:
            each = " and ".join(f"{percent(statistics.mean(m))} (lowest {percent(min(m))})" for m in moments)
            said.append(f"{label}: {each}")
    return "; ".join(said) or None


def _first_drop(curve):
    """In epochs: of those that the run has."""
    return _FIRST_DROP * curve.rows["step"].iloc[-1] / curve.steps_per_epoch


def _last_until(latest, curve):
    """The accuracy at the last evaluation up to an epoch, or None where there was none."""
    values = curve.values("val_accuracy", by="epochs")
    values = values[values.index <= latest]
    return None if values.empty else values.iloc[-1]
