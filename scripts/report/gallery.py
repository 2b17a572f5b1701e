"""The gallery: all committed pictures, small, each with the command that draws it, made when the pages are built."""

import pathlib
import re

import PIL.Image

from scripts.experiment import find, names
from scripts.report.page import OF_NO_PAPER, PAPERS
from scripts.running.files import replacing

WIDTH, QUALITY = 440, 72  # pixels, and of JPEG
_PROFILES = "Weight profiles"


def write_gallery(repository, folder):
    """Make the small pictures and the text of the page.

    Args:
        repository: str or path, with the folders `results` and `weight_profiles`.
        folder: str or path, where `gallery.md` and the pictures go; made anew where a picture has changed.

    Returns:
        `pathlib.Path` of `gallery.md`, Markdown that is included in a page beside the folder.
    """
    repository, folder = pathlib.Path(repository), pathlib.Path(folder)
    drawn_by = _drawn_by()
    groups = {paper: [] for paper in (*PAPERS.values(), OF_NO_PAPER, _PROFILES)}
    for path in sorted((repository / "results").glob("*.png")):
        name, suffix = experiment_of(path.stem, drawn_by)
        page = path.with_name(f"{name}{suffix}.md")
        paper = PAPERS.get(name.partition("_")[0], OF_NO_PAPER)
        groups[paper].append((path, page, _command(name, suffix, page)))
    for path in sorted((repository / "weight_profiles").glob("*.png")):
        groups[_PROFILES].append((path, path.with_name("README.md"), _command_of_profiles(path)))
    parts = []
    for group, shown in groups.items():
        figures = [_figure(*each, repository, folder) for each in shown]
        if figures:
            parts += [f"## {group}", "\n".join(["````{container} gallery", *figures, "````"])]
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "gallery.md") as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return folder / "gallery.md"


def experiment_of(stem, drawn_by):
    """The experiment that a picture is of: its name, and the suffix of a second size, if any.

    Raises:
        ValueError: no experiment declares such a picture.

    Example:

    >>> experiment_of("laperm_fig5_paper", {"laperm_fig5": "laperm_fig5", "laperm_fig": "another"})
    ('laperm_fig5', '_paper')
    """
    fitting = [picture for picture in drawn_by if stem == picture or stem.startswith(f"{picture}_")]
    if not fitting:
        raise ValueError(
            f"Every picture of the results must be one that an experiment declares. Received: {stem}.png. Remove "
            "it, or name it in the `more_pictures` of its experiment."
        )
    picture = max(fitting, key=len)
    return drawn_by[picture], stem.removeprefix(picture)


def _command(name, suffix, page):
    """The command that publishes what a page says that it shows."""
    size = re.match(r"# .*, size (\w+)", page.read_text(encoding="utf-8"))[1]
    options = f" --size {size}" if size != find(name).default_size else ""
    return f"python -m scripts figure {name}{options}" + (f" --suffix {suffix}" if suffix else "")


def _drawn_by():
    """Dict from the name of every picture that an experiment declares to the experiment's."""
    return {picture: name for name in names() for picture in (name, *find(name).more_pictures)}


def _command_of_profiles(path):
    """The command in the README beside the picture that draws a picture, or nothing."""
    if path.stem == "training":
        return "python -m scripts weight_profiles --train"
    text = path.with_name("README.md").read_text(encoding="utf-8")
    name = re.sub(r"_(pair|steps)$", "", path.stem)
    found = re.search(rf"^ +(python -m scripts weight_profiles .*--name {re.escape(name)}\b.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def _figure(path, page, command, repository, folder):
    """The small picture, made where it is not there or older, and the directive that shows it."""
    small = folder / f"{path.parent.name}_{path.stem}.jpg"
    if not small.exists() or small.stat().st_mtime < path.stat().st_mtime:
        with PIL.Image.open(path) as image:
            drawn = image.convert("RGB")
            drawn.thumbnail((WIDTH, WIDTH), PIL.Image.Resampling.LANCZOS)
            with replacing(small) as partial:
                drawn.save(partial, "JPEG", quality=QUALITY)
    link = f"[{path.stem}](path:../{page.relative_to(repository).as_posix()})"
    caption = f"{link}: `{command}`" if command else link
    return f"```{{figure}} {folder.name}/{small.name}\n:alt: {path.stem}\n\n{caption}\n```"
