"""`train-by-reconnect profiles NAME|FILE` and `train-by-reconnect inspect FILE`."""

import argparse
import ast
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from train_by_reconnect.backend.chosen import backend_of_keras
from train_by_reconnect.command.profiles import Answer, profiles_of
from train_by_reconnect.instrument.sources import is_whole_model
from train_by_reconnect.version import __version__
from train_by_reconnect_start import add_inspection, add_profiling, quiet_unless_it_fails


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: list of str, or None for those of the process.

    Returns:
        Int, the exit status: 0 if all went well, 1 if an input was refused, 2 if a kernel meets a `--fail-if`, 130 if
        interrupted.
    """
    parsed = _parser().parse_args(arguments)
    try:
        answer = parsed.command(parsed)
        sys.stdout.write("".join(f"{line}\n" for line in answer.lines))
        return answer.status
    except (ValueError, OSError, ImportError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _start_backend() -> None:
    """Import Keras, and make the first value, for which its backend looks for its devices, without what it writes."""
    with quiet_unless_it_fails():
        backend_of_keras()  # it says what is missing
        import keras

        keras.ops.zeros(())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train-by-reconnect", description="See what the weights of a model are.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True)
    profiles = commands.add_parser("profiles", help="measure how alike the weight profiles are, and draw them")
    profiles.add_argument("network", metavar="NAME|FILE", help="a model of keras.applications, or a file")
    profiles.add_argument("--weights", metavar="imagenet|random|FILE", help="of a named model; default: imagenet")
    profiles.add_argument(
        "--with",
        dest="arguments",
        metavar="NAME=VALUE",
        nargs="+",
        default=[],
        help="what a named model is built with, e.g. alpha=0.25 include_top=False",
    )
    profiles.add_argument("--picture", metavar="FILE", help="draw all profiles: .png, .pdf or .svg; needs matplotlib")
    add_profiling(profiles)
    profiles.set_defaults(command=_profiles)
    inspect = commands.add_parser(
        "inspect", help="what a saved model holds: layers, weight vectors, zeros, LaPerm, masks; or where its bits are"
    )
    add_inspection(inspect)
    inspect.set_defaults(command=lambda parsed: Answer(inspected(parsed)))
    return parser


def inspected(parsed: Any) -> list[str]:
    """What `inspect` says of a file, as lines of text."""
    _start_backend()
    from train_by_reconnect.command.connectivity_inspection import connectivity_inspection
    from train_by_reconnect.command.inspection import inspection
    from train_by_reconnect.connectivity_files.container import is_connectivity_file

    if is_connectivity_file(parsed.file):
        return connectivity_inspection(parsed.file, parsed.picture, parsed.reference)
    if parsed.picture or parsed.reference:
        raise ValueError(
            f"`--picture` and `--reference` are for connectivity files. Received: {parsed.file}, which is none. Leave "
            "them out, or draw the weights with `profiles`."
        )
    return inspection(parsed.file)


def _profiles(parsed: Any) -> Answer:
    arguments = dict(map(_argument, parsed.arguments))

    def find(name_or_file: str) -> Any:
        given = {"weights": parsed.weights} if parsed.weights is not None else {}
        path = pathlib.Path(name_or_file)
        if path.suffix and path.is_file() and not is_whole_model(path) and not {**given, **arguments}:
            return name_or_file  # no name has a dot: this is read without Keras
        _start_backend()
        import keras

        from train_by_reconnect.command.networks import is_named, load_network, refuse_arguments

        if is_named(name_or_file) or not path.exists():
            keras.utils.set_random_seed(parsed.seed)
            return load_network(name_or_file, parsed.weights, **arguments)
        refuse_arguments({**given, **arguments}, name_or_file)
        return name_or_file

    return profiles_of(parsed, find, parsed.network, parsed.picture)


def _argument(text: str) -> tuple[str, Any]:
    """What follows `--with`.

    >>> _argument("alpha=0.25"), _argument("pooling=avg")
    (('alpha', 0.25), ('pooling', 'avg'))
    """
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"`--with` takes NAME=VALUE. Received: {text}. Write e.g. --with alpha=0.25.")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
