"""The variants of layer-wise sparse training that the figures of section 6 compare, by their labels."""

FULL = {"label": "full"}
MIDDLE_ONLY = {"label": "middle only", "scheme": "MiddleOnly"}
RANDOM_UNIFORM = {"label": "random-uniform", "scheme": "RandomUniform"}
RANDOM_BETA = {"label": "random-beta", "scheme": "RandomBeta"}
PRE_TRAINED = ", pre-trained"


def top_and_bottom(top=0, bottom=0, rho=1.0):
    """A variant that trains layers at the top, at the bottom, or both.

    Args:
        top: int. Defaults to 0.
        bottom: int or `"all"`. Defaults to 0.
        rho: float, the probability of training the bottom ones. Defaults to 1.

    Returns:
        Dict of arguments for `LayerwiseSparseTraining`.

    Example:

    >>> top_and_bottom(top=1, bottom="all", rho=0.1)["label"]
    'top 1 + all bottoms, rho = 0.1'
    """
    below = "all bottoms" if bottom == "all" else f"bottom {bottom}"
    label = " + ".join([f"top {top}"] * bool(top) + [below] * bool(bottom))
    return {
        "label": label if rho == 1 else f"{label}, rho = {rho:g}",
        "scheme": "TopAndBottom",
        "scheme_arguments": {"top": top, "bottom": bottom, "probability": rho},
    }


def pre_trained(variant, source):
    """A variant from weights that were trained before.

    Args:
        variant: dict.
        source: str, as `starts_from` of `LayerwiseSparseTraining`.

    Returns:
        Dict.
    """
    return {**variant, "label": variant["label"] + PRE_TRAINED, "starts_from": source}


def family_of(label):
    """What a variant is called without its numbers for q and rho, and without its start.

    Args:
        label: str, of a variant.

    Returns:
        Str.

    Example:

    >>> family_of("top 1 + all bottoms, rho = 0.1, pre-trained"), family_of("top 4 + bottom 4"), family_of("top 2")
    ('top 1 + all bottoms', 'top k + bottom q', 'top k')
    """
    name = label.split(",")[0]
    if "all bottoms" in name or not name.startswith(("top", "bottom")):
        return name
    return " + ".join("top k" if part.startswith("top") else "bottom q" for part in name.split(" + "))


def rho_of(label):
    """The probability in a label, or 1.

    Args:
        label: str.

    Returns:
        Float.

    Example:

    >>> rho_of("top 1 + all bottoms, rho = 0.1, pre-trained"), rho_of("top 4")
    (0.1, 1.0)
    """
    said = [part for part in label.split(", ") if part.startswith("rho = ")]
    return float(said[0][6:]) if said else 1.0
