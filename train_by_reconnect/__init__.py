"""Train neural networks by reconnecting them: where the weights are, instead of what they are."""

from train_by_reconnect.activity import ActivityMap, full_batch_gradient, most_active
from train_by_reconnect.agreement import agreement
from train_by_reconnect.bernoulli_mask import BernoulliMask
from train_by_reconnect.callbacks import SyncEvaluation, SyncPeriodScheduler
from train_by_reconnect.connectivity import Masked, Signed
from train_by_reconnect.connectivity_model import connectivity_model
from train_by_reconnect.connectivity_objective import (
    ConnectivityMonitor,
    MinimalChange,
    changed_fractions,
    set_objective,
)
from train_by_reconnect.edge_popup import EdgePopup
from train_by_reconnect.initial_weights import (
    KernelReport,
    make_dissimilar,
    share_value,
    shuffle_weight_vectors,
    sparsify,
)
from train_by_reconnect.initializers import PositiveUniform, SignedConstant
from train_by_reconnect.laperm import LaPerm
from train_by_reconnect.layerwise import LayerwiseTraining, trainable_layers
from train_by_reconnect.layerwise_schemes import MiddleOnly, RandomBeta, RandomUniform, TopAndBottom
from train_by_reconnect.lookahead import Lookahead
from train_by_reconnect.low_precision import reduce_precision
from train_by_reconnect.magnitude_pruning import KeepZeros, prune_by_magnitude
from train_by_reconnect.movement import Movement, trainable_values
from train_by_reconnect.permutations import (
    cycle_lengths,
    cycles,
    fixed_points,
    log10_permutations,
    permutation_between,
)
from train_by_reconnect.profile_scores import ProfileScore, score_profiles
from train_by_reconnect.profiles import WeightProfile, weight_profiles
from train_by_reconnect.ranking_distance import ranking, ranking_distance
from train_by_reconnect.ranking_monitor import RankingMonitor
from train_by_reconnect.similarity import profile_distance, profile_similarity
from train_by_reconnect.snapshots import KernelSnapshots
from train_by_reconnect.strip import strip
from train_by_reconnect.version import __version__
from train_by_reconnect.weight_removal import remove_weights
from train_by_reconnect.weight_vectors import Layout, describe_layer, describe_variables

__all__ = [
    "ActivityMap",
    "BernoulliMask",
    "ConnectivityMonitor",
    "EdgePopup",
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
    "PositiveUniform",
    "ProfileScore",
    "RandomBeta",
    "RandomUniform",
    "RankingMonitor",
    "Signed",
    "SignedConstant",
    "SyncEvaluation",
    "SyncPeriodScheduler",
    "TopAndBottom",
    "WeightProfile",
    "__version__",
    "agreement",
    "changed_fractions",
    "connectivity_model",
    "cycle_lengths",
    "cycles",
    "describe_layer",
    "describe_variables",
    "fixed_points",
    "full_batch_gradient",
    "log10_permutations",
    "make_dissimilar",
    "most_active",
    "permutation_between",
    "profile_distance",
    "profile_similarity",
    "prune_by_magnitude",
    "ranking",
    "ranking_distance",
    "reduce_precision",
    "remove_weights",
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
