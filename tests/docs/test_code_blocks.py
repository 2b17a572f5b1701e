"""Every example of the README and of the documentation runs as it is printed."""

import pathlib
import re

import pytest

import train_by_reconnect
from train_by_reconnect import plot

ROOT = pathlib.Path(__file__).resolve().parents[2]
# These have tests of their own.
OTHERS = ("add_an_experiment.md", "connectivity_files.md")
PAGES = [
    page
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    if page.name not in OTHERS and "```" in page.read_text()
]

QUICK, SLOW = {"README.md", "laperm.md", "guarantees.md", "weight_vectors.md", "weight_profiles.md"}, pytest.mark.slow


def blocks(page):
    """The Python of a page, its notebook's cells too."""
    return re.findall(r"```(?:python|\{code-cell\} ipython3)\n(.*?)```", page.read_text(), re.DOTALL)


def test_there_are_examples():
    assert {"README.md", "getting_started.md", "laperm.md", "connectivity.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.name, marks=SLOW if page.name not in QUICK else ()) for page in PAGES]
)
def test_the_examples_run_as_printed(page, tmp_path, monkeypatch):
    # A page is one session: a later block goes on from an earlier one.
    monkeypatch.chdir(tmp_path)
    session = {}
    for number, code in enumerate(blocks(page)):
        code = re.sub(r"^:tags:.*\n", "", code, flags=re.MULTILINE)
        # Few epochs show that it runs; what the full number gives is drawn when the documentation is built.
        exec(compile(re.sub(r"epochs=\d\d", "epochs=2", code), f"{page.name}, block {number}", "exec"), session)


def test_the_reference_has_every_public_name():
    listed = re.findall(r"^\.\. auto\w+:: (\w+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(set(train_by_reconnect.__all__) - {"__version__"})


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs" / "index.md").read_text()
    listed = re.findall(r"^([a-z_]+)$", index, re.MULTILINE)
    assert sorted([*listed, "index"]) == sorted(page.stem for page in (ROOT / "docs").glob("*.md"))


def test_the_reference_has_every_picture():
    listed = re.findall(
        r"^\.\. auto\w+:: train_by_reconnect\.plot\.(\w+)$", (ROOT / "docs" / "api.md").read_text(), re.M
    )
    assert sorted(listed) == sorted(plot.__all__)
