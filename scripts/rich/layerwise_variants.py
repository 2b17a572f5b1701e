"""The variants of layer-wise sparse training that the figures of section 6 compare, and what tells them apart."""

from scripts.rich.layerwise import Layerwise

# What a variant changes of a training, as `scripts.running.training.changed` takes it.
FULL = {"label": "full", "observers": (Layerwise(),)}
MIDDLE_ONLY = {"label": "middle only", "observers": (Layerwise("MiddleOnly"),)}
RANDOM_UNIFORM = {"label": "random-uniform", "observers": (Layerwise("RandomUniform"),)}
RANDOM_BETA = {"label": "random-beta", "observers": (Layerwise("RandomBeta"),)}
PRE_TRAINED = ", pre-trained"

_FAMILIES = {
    None: "full",
    "MiddleOnly": "middle only",
    "RandomUniform": "random-uniform",
    "RandomBeta": "random-beta",
}


def top_and_bottom(top=0, bottom=0, rho=1.0):
    """A variant that trains layers at the top, at the bottom, or both.

    Args:
        top: int. Defaults to 0.
        bottom: int or `"all"`. Defaults to 0.
        rho: float, the probability of training the bottom ones. Defaults to 1.

    Returns:
        Dict of changes.

    Example:

    >>> top_and_bottom(top=1, bottom="all", rho=0.1)["label"]
    'top 1 + all bottoms, rho = 0.1'
    """
    below = "all bottoms" if bottom == "all" else f"bottom {bottom}"
    label = " + ".join([f"top {top}"] * bool(top) + [below] * bool(bottom))
    return {
        "label": label if rho == 1 else f"{label}, rho = {rho:g}",
        "observers": (Layerwise("TopAndBottom", {"top": top, "bottom": bottom, "probability": rho}),),
    }


def named(variant, addition):
    """The same variant with something after its label."""
    return {**variant, "label": variant["label"] + addition}


def pre_trained(variant, weights):
    """A variant from weights that were trained before: a part of `scripts.rich.earlier_weights`."""
    return {**named(variant, PRE_TRAINED), "initial_weights": (weights,)}


def is_pre_trained(training):
    """Whether a training starts from weights that were trained before."""
    return bool(training.initial_weights)


def family_of(training):
    """What a variant is called without its numbers for q and rho, and without its start.

    >>> from scripts.rich.settings import adam, balanced, section_3
    >>> from scripts.running.training import changed
    >>> full = section_3("full", balanced("mnist"), ("vgg5", {}), adam(), 100, (Layerwise(),))
    >>> [family_of(changed(full, top_and_bottom(*numbers))) for numbers in ((1, "all", 0.1), (4, 4), (2,))]
    ['top 1 + all bottoms', 'top k + bottom q', 'top k']
    """
    layerwise = training.part(Layerwise)
    if layerwise.scheme in _FAMILIES:
        return _FAMILIES[layerwise.scheme]
    top, bottom = layerwise.arguments["top"], layerwise.arguments["bottom"]
    if bottom == "all":
        return f"top {top} + all bottoms"
    return " + ".join(["top k"] * bool(top) + ["bottom q"] * bool(bottom))


def rho_of(training):
    """The probability of training the bottom layers, 1 where all draws are alike."""
    return training.part(Layerwise).arguments.get("probability", 1.0)


def numbers_of(training):
    """What tells a variant from its family: rho, or k and q.

    Returns:
        Str.
    """
    if rho_of(training) != 1:
        return f"{rho_of(training):g}"
    arguments = training.part(Layerwise).arguments
    return "+".join(str(arguments[end]) for end in ("top", "bottom") if arguments.get(end) not in (None, 0, "all"))
