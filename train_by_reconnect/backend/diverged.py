"""The error for a weight that is NaN or infinite, the same from every backend."""


def diverged_message(name: str) -> str:
    """The sentence for a variable with a NaN or an infinity, wherever it is found."""
    return (
        f"LaPerm expects finite weights at a synchronization, but {name} holds a NaN or an infinity: the training has "
        "diverged. Lower the learning rate of the inner optimizer or clip its gradients."
    )
