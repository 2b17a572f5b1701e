"""What experiments there are, read off their files and the published pages: nothing that trains is imported for it."""

import ast
import pathlib
import re

from scripts import experiments
from scripts.experiment import SIZES, names

ROOT = pathlib.Path(__file__).resolve().parent.parent


def listing(results):
    """One line for each experiment: its name, its sizes, how long the published one took, and what it is of.

    Args:
        results: str or path, the folder with the published pages.

    Returns:
        Str.
    """
    head = ("name", "sizes", "published", "what it is of")
    lines = [head, *((name, *_outline(name, pathlib.Path(results))) for name in names())]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[3]]) for line in lines
    )


def _outline(name, results):
    path = next(pathlib.Path(folder, f"{name}.py") for folder in experiments.__path__ if _is_there(folder, name))
    tree = ast.parse(path.read_text())
    # The sizes stand in the file itself, or in what makes experiments that are alike.
    sizes = _sizes(tree) or {size for module in _imported(tree) for size in _sizes(ast.parse(module.read_text()))}
    title = ast.get_docstring(tree).partition("\n")[0]
    return ", ".join(size for size in SIZES if size in sizes), _published(results / f"{name}.md"), title


def _is_there(folder, name):
    return pathlib.Path(folder, f"{name}.py").exists()


def _sizes(tree):
    """The keys of all dict displays that have a size among them."""
    keys = (key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys)
    return {key.value for key in keys if isinstance(key, ast.Constant) and key.value in SIZES}


def _imported(tree):
    """The files of the modules of `scripts` that are imported."""
    modules = (node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    paths = (
        ROOT.joinpath(*module.split(".")).with_suffix(".py") for module in modules if module.startswith("scripts.")
    )
    return [path for path in paths if path.exists()]


def _published(page):
    """Which size is published, and how long all of its runs took, or `-`."""
    if not page.exists():
        return "-"
    text = page.read_text()
    size, minutes = re.search(r"size (\w+)", text), re.search(r"(\d+) minutes in all", text)
    return f"{size[1]}, {minutes[1]} min" if size and minutes else "-"
