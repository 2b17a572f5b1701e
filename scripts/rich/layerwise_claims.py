"""The claims about layer-wise sparse training: what each variant reaches against full training, and what it costs."""

from scripts.publishing.claims import Claim, Ours, in_points
from scripts.publishing.curves import by_training, ends


def accuracy_claim(sentence, full, stated):
    """A claim on the test accuracy of some variants minus that of full training.

    Args:
        sentence: str.
        full: list of `Training`, of each size the one with which the others are compared.
        stated: dict from a label to what the paper states of it, a `Stated`.

    Returns:
        `Claim`, whose numbers are of the variants that were run.
    """

    def measure(curves):
        groups, found = by_training(curves), {}
        compared = next((_by_seed(same, "test_accuracy") for same in groups.values() if same[0].training in full), None)
        for label in stated if compared is not None else ():
            if label in groups:
                difference = _by_seed(groups[label], "test_accuracy") - compared
                found |= _with(stated[label], in_points(difference.to_frame(label).T))
        return found

    return Claim(sentence, measure)


def cost_claim(sentence, stated):
    """A claim on the time of the backward passes of some variants, that of full training being 1.

    Args:
        sentence: str.
        stated: dict, as in `accuracy_claim`.

    Returns:
        `Claim`.
    """

    def measure(curves):
        groups = by_training(curves)
        ratios = {label: _by_seed(groups[label], "backward_ratio") for label in stated if label in groups}
        return {label: Ours(tuple(each), f"{each.mean():.2f}", stated[label]) for label, each in ratios.items()}

    return Claim(sentence, measure)


def _by_seed(same, measure):
    return ends(same).set_index("seed")[measure]


def _with(stated, found):
    return {name: Ours(ours.values, ours.text, stated) for name, ours in found.items()}
