"""Train neural networks by reconnecting them: where the weights are, instead of what they are."""

import train_by_reconnect.backend  # noqa: F401 - first, as it says what is missing
from train_by_reconnect.callbacks.activity import ActivityMap
from train_by_reconnect.callbacks.agreement import agreement
from train_by_reconnect.callbacks.connectivity_files import ConnectivityFiles
from train_by_reconnect.callbacks.connectivity_monitor import ConnectivityMonitor
from train_by_reconnect.callbacks.keep_zeros import KeepZeros
from train_by_reconnect.callbacks.layerwise import LayerwiseTraining
from train_by_reconnect.callbacks.layerwise_schemes import MiddleOnly, RandomBeta, RandomUniform, TopAndBottom
from train_by_reconnect.callbacks.profile_monitor import ProfileMonitor
from train_by_reconnect.callbacks.ranking_monitor import RankingMonitor
from train_by_reconnect.callbacks.snapshots import KernelSnapshots
from train_by_reconnect.callbacks.sync_evaluation import SyncEvaluation
from train_by_reconnect.callbacks.sync_every_epoch import SyncEveryEpoch
from train_by_reconnect.callbacks.synchronization import SyncPeriodScheduler
from train_by_reconnect.connectivity_files.difference import ConnectivityDifference, connectivity_diff
from train_by_reconnect.connectivity_files.history import connectivity_history
from train_by_reconnect.connectivity_files.loading import load_connectivity
from train_by_reconnect.connectivity_files.rules import InitialRule, draw_initial_weights
from train_by_reconnect.connectivity_files.saving import save_connectivity
from train_by_reconnect.connectivity_files.updates import apply_connectivity_update, save_connectivity_update
from train_by_reconnect.conversion.connectivity_model import connectivity_model
from train_by_reconnect.conversion.strip import strip
from train_by_reconnect.conversion.weight_removal import remove_weights
from train_by_reconnect.instrument.comparison import ProfileComparison, compare_profiles
from train_by_reconnect.instrument.profile import Profile, profile
from train_by_reconnect.layers.bernoulli_mask import BernoulliMask
from train_by_reconnect.layers.edge_popup import EdgePopup
from train_by_reconnect.layers.initializers import PositiveUniform, SignedConstant
from train_by_reconnect.layers.masked_and_signed import Masked, Signed, SignedMask
from train_by_reconnect.layers.objective import (
    MinimalChange,
    changed_fractions,
    set_objective,
)
from train_by_reconnect.optimizers.guarantee import PermutationCheck, is_permutation
from train_by_reconnect.optimizers.laperm import LaPerm
from train_by_reconnect.optimizers.lookahead import Lookahead
from train_by_reconnect.version import __version__
from train_by_reconnect.weights.gradients import full_batch_gradient, most_active
from train_by_reconnect.weights.initial_weights import (
    make_dissimilar,
    share_value,
    shuffle_weight_vectors,
    sparsify,
)
from train_by_reconnect.weights.kernels import KernelReport
from train_by_reconnect.weights.layouts import Layout, describe_layer
from train_by_reconnect.weights.low_precision import reduce_precision
from train_by_reconnect.weights.magnitude_pruning import prune_by_magnitude
from train_by_reconnect.weights.movement import Movement, trainable_values
from train_by_reconnect.weights.permutations import (
    cycle_lengths,
    cycles,
    fixed_points,
    log10_permutations,
    permutation_between,
)
from train_by_reconnect.weights.profile_scores import ProfileScore, score_profiles
from train_by_reconnect.weights.profiles import WeightProfile, weight_profiles
from train_by_reconnect.weights.ranking_distance import ranking, ranking_distance
from train_by_reconnect.weights.similarity import profile_distance, profile_similarity
from train_by_reconnect.weights.trainable_layers import trainable_layers
from train_by_reconnect.weights.variables import describe_variables

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
