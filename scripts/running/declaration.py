"""What a run is known by: all settings of its training, its seed, the precision, the compiler and the backend."""

import dataclasses

import keras

from scripts.running.files import read_json, write_json


class OtherDeclarationError(ValueError):
    """A folder holds a run of another declaration."""


def declaration(training, seed, options):
    """The declaration of a run, as in its `declaration.json`: nothing is left out because it is a default."""
    backend = keras.backend.backend()
    # JAX compiles every step, asked or not: the run is the same.
    how = {"precision": options.precision, "jit": options.jit or backend == "jax", "backend": backend}
    # How many devices took part is part of it, as the sums over a batch are rounded otherwise; of one nothing is said.
    shared = {"distribute": f"{options.distribute}, {options.devices or 'all'} devices"} if options.distribute else {}
    return {"training": described(training), "seed": seed, **how, **shared}


def described(value):
    """A declared value as JSON holds it: of a dataclass its class and all fields.

    >>> from scripts.running.schedules import Drops
    >>> described(Drops({10: 2}))
    {'class': 'Drops', 'divisors': {'10': 2}}
    """
    if dataclasses.is_dataclass(value):
        fields = {field.name: described(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"class": type(value).__name__, **fields}
    if isinstance(value, dict):
        return {str(key): described(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(each) for each in value]
    return value


def claim(folder, wanted):
    """Write what is run in a folder, or compare it with what was."""
    path = folder / "declaration.json"
    if not path.exists():
        write_json(path, wanted)
    refuse_another(folder, read_json(path), wanted)


def refuse_another(folder, there, wanted):
    """Say where the declaration of the run in a folder differs from what is wanted, if it does."""
    found = differences(there, wanted)
    if found:
        details = "; ".join(f"{key} was {was!r} and is {now!r}" for key, (was, now) in found.items())
        raise OtherDeclarationError(
            f"{folder} holds results of another declaration: {details}. Choose another folder with --results, or "
            "delete this one."
        )


def differences(there, wanted):
    """Where two declarations differ: dict from a setting's name, sorted, to its value in each, None where it has none.

    >>> differences({"seed": 0, "training": {"drops": {"5": 10}}}, {"seed": 1, "training": {"drops": {"5": 10}}})
    {'seed': (0, 1)}
    """
    there, wanted = _flat(there), _flat(wanted)
    keys = sorted(there.keys() | wanted.keys())
    return {key: (there.get(key), wanted.get(key)) for key in keys if there.get(key) != wanted.get(key)}


def _flat(value, prefix=""):
    if isinstance(value, list):
        value = {str(number): each for number, each in enumerate(value)}
    if not isinstance(value, dict) or not value:
        return {prefix: value}
    return {k: v for key, item in value.items() for k, v in _flat(item, f"{prefix}.{key}".strip(".")).items()}
