"""Dependencies point one way: between the packages, inside the library and inside the scripts."""

import ast
import inspect
import pathlib
import sys

import pytest

import train_by_reconnect
from train_by_reconnect import plot

ROOT = pathlib.Path(__file__).resolve().parent.parent
PUBLIC = [(train_by_reconnect, name) for name in train_by_reconnect.__all__ if name != "__version__"]
PUBLIC += [(plot, name) for name in plot.__all__]
FOREIGN = {
    "train_by_reconnect": {"keras", "numpy"},
    "models": {"keras", "numpy", "h5py"},
    "scripts": {
        *("keras", "numpy", "matplotlib", "sklearn", "tqdm", "markdown_it", "PIL", "pandas", "scipy"),
        *("models", "train_by_reconnect"),
    },
    "benchmarks": {
        *("keras", "numpy", "tensorflow", "matplotlib", "sklearn", "safetensors", "zstandard", "ml_dtypes"),
        *("models", "scripts", "train_by_reconnect"),
    },
}
# What single modules may use besides: a backend that is there for certain, or an extra where somebody asks for it.
ALSO = {
    **{f"train_by_reconnect.backend.{name}": {name} for name in ("tensorflow", "jax", "torch")},
    **{f"train_by_reconnect.backend.{name}_gradients": {name} for name in ("tensorflow", "jax", "torch")},
    "train_by_reconnect.backend.keras_scopes": {"tensorflow"},
    "train_by_reconnect.backend.saved_model": {"tensorflow"},
    "train_by_reconnect.backend.several_machines": {"tensorflow"},
    "train_by_reconnect.backend.after_keras": {"wrapt"},
    # Keras brings h5py and ml_dtypes.
    "train_by_reconnect.instrument.file_bytes": {"ml_dtypes"},
    "train_by_reconnect.instrument.hdf5_files": {"h5py"},
    "train_by_reconnect.instrument.sources": {"h5py"},
    "train_by_reconnect.instrument.onnx_files": {"onnx"},
    "train_by_reconnect.coding.entropy": {"constriction"},
    "train_by_reconnect.callbacks.event_file": {"tensorboard"},
    "train_by_reconnect.instrument.draw_sheets": {"matplotlib"},
    **{
        f"train_by_reconnect.plot.{name}": {"matplotlib"}
        for name in ("new_axes", "draw_activity", "draw_permutations", "draw_profiles", "draw_rankings")
    },
    "train_by_reconnect.command.main": {"train_by_reconnect_start"},
    "train_by_reconnect.command.draw_sizes": {"matplotlib"},
    "train_by_reconnect.instrument.pictures": {"matplotlib"},
    "train_by_reconnect.instrument.extras": {"pandas"},
    "scripts.data.tensorflow_route": {"tensorflow"},
    "scripts.arguments": {"train_by_reconnect_start"},
    "scripts.quiet": {"tensorflow", "train_by_reconnect_start"},
    "scripts.distributed.jax_fit": {"jax"},
    **{f"scripts.distributed.{name}_loop": {name} for name in ("tensorflow", "torch")},
    **{f"scripts.rich.{name}_compiled": {name} for name in ("tensorflow", "jax", "torch")},
    "scripts.running.on_ray": {"ray"},
    "scripts.running.device": {"tensorflow", "jax", "torch"},
    "scripts.running.distribution": {"tensorflow"},
}
DRAWING = ("train_by_reconnect.command", "train_by_reconnect.instrument")
PLOT = "plot"  # public too, but imported by whoever wants it: it needs matplotlib
# What a benchmark measures apart from the layers that are made of it.
MEASURED = {"benchmarks.connectivity": "backend"}
# Of each part the parts that it may use, itself apart. What is not named here is a part nobody has thought about.
INSIDE = {
    "train_by_reconnect": {
        "backend": (),
        "coding": (),
        "weights": ("backend",),
        "layers": ("weights", "backend"),
        "optimizers": ("weights", "backend"),
        "conversion": ("layers", "optimizers", "weights", "backend"),
        "connectivity_files": ("conversion", "layers", "optimizers", "weights", "coding", "backend", "version"),
        "callbacks": ("connectivity_files", "layers", "optimizers", "weights", "backend"),
        "version": (),
        "instrument": ("layers", "plot", "weights", "backend", "version"),
        "command": ("instrument", "connectivity_files", "layers", "optimizers", "weights", "backend", "version"),
        "plot": ("weights", "backend"),
        "needs_keras": (
            "callbacks",
            "connectivity_files",
            "conversion",
            "instrument",
            "layers",
            "optimizers",
            "weights",
            "version",
        ),
        "__init__": ("needs_keras", "backend", "version"),
    },
    "scripts": {
        "__init__": (),
        "data": (),
        "running": ("data", "experiment"),
        "publishing": ("running", "experiment"),
        "profiles": ("publishing", "running", "data", "quiet"),
        "report": ("publishing", "running", "experiment"),
        "laperm": ("publishing", "running", "data"),
        "connectivities": ("publishing", "running", "data"),
        "rich": ("publishing", "running", "data", "experiment"),
        "distributed": ("running", "data"),
        "experiment": ("experiments",),
        "experiments": ("laperm", "connectivities", "rich", "publishing", "running", "data", "experiment"),
        "arguments": ("backend", "experiment"),
        "backend": (),
        "quiet": ("backend",),
        "queue": ("publishing", "running", "experiment"),
        "run": ("publishing", "running", "experiment"),
        "status": ("running", "experiment"),
        "listing": ("experiment", "experiments"),
        "__main__": (
            *("profiles", "report", "publishing", "running", "experiment"),
            *("listing", "queue", "run", "status", "quiet", "arguments"),
        ),
    },
}


