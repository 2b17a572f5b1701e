"""Which kernel of one model or file is which of another."""

from train_by_reconnect.backend.types import Axes
from train_by_reconnect.instrument.measured import Skipped
from train_by_reconnect.instrument.tensors import Source, StoredTensor


def matched(one: Source, other: Source) -> tuple[list[tuple[StoredTensor, StoredTensor]], list[Skipped], bool]:
    """The kernels of both, what else there is and why, and whether they were matched by their place."""
    names = {tensor.name: tensor for tensor in other.profiled}
    pairs: list[tuple[StoredTensor, StoredTensor]] = []
    no_kernels = [Skipped(each.name, each.shape, each.skipped) for each in one.tensors if each.skipped]
    skipped = []
    if not any(tensor.name in names for tensor in one.profiled):
        shapes = [[tensor.shape for tensor in source.profiled] for source in (one, other)]
        if shapes[0] == shapes[1]:
            return list(zip(one.profiled, other.profiled, strict=True)), no_kernels, True
    for tensor in one.profiled:
        its = names.pop(tensor.name, None)
        if its is None:
            skipped.append(Skipped(tensor.name, tensor.shape, f"{other.title} has no kernel of this name."))
        elif its.shape != tensor.shape or axes_of(its) != axes_of(tensor):
            skipped.append(Skipped(tensor.name, tensor.shape, _differs(tensor, its)))
        else:
            pairs.append((tensor, its))
    skipped += [Skipped(each.name, each.shape, f"{one.title} has no kernel of this name.") for each in names.values()]
    return pairs, [*skipped, *no_kernels], False


def axes_of(tensor: StoredTensor) -> Axes:
    """The axes that number its neurons, counted from the first."""
    return tuple(axis % len(tensor.shape) for axis in tensor.unit_axes or ())


def _differs(a: StoredTensor, b: StoredTensor) -> str:
    if a.shape != b.shape:
        return f"Its shape is {a.shape} in one and {b.shape} in the other."
    return f"The axes that number its neurons are {axes_of(a)} in one and {axes_of(b)} in the other."
