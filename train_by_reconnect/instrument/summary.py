"""What a profile says in plain words: what was measured, what was not, and what the scores show and do not."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence

from train_by_reconnect.instrument.kernel_profiles import LESS, LEVEL, MORE, NO_ANSWER, KernelProfile
from train_by_reconnect.instrument.measured import Measured, Skipped

SHOWS = (
    "What a score shows: how little the weight vectors of one kernel differ once each is sorted, in mean and scale too "
    "(plain) or in shape only (standardized); the distance is large where they differ.",
    "What it does not show: whether the network was trained, or how well. Sorting alone makes vectors alike, so fresh "
    "noise scores 0.9 and more; what a network has learned is in the order within the vectors, which no score sees. "
    "Compare a score with its own nulls, never with that of another kernel: short vectors score lower by chance.",
)
_MEASURES = ("plain", "standardized")


def summarize(profile: Measured) -> str:
    """The summary as lines of text."""
    return "\n".join([covered(profile), *left_out(profile.skipped), *assumed(profile), *judged(profile), *SHOWS])


def covered(profile: Measured) -> str:
    """What was measured, and how."""
    weights = sum(kernel.scores.units * kernel.scores.size for kernel in profile.kernels)
    tensors = len(profile.kernels) + len(profile.skipped)
    sample = sum(kernel.scores.scored_units < kernel.scores.units for kernel in profile.kernels)
    some = f" Of {sample} only some weight vectors were scored, chosen at random." if sample else ""
    nulls = f"Each null was drawn {profile.n_draws} times, from seed {profile.seed}." if profile.n_draws else ""
    return (
        f"{profile.title} ({profile.kind}): {len(profile.kernels)} of {tensors} tensors are kernels that were "
        f"profiled, with {weights:,} weights.{some} {nulls}"
    ).rstrip()


def left_out(skipped: Sequence[Skipped], what: str = "profiled") -> list[str]:
    """A line for each reason, with the first tensors that it is true of."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for each in skipped:
        by_reason[each.reason].append(each.name)
    return [f"Not {what}: {_some(names)}. {reason}" for reason, names in by_reason.items()]


def assumed(profile: Measured) -> list[str]:
    """A line for each thing that was taken for granted."""
    counted = Counter(kernel.assumed for kernel in profile.kernels if kernel.assumed)
    return [f"Taken for granted of {count} kernels: {said}" for said, count in counted.items()]


def judged(profile: Measured) -> list[str]:
    """Whether the similarity survives the Gaussian null, and between what."""
    if not profile.n_draws:
        return ["The scores stand alone: draw nulls (19 times by default) to hold them against."]
    lines = [_compared(profile.kernels, measure, profile.n_draws) for measure in _MEASURES]
    if 1 / (profile.n_draws + 1) > LEVEL:
        lines.append(
            f"With {profile.n_draws} draws no p-value can be as small as {LEVEL}, so nothing is told apart: draw at "
            f"least {round(1 / LEVEL) - 1}."
        )
    return lines


def _compared(kernels: Sequence[KernelProfile], measure: str, n_draws: int) -> str:
    answers = {kernel.name: kernel.against_gaussian(measure) for kernel in kernels}
    told = [kernel for kernel in kernels if answers[kernel.name] != NO_ANSWER]
    none = len(kernels) - len(told)
    without = f" {none} kernels have no answer: too few weight vectors, or too short ones." if none else ""
    if not told:
        return f"Does the {measure} similarity survive the Gaussian null? Nothing to compare.{without}"
    own = statistics.median(getattr(kernel.scores.measures, measure) for kernel in told)
    noise = statistics.median(kernel.null(measure, "gaussian").mean for kernel in told)
    counted = Counter(answers.values())
    more, less = counted[MORE], counted[LESS]
    if more > len(told) / 2:
        verdict = "it exceeds it, as that of fresh uniform weights does too: look at the initializer's null"
    elif less > len(told) / 2:
        verdict = "no, the vectors are less alike than such noise"
    elif more + less < len(told) / 2:
        verdict = "it is not told apart from that of such noise"
    else:
        verdict = "in some kernels it exceeds it, in some it falls below; see each"
    # The p-values are multiples of 1 / (draws + 1).
    chance = int(LEVEL * (n_draws + 1) + 1e-9) / (n_draws + 1) * len(told)
    return (
        f"Does the {measure} similarity survive the Gaussian null? {verdict[0].upper()}{verdict[1:]}. In the median "
        f"kernel it is {own:.3f}, and {noise:.3f} of sorted Gaussian noise with the mean and deviation of each vector. "
        f"More alike than the noise: {more} of {len(told)} kernels, less alike: {less}, not told apart: "
        f"{len(told) - more - less}; by chance about {chance:.2g} either way (one-sided p of at most "
        f"{LEVEL} each).{without}"
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{len(names)} tensors, as {shown}" if len(names) > 3 else shown