def modules(package):
    """Pairs of the dotted name and the path of every module."""
    for path in sorted((ROOT / package).rglob("*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path):
    """Pairs of the dotted name of each module that is imported, and what is taken from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module, alias.name) for alias in node.names)


def part_of(name):
    """What the second name of a module says, e.g. `optimizers`; of a package itself `__init__`."""
    return ([*name.split("."), "__init__"])[1]


@pytest.mark.parametrize("package", FOREIGN)
def test_packages_use_what_they_may(package):
    for name, path in modules(package):
        allowed = FOREIGN[package] | {package} | sys.stdlib_module_names
        allowed |= ALSO.get(name, set())
        foreign = {imported.split(".")[0] for imported, _ in imports(path)} - allowed
        if package == "benchmarks":
            foreign -= {other.stem for other in path.parent.glob("*.py")}
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


@pytest.mark.parametrize("package", INSIDE)
def test_parts_of_a_package_point_one_way(package):
    for name, path in modules(package):
        part = part_of(name)
        for imported, taken in imports(path):
            if imported.split(".")[0] != package:
                continue
            other = taken if imported == package and taken in INSIDE[package] else part_of(imported)
            allowed = {part, *INSIDE[package][part]}
            assert other in allowed, f"{path.relative_to(ROOT)} imports {imported}: {part} may use {sorted(allowed)}"


@pytest.mark.parametrize("package", ["train_by_reconnect", "scripts", "models"])
def test_modules_do_not_import_each_other_in_circles(package):
    named = dict(modules(package))
    needs = {}
    for name, path in named.items():
        found = {f"{module}.{taken}" if f"{module}.{taken}" in named else module for module, taken in imports(path)}
        needs[name] = {each for each in found if each in named} - {package, name}
    while needs:
        leaves = {name for name, needed in needs.items() if not needed & needs.keys()}
        assert leaves, f"these import each other: {sorted(needs)}"
        needs = {name: needed for name, needed in needs.items() if name not in leaves}


@pytest.mark.parametrize("package", ["models", "scripts", "benchmarks"])
def test_the_library_is_used_by_its_public_names(package):
    for name, path in modules(package):
        for imported, taken in imports(path):
            # What draws and loads for the command of the library does so for the scripts too.
            inside = imported.startswith("train_by_reconnect.") and not imported.startswith(DRAWING)
            assert not inside, f"{path.relative_to(ROOT)} imports {imported}, which is private"
            if imported == "train_by_reconnect" and taken and taken not in (PLOT, MEASURED.get(name)):
                assert taken in train_by_reconnect.__all__, f"{path.relative_to(ROOT)} imports {taken}"


@pytest.mark.parametrize("package", FOREIGN)
def test_no_module_takes_the_private_names_of_another(package):
    for _, path in modules(package):
        for imported, taken in imports(path):
            ours = imported.split(".")[0] in FOREIGN
            private = taken.startswith("_") and not taken.startswith("__")
            assert not (ours and private), f"{path.relative_to(ROOT)} imports {taken} of {imported}"


def test_the_library_neither_asserts_nor_prints():
    for _, path in modules("train_by_reconnect"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Assert), path
            assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"), path


def test_every_public_name_has_a_docstring_with_an_example():
    for package, name in PUBLIC:
        assert ">>>" in getattr(package, name).__doc__, name


def public_functions(public):
    """A public function, or the constructor, public methods and properties that a public class has from the library."""
    if not inspect.isclass(public):
        yield public
        return
    for own in (each for each in public.__mro__ if each.__module__.startswith("train_by_reconnect")):
        for name, member in vars(own).items():
            if name in ("__init__", "__call__") or not name.startswith("_"):
                parts = (member.fget, member.fset) if isinstance(member, property) else [member]
                functions = (getattr(part, "__func__", part) for part in parts)  # of a class or static method
                yield from filter(inspect.isfunction, functions)


@pytest.mark.parametrize(("package", "name"), [pytest.param(*each, id=each[1]) for each in PUBLIC])
def test_every_public_name_is_annotated(package, name):
    for function in public_functions(getattr(package, name)):
        signature = inspect.signature(function)
        bare = [each.name for each in signature.parameters.values() if each.annotation is each.empty]
        assert set(bare) <= {"self", "cls"}, f"{function.__qualname__} has no type for {bare}"
        assert signature.return_annotation is not signature.empty, f"{function.__qualname__} has no type of its result"


def test_the_package_says_that_it_is_typed():
    assert (pathlib.Path(train_by_reconnect.__file__).parent / "py.typed").is_file()
