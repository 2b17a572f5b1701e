"""Pictures of weights, by one call each; they need matplotlib, the extra `plot`.

Each function draws into the `ax` that it is given, or into a new figure of `matplotlib.pyplot`, which a notebook shows,
and returns the `Axes`.
"""

from train_by_reconnect.plot.draw_activity import activity, name_times, tiles
from train_by_reconnect.plot.draw_permutations import cycles, permutation
from train_by_reconnect.plot.draw_profiles import profile, profile_change
from train_by_reconnect.plot.draw_rankings import ranking_distance

__all__ = [
    "activity",
    "cycles",
    "name_times",
    "permutation",
    "profile",
    "profile_change",
    "ranking_distance",
    "tiles",
]
