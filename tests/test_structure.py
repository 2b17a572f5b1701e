import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {
    "train_by_reconnect": {"keras", "numpy", "tensorflow", "train_by_reconnect"},
    "models": {"keras", "numpy", "h5py", "models"},
    "scripts": {
        *("keras", "numpy", "tensorflow", "matplotlib", "sklearn", "tqdm", "markdown_it", "PIL"),
        *("models", "scripts", "train_by_reconnect"),
    },
}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", ALLOWED)
def test_dependencies_point_one_way(package):
    import sys

    for path in (ROOT / package).rglob("*.py"):
        foreign = set(imports(path)) - ALLOWED[package] - sys.stdlib_module_names
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


def test_tensorflow_is_imported_in_two_small_modules_of_the_library():
    importing = {path.name for path in (ROOT / "train_by_reconnect").glob("*.py") if "tensorflow" in imports(path)}
    assert importing == {"backend_tensorflow.py", "straight_through.py"}


def test_the_library_neither_asserts_nor_prints():
    for path in (ROOT / "train_by_reconnect").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Assert), path
            assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"), path


def test_every_public_name_has_a_docstring_with_an_example():
    import train_by_reconnect

    for name in train_by_reconnect.__all__:
        documented = getattr(train_by_reconnect, name)
        if name != "__version__":
            assert ">>>" in documented.__doc__, name
