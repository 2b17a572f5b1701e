"""How the documentation is built: `sphinx-build -W docs docs/_build`."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scripts.report.gallery import write_gallery
from train_by_reconnect import __version__
from train_by_reconnect.weights import layouts

ROOT = pathlib.Path(__file__).resolve().parent.parent
project = "train_by_reconnect"
release = __version__
html_title = f"train_by_reconnect {__version__}"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx_copybutton"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["gallery.css"]
exclude_patterns = ["_build", "_gallery", "jupyter_execute", ".jupyter_cache"]
myst_enable_extensions = ["dollarmath", "substitution"]
# The table of weight vectors stands in one place, beside the code that follows it.
myst_substitutions = {"layouts": "\n".join(line for line in layouts.__doc__.splitlines() if line.startswith("|"))}
myst_heading_anchors = 3
# The pages that are notebooks run at each build, and a cell that fails fails the build.
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_output_stderr = "remove"  # what backends say of the machine at their start
autodoc_typehints = "none"  # the docstrings say types, and shapes too
napoleon_custom_sections = ["Reference"]
# Folders of the repository are shown where it is hosted.
suppress_warnings = ["myst.xref_missing"]


def setup(app):
    """Make the small pictures of the gallery, which are not committed, and links to files of the repository work."""
    app.connect("builder-inited", lambda _: write_gallery(ROOT, ROOT / "docs" / "_gallery"))
    app.connect("source-read", lambda _, page, source: source.__setitem__(0, _linked(source[0])))


def _linked(text):
    """Markdown in which a link to a file that is no page of the documentation is one to a copy of it."""
    return re.sub(r"(?<!!)(\[[^\]]*\]\()(\.\./[^)#\s]+\.(?:csv|md|py|sh))(?=\))", r"\1path:\2", text)
