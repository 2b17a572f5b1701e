"""The claims of a paper beside our numbers, as text: what it says, what ours are, and the verdict that follows."""

import collections.abc
import dataclasses

from scripts.publishing.tables import points
from scripts.publishing.verdicts import overall, verdict

_RULE = (
    "The verdicts are computed from the seeds. A claim holds where ours has its sign (by more than the standard error "
    "of the mean, or in every seed) and its size: within 50 % of the paper's number, of an accuracy within one point, "
    'or with that number in the range of the seeds. "As good" and "no worse" are within one point, unless it says '
    "otherwise. What has the sign alone holds in direction only. With less than two seeds, or where they do not agree, "
    "one cannot tell. Of a claim about several numbers all must hold."
)


@dataclasses.dataclass(frozen=True)
class Ours:
    """One measured number that a claim is about.

    Args:
        values: tuple of float, one a seed.
        text: str, how it is printed.
        stated: `scripts.publishing.verdicts.Stated`, or None for what the claim states of all of its numbers.
    """

    values: tuple
    text: str
    stated: object = None


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence of a paper that our runs can be held against.

    Args:
        sentence: str, what the paper claims.
        measure: function of a list of `Curve` that gives a dict from a name to `Ours`, empty where the runs for it are
            not there.
        stated: `Stated`, of all of them. Defaults to None: each has its own.
        most: bool, whether the claim is about most of them only. Defaults to `False`.
        in_paper: bool, whether a paper makes it; else it is asked here. Defaults to `True`.
    """

    sentence: str
    measure: collections.abc.Callable
    stated: object = None
    most: bool = False
    in_paper: bool = True

    @property
    def opening(self):
        """The sentence with whose it is."""
        return f"The paper claims: {self.sentence}" if self.in_paper else f"Asked here: {self.sentence}"

    def verdict(self, curves):
        """The verdict alone, or None where the runs for it are not there."""
        found = self.measure(curves)
        return overall(self._verdicts(found), self.most) if found else None

    def _verdicts(self, found):
        return [verdict(ours.values, ours.stated or self.stated) for ours in found.values()]

    def text(self, curves):
        """The sentence, our numbers and the verdict."""
        found = self.measure(curves)
        verdicts = self._verdicts(found)
        is_mixed = len(set(verdicts)) > 1
        said = [
            (f"{name}: " if name else "") + ours.text + (f" ({one})" if is_mixed else "")
            for (name, ours), one in zip(found.items(), verdicts, strict=True)
        ]
        many = f" ({verdicts.count('holds')} of {len(verdicts)} hold)" if is_mixed else ""
        said = "; ".join(said) or "not run"
        return f"{self.opening} Ours: {said}. Verdict: {overall(verdicts, self.most)}{many}."


@dataclasses.dataclass(frozen=True)
class Remark:
    """What the paper says nothing of that ours could be held against, with our numbers.

    Args:
        sentence: str.
        measure: function of a list of `Curve` that gives text, or None or `""` where the runs are not there.
    """

    sentence: str
    measure: collections.abc.Callable

    def text(self, curves):
        """The sentence and our numbers, or None."""
        said = self.measure(curves)
        return f"{self.sentence} Ours: {said}." if said else None


def in_points(frame):
    """Differences of accuracies as numbers of a claim.

    Args:
        frame: data frame of floats, a row for each name and a column for each seed.

    Returns:
        Dict from a name to `Ours`, without those that no seed has.

    Example:

    >>> import pandas as pd
    >>> frame = pd.DataFrame({0: [0.01, None], 1: [0.02, None]}, index=["k = 20", "k = 10"])
    >>> in_points(frame)
    {'k = 20': Ours(values=(0.01, 0.02), text='+1.50 points', stated=None)}
    """
    return {
        name: Ours(tuple(values), f"{points(values.mean())} points")
        for name, values in ((name, row.dropna()) for name, row in frame.iterrows())
        if len(values)
    }


def claims_beside_ours(claims, curves):
    """All claims of an experiment with their verdicts, as Markdown; what is not there is not said.

    Args:
        claims: tuple of `Claim` and `Remark`.
        curves: list of `scripts.publishing.curves.Curve`.

    Returns:
        Str.
    """
    said = [text for text in (claim.text(curves) for claim in claims) if text]
    rule = [_RULE] if any(isinstance(claim, Claim) for claim in claims) else []
    is_paper = any(claim.in_paper for claim in claims if isinstance(claim, Claim))
    whose = "The paper's claims and ours" if is_paper or not rule else "What is asked here, and our answers"
    head = f"{whose}, of mean test accuracies unless they say otherwise:"
    return "\n\n".join([head, "\n".join(f"- {text}" for text in said), *rule]) if said else ""
