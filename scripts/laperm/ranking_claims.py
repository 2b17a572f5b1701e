"""The claims of section 3 of the LaPerm paper, on the ranking distances of each optimizer."""

import statistics

import numpy as np

from scripts.laperm.ranking_traits import autocorrelation, jumps_and_rises, load_record, rank_correlation
from scripts.publishing.claims import Claim, Ours
from scripts.publishing.verdicts import ABOVE, Stated

_LATER = 50  # steps
_NO_TREND = 0.1  # of an autocorrelation
_RANDOM, _TREND = Stated(-_NO_TREND, _NO_TREND), Stated(low=_NO_TREND)


def _records(curves, optimizer, *arguments):
    """Dict from the seed to the record of the only training with an optimizer and such arguments of the network."""
    return {
        curve.seed: load_record(curve)
        for curve in curves
        if curve.training.optimizer.name == optimizer and set(curve.training.network.arguments) == set(arguments)
    }


def _epochs(record):
    return [epoch for phase in record.phases() for epoch in phase]


def _mean_autocorrelation(record):
    return statistics.mean(
        autocorrelation(record.of_epoch(record.distance, epoch), _LATER) for epoch in _epochs(record)
    )


def _trend(optimizer):
    def measure(curves):
        values = [_mean_autocorrelation(record) for record in _records(curves, optimizer).values()]
        return {"": Ours(tuple(values), f"{statistics.mean(values):+.2f}")} if values else {}

    return measure


def _with_l2(curves):
    """By how much L2 regularization multiplies the ranks changed in a step and the mean distance, minus 1."""
    plain, regularized = _records(curves, "adam"), _records(curves, "adam", "l2")
    found = {}
    for name, field in (("ranks changed in a step", "changed"), ("mean distance", "distance")):
        ratios = [_mean(regularized[seed], field) / _mean(plain[seed], field) for seed in plain if seed in regularized]
        if ratios:
            found[name] = Ours(tuple(ratio - 1 for ratio in ratios), f"{statistics.mean(ratios):.2f} times")
    return found


def _mean(record, field):
    values = getattr(record, field)
    return float(np.mean([record.of_epoch(values, epoch) for epoch in _epochs(record)]))


def _foretold(curves):
    values = [rank_correlation(*jumps_and_rises(record, 1)) for record in _records(curves, "adam").values()]
    return {"": Ours(tuple(values), f"{statistics.mean(values):+.2f}")} if values else {}


CLAIMS = (
    Claim(
        f"SGD's ranking distances seem random (autocorrelation {_LATER} steps later, within {_NO_TREND} of 0).",
        _trend("sgd"),
        _RANDOM,
    ),
    Claim(f"Adam's follow a trend (the same, above {_NO_TREND}).", _trend("adam"), _TREND),
    Claim("With L2 regularization the ranking changes more, in number and size (Adam).", _with_l2, ABOVE),
    Claim(
        "A jump of the distance predicts that the loss will rise (Adam; rank correlation with the rise in the next "
        "epoch).",
        _foretold,
        ABOVE,
    ),
)
