"""Train neural networks by reconnecting them: where the weights are, instead of what they are."""

# ruff: noqa: F405 - the names of `__all__` are those that `__getattr__` gives

import importlib
from typing import TYPE_CHECKING, Any

from train_by_reconnect.backend.after_keras import load_all_after_keras
from train_by_reconnect.backend.chosen import backend_of_keras
from train_by_reconnect.version import __version__

if TYPE_CHECKING:
    from train_by_reconnect.needs_keras import *  # noqa: F403

__all__ = [
    "ActivityMap",
    "BernoulliMask",
    "ConnectivityDifference",
    "ConnectivityFiles",
    "ConnectivityMonitor",
    "EdgePopup",
    "InitialRule",
    "KeepZeros",
    "KernelReport",
    "KernelSnapshots",
    "LaPerm",
    "LayerwiseTraining",
    "Layout",
    "Lookahead",
    "Masked",
    "MiddleOnly",
    "MinimalChange",
    "Movement",
    "PermutationCheck",
    "PositiveUniform",
    "Profile",
    "ProfileComparison",
    "ProfileMonitor",
    "ProfileScore",
    "RandomBeta",
    "RandomUniform",
    "RankingMonitor",
    "Signed",
    "SignedConstant",
    "SignedMask",
    "SyncEvaluation",
    "SyncEveryEpoch",
    "SyncPeriodScheduler",
    "TopAndBottom",
    "WeightProfile",
    "__version__",
    "agreement",
    "apply_connectivity_update",
    "changed_fractions",
    "compare_profiles",
    "connectivity_diff",
    "connectivity_history",
    "connectivity_model",
    "cycle_lengths",
    "cycles",
    "describe_layer",
    "describe_variables",
    "draw_initial_weights",
    "fixed_points",
    "full_batch_gradient",
    "is_permutation",
    "load_connectivity",
    "log10_permutations",
    "make_dissimilar",
    "most_active",
    "permutation_between",
    "profile",
    "profile_distance",
    "profile_similarity",
    "prune_by_magnitude",
    "ranking",
    "ranking_distance",
    "reduce_precision",
    "remove_weights",
    "save_connectivity",
    "save_connectivity_update",
    "score_profiles",
    "set_objective",
    "share_value",
    "shuffle_weight_vectors",
    "sparsify",
    "strip",
    "trainable_layers",
    "trainable_values",
    "weight_profiles",
]

# What is of use without Keras, for weights in files, and the module of each; all else is in `needs_keras`.
_WITHOUT_KERAS = {
    "Profile": "instrument.profile",
    "ProfileComparison": "instrument.comparison",
    "compare_profiles": "instrument.comparison",
    "profile": "instrument.profile",
    "profile_distance": "weights.similarity",
    "profile_similarity": "weights.similarity",
}


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first used: Keras takes seconds, and a backend may be missing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _WITHOUT_KERAS:
        backend_of_keras()  # first, as it says what is missing
    module = importlib.import_module(f"{__name__}.{_WITHOUT_KERAS.get(name, 'needs_keras')}")
    return globals().setdefault(name, getattr(module, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


load_all_after_keras()
