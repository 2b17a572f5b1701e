"""Markdown as part of one self-contained page: sortable tables, inline pictures, links that stay within the page."""

import base64
import html
import io
import itertools
import os
import pathlib
import urllib.parse

import markdown_it
import PIL.Image

from scripts.report.tables import FRAME, make_sortable, plain, raw

WIDEST = 1000  # pixels of CSS: the column of the page
COLORS = 48


class Page:
    """Turns Markdown files into parts of one HTML page.

    Each picture is put into the page once, in the size that it is shown at; where it is shown again there is a link to
    it. A link to a file that is part of the page leads there, and one to another file that is there, e.g. a CSV, to
    that file beside the page; a link to what is not there becomes its name.

    Args:
        anchors: dict from the `pathlib.Path` of each file of the page, pictures too, to its id in the page.
        folder: `pathlib.Path`, where the page will be, from which links to files start.
    """

    def __init__(self, anchors, folder):
        self._anchors = anchors
        self._folder = folder
        self._shown = set()
        self._parser = markdown_it.MarkdownIt("commonmark", {"html": False}).enable("table")
        self._parser.add_render_rule("table_open", lambda *_: f"{FRAME}<table>\n")
        self._parser.add_render_rule("table_close", lambda *_: "</table></div>\n")

    def anchor(self, path):
        """The id of a file of the page, escaped for an attribute."""
        return html.escape(self._anchors[path])

    def markdown(self, text, folder, deeper=0):
        """Render Markdown.

        Args:
            text: str.
            folder: `pathlib.Path`, where relative links start.
            deeper: int, by how many levels headings are lowered. Defaults to 0.

        Returns:
            Pair of the HTML, str, and the pictures that the text links to without showing them: dict from a path to
            the text of its link.
        """
        tokens, linked = self._parser.parse(text), {}
        bounds = [number for number, token in enumerate(tokens) if token.type in ("table_open", "table_close")]
        for begin, end in zip(bounds[::2], bounds[1::2], strict=True):
            make_sortable(tokens[begin:end])
        for number, token in enumerate(tokens):
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{int(token.tag[1]) + deeper}"
            elif token.type == "inline":
                alone, caption = [child.type for child in token.children] == ["image"], plain(token.children)
                alone &= tokens[number - 1].type == "paragraph_open"
                token.children = self._resolved(token.children, folder, linked)
                if alone and token.children[0].content.startswith("<img"):
                    tokens[number - 1].tag = tokens[number + 1].tag = "figure"
                    token.children.append(raw(_caption(caption)))
        return self._parser.renderer.render(tokens, self._parser.options, {}), linked

    def inline(self, text, folder):
        """HTML, without a tag around it, of Markdown of a single paragraph or heading in a file of that folder."""
        tokens = self._parser.parseInline(text.strip())
        tokens[0].children = self._resolved(tokens[0].children, folder, {})
        return self._parser.renderer.render(tokens, self._parser.options, {})

    def figures(self, captions):
        """HTML of the pictures that the page has not shown so far, of a dict from their paths to their captions."""
        return "".join(
            f"<figure>{self._picture(path, caption)}{_caption(caption)}</figure>\n"
            for path, caption in captions.items()
            if path not in self._shown
        )

    def _resolved(self, children, folder, linked):
        resolved, closing = [], None
        for number, child in enumerate(children):
            address = child.attrGet({"image": "src", "link_open": "href"}.get(child.type, "")) or ""
            path = _local(address, folder)
            anchor = self._anchors.get(path)
            if child.type == "image":
                shown = self._picture(path, child.content or path.stem) if anchor else _absent(child.content, address)
                child = raw(shown)
            elif child.type == "link_open" and anchor:
                child.attrSet("href", f"#{anchor}")
                if path.suffix == ".png":
                    linked.setdefault(path, f"{path.stem}: {plain(_until_closed(children[number + 1 :]))}")
            elif child.type == "link_open" and path and path.is_file():
                child.attrSet("href", urllib.parse.quote(pathlib.Path(os.path.relpath(path, self._folder)).as_posix()))
            elif child.type == "link_open" and not urllib.parse.urlsplit(address).scheme:
                child, closing = raw(""), _absent("", path.name) if path else ""
            elif child.type == "link_close" and closing is not None:
                child, closing = raw(closing), None
            resolved.append(child)
        return resolved

    def _picture(self, path, alt):
        anchor, alt = self.anchor(path), html.escape(alt)
        if path in self._shown:
            return f'<a href="#{anchor}">{alt}</a>'
        self._shown.add(path)
        with PIL.Image.open(path) as image:
            scale = 96 / image.info.get("dpi", (96, 96))[0]  # the inches that it was drawn at, in pixels of CSS
            scale = min(scale, WIDEST / image.width)
            width, height = (max(1, round(scale * side)) for side in image.size)
            data = base64.b64encode(_encoded(image.convert("RGB"), (width, height))).decode()
        return f'<img id="{anchor}" src="data:image/webp;base64,{data}" alt="{alt}" width="{width}" height="{height}">'


def _encoded(image, size):
    """A picture in the size that it is shown at, as WebP: in few colours without loss or with loss, what is smaller."""
    if size[0] < image.width:
        image = image.resize(size, PIL.Image.Resampling.LANCZOS)
    ways = ((image.quantize(COLORS, dither=PIL.Image.Dither.NONE), {"lossless": True}), (image, {"quality": 75}))
    found = []
    for drawn, options in ways:
        written = io.BytesIO()
        drawn.convert("RGB").save(written, "WEBP", **options)
        found.append(written.getvalue())
    return min(found, key=len)


def _local(address, folder):
    """The path that a relative address means, or None."""
    parts = urllib.parse.urlsplit(address)
    if not parts.path or parts.scheme or parts.netloc:
        return None
    return pathlib.Path(folder, urllib.parse.unquote(parts.path)).resolve()


def _until_closed(children):
    return itertools.takewhile(lambda child: child.type != "link_close", children)


def _absent(text, name):
    return f"{html.escape(text)} (<code>{html.escape(name)}</code>)"


def _caption(text):
    return f"<figcaption>{html.escape(text)}</figcaption>" if text else ""
