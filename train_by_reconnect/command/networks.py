"""Networks by name or from a file: those of `keras.applications`, and anybody's own."""

import difflib
import inspect
import pathlib
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras

Builders = Mapping[str, Callable[..., keras.Model]]


def applications() -> dict[str, Callable[..., keras.Model]]:
    """The models of `keras.applications`.

    Returns:
        Dict from a name to the function that builds it.

    Example:

    >>> {"VGG16", "MobileNet", "NASNetLarge"} <= set(applications())
    True
    """
    found = inspect.getmembers(keras.applications, inspect.isfunction)
    return {name: function for name, function in found if "weights" in inspect.signature(function).parameters}


def load_network(
    name_or_file: Any, weights: Any = None, *, builders: Builders | None = None, **arguments: Any
) -> keras.Model:
    """Build or load a network.

    | `name_or_file` | `weights` |
    |---|---|
    | a model of `keras.applications`, e.g. `"MobileNet"` | `"imagenet"` (default), `"random"`, or a file |
    | a name of `builders` | `"random"` (default), or a file |
    | a `.keras` file, or an `.h5` file with a whole model | none |

    Upper and lower case, `-` and `_` make no difference in a name. A file of weights is one that `Model.load_weights`
    reads: `.keras`, `.weights.h5`, or the `.h5` of `keras.applications` and Keras 2.

    Args:
        name_or_file: str or path.
        weights: str, path or None, as in the table.
        builders: dict from a name to a function that builds a network, beside `applications()`. Defaults to none.
        **arguments: for the function that builds a named network, e.g. `alpha=0.25`, `include_top=False`.

    Returns:
        A built `keras.Model`.

    Raises:
        ValueError: no such network, a file that is no model, weights that do not fit, or an argument that the
            network does not take.
        OSError: the ImageNet weights cannot be downloaded.

    Example:

    >>> load_network("mobilenet", "random", alpha=0.25).count_params()
    475544
    """
    named = {**(builders or {}), **applications()}
    builder = find_named(named, name_or_file)
    if builder:
        return _build(builder, weights, arguments)
    if weights is not None:
        refuse_arguments({"weights": str(weights)}, name_or_file)
    refuse_arguments(arguments, name_or_file)
    return _load_file(pathlib.Path(name_or_file), sorted(named))


def _plain(name: Any) -> str:
    return str(name).lower().replace("-", "").replace("_", "")


def is_named(name: Any) -> bool:
    """Whether this is the name of a model of `keras.applications`."""
    return find_named(applications(), name) is not None


def find_named(named: Mapping[str, Any], name: Any) -> Any:
    """The value whose name it is, whatever its case, or None."""
    return {_plain(key): value for key, value in named.items()}.get(_plain(name))


def refuse_arguments(arguments: Mapping[str, Any], name: Any) -> None:
    """Refuse what says something of a network that a file says already."""
    if arguments:
        shown = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise ValueError(
            f"{name} already says all about the network, so nothing else can be set. Received: {shown}. Leave it out, "
            "or give the name of a network in place of a file."
        )


def _build(builder: Callable[..., keras.Model], weights: Any, arguments: dict[str, Any]) -> keras.Model:
    name, parameters = builder.__name__, inspect.signature(builder).parameters
    surplus = [argument for argument in arguments if argument not in parameters]
    if surplus:
        raise ValueError(f"{name} takes {', '.join(parameters)}. Received: {', '.join(surplus)}. Leave that out.")
    is_application = "weights" in parameters
    if weights is None:
        weights = "imagenet" if is_application else "random"
    if weights == "imagenet":
        return _imagenet(builder, arguments)
    if weights != "random" and not pathlib.Path(weights).exists():
        raise ValueError(
            f"The weights of {name} must be {'imagenet, ' if is_application else ''}random, or an existing file. "
            f"Received: weights={str(weights)!r}."
        )
    if is_application:
        arguments = {**arguments, "weights": None}
    try:
        model = builder(**arguments)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} cannot be built so. Received: {arguments}. Keras says: {_line(error)}") from error
    if weights != "random":
        _load_weights(model, name, weights, arguments)
    return model


def _imagenet(builder: Callable[..., keras.Model], arguments: Mapping[str, Any]) -> keras.Model:
    try:
        return builder(weights="imagenet", **arguments)
    except ValueError as error:
        raise ValueError(
            f"There are no ImageNet weights for such a {builder.__name__}. Received: {arguments}. Keras says: "
            f"{_line(error)}"
        ) from error
    except Exception as error:  # what Keras raises where a download fails is a bare Exception
        raise OSError(
            f"The ImageNet weights of {builder.__name__} must be in Keras' cache or downloadable. Received: "
            f"{_line(error)} Pass the file with --weights FILE, or --weights random."
        ) from error


def _load_weights(model: keras.Model, name: str, path: Any, arguments: Mapping[str, Any]) -> None:
    said = {key: value for key, value in arguments.items() if key != "weights"}
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.load_weights(path)
    except Exception as error:  # the formats raise whatever their readers do
        raise ValueError(
            f"{path} must hold the weights of {name} with the arguments {said or 'it has by default'}, "
            f"{len(model.weights)} arrays with {model.count_params():,} weights. Received: {_line(error)} Pass the "
            "arguments that its network was built with (alpha, include_top, input_shape, classes), or another file."
        ) from error
    skipped = [str(warning.message) for warning in caught if "Skipping" in str(warning.message)]
    if skipped:
        raise ValueError(f"{path} must hold all weights of {name}. Received: {_line(skipped[0])} Pass a whole file.")


def _load_file(path: pathlib.Path, known: list[str]) -> keras.Model:
    if not path.exists() and path.suffix:
        raise ValueError(f"There is no file of that name. Received: {str(path)!r}. Pass one that exists.")
    if not path.exists():
        near = difflib.get_close_matches(_plain(path), [_plain(name) for name in known], 3, 0.6)
        names = [name for name in known if _plain(name) in near] or known
        raise ValueError(
            f"There is no network and no file of that name. Received: {str(path)!r}. Pass a .keras or .h5 file, or one "
            f"of: {', '.join(names)}."
        )
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        raise ValueError(
            f"{path} must be a model: a .keras file, or an .h5 file that holds a whole model. "
            f"Received: {_kind(path)}; {_line(error)} If it holds weights only, give the name of their network, and "
            f"them by --weights {path.name}."
        ) from error


def _kind(path: pathlib.Path) -> str:
    if path.is_dir():
        return f"a folder of {len(list(path.iterdir()))} files"
    return f"a file of {path.stat().st_size:,} bytes"


def _line(error: object) -> str:
    """A message of Keras on one line, without its lists of all objects and its advice; it ends with a full stop."""
    text = re.split("List of objects|Note that the legacy", str(error))[0]
    return " ".join(text.split()).rstrip(".") + "."
