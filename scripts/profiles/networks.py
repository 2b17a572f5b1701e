"""Networks by name or from a file: those that the command of the library knows, and those of the papers."""

import pathlib

import models
from models.published import PUBLISHED, load_published
from train_by_reconnect.command import networks


def network_names():
    """The networks that have a name.

    Returns:
        Sorted list of str: every model of `keras.applications`, then the functions of `models`.

    Example:

    >>> {"VGG16", "MobileNet", "NASNetLarge", "conv7"} <= set(network_names())
    True
    """
    return sorted(networks.applications()) + sorted(_papers())


def load_network(name_or_file, weights=None, **arguments):
    """Build or load a network, as `train_by_reconnect.command.networks.load_network` does, and besides these.

    | `name_or_file` | `weights` |
    |---|---|
    | a network of `models`, e.g. `"conv4"` | `"random"` (default), or a file |
    | a network that LaPerm's authors published, e.g. `"Conv7"`, `"resnet50_30"` | the folder with their files |

    Args:
        name_or_file: str or path.
        weights: str, path or None, as in the tables.
        **arguments: for the function that builds a named network, e.g. `alpha=0.25`, `include_top=False`.

    Returns:
        A built `keras.Model`.

    Raises:
        ValueError: as there.
        OSError: as there, or a published file is not in the folder.

    Example:

    >>> load_network("conv2", "random", input_shape=(8, 8, 1)).name
    'conv2'
    """
    published = networks.find_named({name: name for name in PUBLISHED}, name_or_file)
    if published and weights and pathlib.Path(weights).is_dir():
        networks.refuse_arguments(arguments, published)
        return load_published(published, weights)
    if published and not networks.find_named(_papers(), published):
        raise ValueError(
            f"{published} is a network of which the authors of LaPerm published the weights. Received: "
            f"weights={weights!r}. Pass the folder that holds {PUBLISHED[published].file}."
        )
    return networks.load_network(name_or_file, weights, builders=_papers(), **arguments)


def _papers():
    return {name: getattr(models, name) for name in models.__all__ if name not in ("initialize_from", "load_published")}
