"""What the ResNet50 experiments of LaPerm find, as numbers of claims."""

import statistics

from scripts.laperm.runs import by_seed, final_values, only
from scripts.laperm.tables import minus
from scripts.publishing.claims import Ours, in_points
from scripts.publishing.curves import by_training
from scripts.publishing.tables import percent

_FIRST_DROP = 0.4  # of all epochs
SOON = 3  # epochs after it


def against_adam(curves):
    """LaPerm minus Adam."""
    return in_points(minus(final_values(only(curves, method="LaPerm"), "label"), by_seed(only(curves, method="Adam"))))


def changes_between_evaluations(curves):
    """How much more LaPerm's held-out accuracy goes up and down before the first drop of the rate than after it.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        Dict from a label to `Ours`, of those with two evaluations or more in either part.
    """
    found = {}
    for label, same in by_training(only(curves, method="LaPerm")).items():
        means = [_mean_changes(curve) for curve in same]
        if all(None not in pair for pair in means):
            before, after = (statistics.mean(part) for part in zip(*means, strict=True))
            text = f"{100 * before:.2f} and {100 * after:.2f} points"
            found[label] = Ours(tuple(early - late for early, late in means), text)
    return found


def _mean_changes(curve):
    """The mean change from one evaluation to the next before and after the drop, each None for none."""
    changes = curve.values("val_accuracy", by="epochs").diff().abs().dropna()
    is_late = changes.index > _first_drop(curve)
    return [part.mean() if len(part) else None for part in (changes[~is_late], changes[is_late])]


def around_the_first_drop(curves):
    """How much LaPerm's held-out accuracy rises from the first drop of the rate to soon after it.

    Args:
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        Dict from a label to `Ours`, whose text has the mean and the lowest seed at both moments; without those of which
        nothing was evaluated up to the drop.
    """
    found = {}
    for label, same in by_training(only(curves, method="LaPerm")).items():
        at, soon = ([_last_until(_first_drop(curve) + later, curve) for curve in same] for later in (0, SOON))
        if None not in at:
            text = " and ".join(f"{percent(statistics.mean(m))} (lowest {percent(min(m))})" for m in (at, soon))
            found[label] = Ours(tuple(late - early for early, late in zip(at, soon, strict=True)), text)
    return found


def _first_drop(curve):
    """In epochs: of those that the run has."""
    return _FIRST_DROP * curve.rows["step"].iloc[-1] / curve.steps_per_epoch


def _last_until(latest, curve):
    """The accuracy at the last evaluation up to an epoch, or None where there was none."""
    values = curve.values("val_accuracy", by="epochs")
    values = values[values.index <= latest]
    return None if values.empty else values.iloc[-1]
