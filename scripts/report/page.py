"""All results as one self-contained HTML page: claims, tables, pictures and what `results/README.md` says of them."""

import dataclasses
import pathlib
import re
import string

from scripts.report.markdown import Page
from scripts.running.files import replacing

TITLE = "train_by_reconnect: results"
# How the names of experiments begin, and where these stand.
PAPERS = {
    "laperm": "LaPerm (Qiu and Suda 2020)",
    "connectivities": "Connectivity training (Ivan and Florian 2020)",
    "rich": "The rich regime (Li and Banerjee 2021)",
}
OF_NO_PAPER = "Of no paper"
TEMPLATE = pathlib.Path(__file__).with_name("report.html")


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        anchor: str, its id.
        title: str, HTML.
        html: str, what stands below the title.
        pictures: dict from the path of a picture to its caption: shown below that, unless they are shown elsewhere.
        parts: list of `Section`, below all that.
        paper: str, one of `PAPERS.values()` or `OF_NO_PAPER`, to which an experiment belongs; None for other sections.
    """

    anchor: str
    title: str
    html: str = ""
    pictures: dict = dataclasses.field(default_factory=dict)
    parts: list = dataclasses.field(default_factory=list)
    paper: str | None = None


def write_report(results, out):
    """Write the page.

    Where the folders `weight_profiles` and `benchmarks` are beside that of the results, what they say is part of it.

    Args:
        results: str or path, the folder with the published files of experiments. Its `README.md`, if any, has a section
            for each: the heading begins with the experiment's name, or the names of several, and a colon.
        out: str or path, the HTML file.

    Returns:
        List of str, the names of the experiments.

    Raises:
        FileNotFoundError: the folder holds no published table.
    """
    folder = pathlib.Path(results).resolve()
    readme, profiles = folder / "README.md", folder.parent / "weight_profiles" / "README.md"
    tables = {path.stem: path for path in sorted(folder.glob("*.md")) if path != readme}
    if not tables:
        raise FileNotFoundError(
            f"The results folder must hold the table, NAME.md, of an experiment. Received: --results {results}. "
            "Publish one with `python -m scripts figure NAME` first."
        )
    benchmarks = sorted((folder.parent / "benchmarks").glob("*.md"))
    pictures = sorted(folder.glob("*.png"))
    files = [readme, *tables.values(), *pictures, profiles, *sorted(profiles.parent.glob("*.png")), *benchmarks]
    anchors = {path: f"{path.parent.name}/{path.name}".replace(" ", "_") for path in files if path.exists()}
    page = Page(anchors, pathlib.Path(out).resolve().parent)

    introduction, sections = _results(page, readme, tables)
    sections = _by_paper(sections)
    sections.append(Section("further-pictures", "Further pictures", pictures={path: path.stem for path in pictures}))
    if profiles.exists():
        sections.append(_document(page, profiles, deeper=1))
    sections.append(Section("benchmarks", "Benchmarks", parts=[_document(page, path, deeper=2) for path in benchmarks]))
    shown = [_render(page, section) for section in sections]
    body = introduction + "".join(shown)
    contents = "\n".join(_entry(section) for section, inside in zip(sections, shown, strict=True) if inside)
    template = string.Template(TEMPLATE.read_text(encoding="utf-8"))
    with replacing(out) as partial:
        partial.write_text(template.substitute(title=TITLE, contents=contents, body=body), encoding="utf-8")
    return list(tables)


def _results(page, readme, tables):
    """The introduction, as HTML, and the sections of all experiments: those of the README first, in its order."""
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    text = re.sub(r"<!--.*?-->\n?", "", text)  # marks for commands
    introduction, *chapters = re.split(r"^## +", text, flags=re.MULTILINE)
    waiting, sections = dict(tables), []
    for chapter in chapters:
        heading, _, prose = chapter.partition("\n")
        names = [name for name in re.findall(r"\w+", heading.partition(":")[0]) if name in waiting]
        sections.append(_chapter(page, heading, prose, {name: waiting.pop(name) for name in names}, readme.parent))
    sections += [_chapter(page, name, "", {name: path}, readme.parent) for name, path in waiting.items()]
    if readme.exists():
        shown, _ = page.markdown(_body(introduction), readme.parent)
        introduction = f'<div id="{page.anchor(readme)}">\n{shown}</div>\n'
    return introduction, sections


def _by_paper(sections):
    """The sections of no experiment as they are, then those of the experiments under the names of the papers."""
    groups = [
        Section(re.sub(r"\W+", "-", paper.lower()).strip("-"), paper, parts=[s for s in sections if s.paper == paper])
        for paper in (*PAPERS.values(), OF_NO_PAPER)
    ]
    return [section for section in sections if section.paper is None] + [group for group in groups if group.parts]


def _paper_of(names):
    """The paper of the first of some experiments, or None of none."""
    return PAPERS.get(next(iter(names)).partition("_")[0], OF_NO_PAPER) if names else None


def _chapter(page, heading, prose, tables, folder):
    """What is said of one experiment, or of several that share a section of the README."""
    claims, pictures, parts = "", {}, []
    for name, path in tables.items():
        title, claim, rest = (*path.read_text(encoding="utf-8").split("\n\n", 2), "", "")[:3]
        which = f"<code>{name}</code>: " if len(tables) > 1 else ""
        if page.inline(claim, folder) not in claims:  # that of another size is the same
            claims += f'<p class="claim">{which}{page.inline(claim, folder)}</p>\n'
        pictures |= dict.fromkeys(folder.glob(f"{name}.png"), claim)
        pictures |= {picture: picture.stem for picture in sorted(folder.glob(f"{name}_*.png"))}
        table, _, circumstances = rest.strip().rpartition("\n\n")
        run = re.search(r"(\w+), size (\w+)", title)
        told = not run or re.search(rf"run {run[1]}\b", prose)
        command = "" if told else f"`python -m scripts run {run[1]} --size {run[2]}`. "
        shown, _ = page.markdown(f"{table}\n\n**How it was run.** {command}{circumstances}", folder, deeper=1)
        parts.append(Section(page.anchor(path), page.inline(title.lstrip("# "), folder), shown))
    shown, linked = page.markdown(prose, folder, deeper=1 if tables else 0)
    anchor = re.sub(r"\W+", "-", heading.partition(":")[0].lower()).strip("-")
    return Section(anchor, page.inline(heading, folder), claims + shown, pictures | linked, parts, _paper_of(tables))


def _document(page, path, deeper):
    """A Markdown file with a title, and all pictures of its folder."""
    text = path.read_text(encoding="utf-8")
    shown, linked = page.markdown(_body(text), path.parent, deeper)
    others = {picture: picture.stem for picture in sorted(path.parent.glob("*.png"))}
    title = page.inline(text.partition("\n")[0].lstrip("# "), path.parent)
    return Section(page.anchor(path), title, shown, others | linked)


def _body(text):
    return text.partition("\n")[2]


def _render(page, section, level=2):
    inside = section.html + page.figures(section.pictures)
    inside += "".join(_render(page, part, level + 1) for part in section.parts)
    head = f'<section id="{section.anchor}">\n<h{level}>{section.title}</h{level}>\n'
    return f"{head}{inside}</section>\n" if inside else ""


def _entry(section):
    """The line of a section in the list of contents."""
    title = re.sub(r"<[^>]*>| \([^()]*\)$", "", section.title) if section.paper else section.title
    link = f'<a href="#{section.anchor}">{re.sub("<[^>]*>", "", title)}</a>'
    parts = "".join(map(_entry, section.parts)) if section.paper is None else ""  # not the tables of an experiment
    return f"<li>{link}{f'<ol>{parts}</ol>' if parts else ''}</li>"
