"""Score how similar the weight profiles of a model are, beside what chance alone would give.

The measures, `plain`, `standardized` and `distance`, are explained in `similarity.py`.

**What a high score shows, and what not.** Sorting alone makes vectors alike: 400 normal draws, once sorted, are nearly
the quantiles of the normal distribution every time, so vectors of nothing but noise score 0.99 (as the paper's first
reviewer said of its figures). A high score is therefore no sign of training, and says nothing of what the network has
learned: that is in the order within the vectors, which the score does not see. It says that the vectors differ little
in mean and scale (plain) or in shape (standardized). Short vectors score lower by chance alone, so scores of matrices
of different sizes cannot be compared. What can be is 1 - score, the unexplained part, with that of the nulls, which
have the same sizes:

- **initializer**: a draw from the layer's initializer. Only its shape matters, for no measure depends on the scale.
- **gaussian**: for each vector, normal draws with exactly its mean and standard deviation. A matrix that scores the
  same is no more and no less alike than sorted Gaussian noise.
- **shuffled**: the same weights permuted across all vectors (for `standardized`: the standardized weights), as if every
  vector were a sample of one distribution, whatever its shape. A matrix that scores the same is as similar as such
  samples are; one that scores less has vectors that differ from one another.

What is drawn depends on the number and the size of the vectors only, and is drawn once for all kernels of a shape: each
takes the rows of the noise in an order of its own, and all the same permutations. Each null is what it would be for the
kernel alone; the nulls of two kernels of one shape are not independent of one another.

`gaussian_profile` says whether the common shape is Gaussian: it is the part of the standardized variance that the
profile of sorted Gaussian noise explains in place of the matrix' own.

Vectors of different scales, made with `make_dissimilar`, have a low plain score (for long vectors with factors f it is
mean(f)^2 / mean(f^2), which is 0.64 here); their shapes are still one, and so is the standardized score:

>>> from train_by_reconnect import make_dissimilar
>>> model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(200)])
>>> [before] = score_profiles(model)
>>> _ = make_dissimilar(model, seed=2)
>>> [after] = score_profiles(model)
>>> f"plain {before.plain:.2f}, then {after.plain:.1f}; standardized {after.standardized:.2f}"
'plain 1.00, then 0.6; standardized 1.00'

Vectors of different shapes have a low standardized score, but its floor is high, because any two ascending vectors are
correlated: of two-valued vectors and exponential ones, half and half, it is (1 + ln 2) / 2 = 0.85.

>>> random = np.random.default_rng(0)
>>> vectors = np.concatenate([random.choice([-1.0, 1.0], (9, 99_999)), random.exponential(size=(9, 99_999))])
>>> round(profile_similarity(vectors).standardized, 2)
0.85
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from train_by_reconnect.backend.types import Axes, Identifier
from train_by_reconnect.weights.listing import Listing
from train_by_reconnect.weights.profile_nulls import NULLS, by_shape, check_draws, once, score_kernel
from train_by_reconnect.weights.profiles import WeightProfile, weight_profiles
from train_by_reconnect.weights.shared_draws import SharedDraws
from train_by_reconnect.weights.similarity import Similarity, profile_similarity  # noqa: F401 - for the example above


@dataclasses.dataclass(frozen=True)
class ProfileScore:
    """How similar the weight profiles of one kernel are, beside three nulls; see `score_profiles`.

    Args:
        name: str, the path of the variable.
        layer: str, the name of its layer.
        shape: tuple of ints, the shape of the kernel.
        units: int, the number of weight vectors.
        size: int, the number of weights of each.
        scored_units: int, how many of the weight vectors were scored.
        constant_units: int, how many of these hold one value only; the standardized scores leave them out.
        plain, standardized, distance: float, the measures of the weights.
        gaussian_profile: float, the part of the standardized variance that a Gaussian profile explains.
        initializer: str, the class of the initializer drawn from.
        plain_initializer, ..., distance_shuffled: float, the measures of the nulls, means over the draws.

    Example:

    >>> model = keras.Sequential([keras.Input((9,)), keras.layers.Dense(5)])
    >>> list(dataclasses.asdict(score_profiles(model)[0]))[7:11]
    ['plain', 'plain_initializer', 'plain_gaussian', 'plain_shuffled']

    Its `repr` shows each measure beside its nulls, in that order.
    """

    name: str
    layer: str
    shape: Axes
    units: int
    size: int
    scored_units: int
    constant_units: int
    plain: float
    plain_initializer: float
    plain_gaussian: float
    plain_shuffled: float
    standardized: float
    standardized_initializer: float
    standardized_gaussian: float
    standardized_shuffled: float
    gaussian_profile: float
    distance: float
    distance_initializer: float
    distance_gaussian: float
    distance_shuffled: float
    initializer: str

    def __repr__(self) -> str:
        def shown(measure: str) -> str:
            nulls = ", ".join(f"{null} {getattr(self, f'{measure}_{null}'):.3f}" for null in NULLS)
            return f"{measure}={getattr(self, measure):.3f} ({nulls})"

        measures = ", ".join(map(shown, Similarity._fields))
        return f"ProfileScore(name={self.name!r}, shape={self.shape}, {measures})"


def score_profiles(
    model: keras.Layer | Sequence[WeightProfile],
    layers: str | Sequence[str] | None = None,
    *,
    initializer: Identifier = None,
    max_units: int | None = 256,
    n_draws: int = 3,
    seed: int = 0,
) -> list[ProfileScore]:
    """Score how similar the weight profiles of every kernel are, beside three nulls.

    The measures and the nulls are those of this module's docstring. A matrix of more than `max_units` weight vectors
    is scored on that many of them, chosen at random, and so are its nulls: a VGG16 takes seconds.

    Args:
        model: a built `keras.Model`, or what `weight_profiles` gave of it. What is drawn for a kernel depends on its
            place, so the scores of only some of the profiles differ a little from those of `layers`.
        layers: str or list of str, as in `weight_profiles`; of a model only. Defaults to `None`: every layer.
        initializer: whatever `keras.initializers.get` takes, drawn from as the first null of every kernel. Defaults to
            `None`: each layer's own, or Glorot uniform where it names none. Loaded weights may have started from
            another than their layer names.
        max_units: int of at least 2, or None for all. Defaults to 256.
        n_draws: int of at least 1, how often each null is drawn. Defaults to 3.
        seed: int. Defaults to 0.

    Returns:
        List of `ProfileScore`, one for each kernel; `dataclasses.asdict` makes a row of each. A measure that has no
        answer, as for a kernel of one output, is nan; `profile_similarity` says when.

    Raises:
        ValueError: what `weight_profiles` raises, a number out of its range, or `layers` beside profiles.

    Example:

    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(50)])
    >>> [score] = score_profiles(model, initializer="he_normal")
    >>> score.shape, score.scored_units, score.initializer
    ((100, 50), 50, 'HeNormal')
    >>> score.plain > 0.95, score.plain_shuffled > 0.95  # freshly drawn weights, and yet "similar"
    (True, True)

    Reference:
        Unlike the paper, which shows pictures only (Qiu and Suda 2020, section 2), this gives numbers; the nulls answer
        the first review of it, which asked whether sorted Gaussian noise looks the same.
    """
    check_draws(max_units, n_draws)
    initializer = None if initializer is None else keras.initializers.get(initializer)
    profiles, wanted = _profiles(model, layers)
    chosen = {id(profile.variable) for profile in wanted}
    kernels = [(profile.shape, profile.unit_axes) for profile in profiles]
    with SharedDraws(n_draws, seed, once=once(kernels, max_units)) as draws:
        # A kernel's draws depend on its place in the model, and not on which others are scored.
        scored = {
            place: _score(profiles[place], initializer, max_units, draws, place)
            for place in by_shape(kernels)
            if id(profiles[place].variable) in chosen
        }
    return Listing(scored[place] for place in sorted(scored))


def _profiles(model: Any, layers: str | Sequence[str] | None) -> tuple[list[WeightProfile], list[WeightProfile]]:
    """All profiles, and those that are wanted."""
    if not (isinstance(model, Sequence) and all(isinstance(each, WeightProfile) for each in model)):
        profiles = weight_profiles(model)
        return profiles, profiles if layers is None else weight_profiles(model, layers)
    if layers is not None:
        raise ValueError(
            "`layers` must be None where profiles are given instead of a model. Received: "
            f"layers={layers!r} and {len(model)} profiles. Pass `weight_profiles(model, layers)`."
        )
    return list(model), list(model)


def _score(
    profile: WeightProfile, initializer: Identifier, max_units: int | None, draws: SharedDraws, place: int
) -> ProfileScore:
    scored = score_kernel(
        profile.value(),
        profile.unit_axes,
        initializer or profile.initializer,
        max_units=max_units,
        draws=draws,
        place=place,
    )
    means = {
        f"{measure}_{null}": float(np.mean([getattr(draw, measure) for draw in scored.nulls[null]]))
        for measure in Similarity._fields
        for null in NULLS
    }
    return ProfileScore(
        name=profile.name,
        layer=profile.layer,
        shape=profile.shape,
        units=scored.units,
        size=scored.size,
        scored_units=scored.scored_units,
        constant_units=scored.constant_units,
        gaussian_profile=scored.gaussian_profile,
        initializer=scored.initializer,
        **scored.measures._asdict(),
        **means,
    )
