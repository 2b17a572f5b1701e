"""How the documentation is built: `sphinx-build -W docs docs/_build`."""

import pathlib
import re
import sys

import docutils.nodes
import latex2mathml.converter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from scripts.report.gallery import write_gallery
from train_by_reconnect import __version__
from train_by_reconnect.weights import layouts

ROOT = pathlib.Path(__file__).resolve().parent.parent
project = "train_by_reconnect"
release = __version__
html_title = f"train_by_reconnect {__version__}"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["gallery.css"]
html_show_copyright = False  # the licence says whose it is
pygments_dark_style = "monokai"  # without lines under the names of modules
exclude_patterns = ["_build", "_gallery", "jupyter_execute", ".jupyter_cache"]
myst_enable_extensions = ["dollarmath", "substitution"]
# The table of weight vectors stands in one place, beside the code that follows it.
myst_substitutions = {"layouts": "\n".join(line for line in layouts.__doc__.splitlines() if line.startswith("|"))}
myst_heading_anchors = 3
html_math_renderer = "mathml"  # which browsers draw themselves: the pages load nothing from elsewhere
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
    """Make formulas, the small pictures of the gallery, which are not committed, and links to files work."""
    app.add_html_math_renderer("mathml", (_formula("inline"), None), (_formula("block"), None))
    app.connect("builder-inited", lambda _: write_gallery(ROOT, ROOT / "docs" / "_gallery"))
    app.connect("source-read", lambda _, page, source: source.__setitem__(0, _linked(source[0])))


def _formula(display):
    """A function that writes a formula of TeX as MathML."""

    def write(translator, node):
        formula = latex2mathml.converter.convert(node.astext(), display=display)
        translator.body.append(f"<p>{formula}</p>" if display == "block" else formula)
        raise docutils.nodes.SkipNode

    return write


def _linked(text):
    """Markdown in which a link to a file that is no page of the documentation is one to a copy of it."""
    return re.sub(r"(?<!!)(\[[^\]]*\]\()(\.\./[^)#\s]+\.(?:csv|md|py|sh))(?=\))", r"\1path:\2", text)
