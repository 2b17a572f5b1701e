"""Tables that a reader can sort: what a cell is sorted by is found here, and the page's script only compares ranks."""

import re

import markdown_it.token

NUMBER = re.compile(r"((?:(?<![\w.])[-+])?(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?(?:e[-+]?\d+)?))")
NONE = ("", "-")
VERDICT = "verdict"  # the head of the column that a narrow screen shows besides the first
WIDEST_NUMBER = 24  # characters; what is longer is a sentence
FRAME = '<div class="table" role="group" tabindex="0" aria-label="table, scrolls sideways">'


def sort_key(text):
    """What a cell is sorted by: its numbers by their size, what stands between them as text; numbers come first.

    Args:
        text: str.

    Returns:
        Tuple in which text and float alternate, or None for a cell that holds nothing.

    Example:

    >>> sort_key("~1,250.5 %")
    ('', 1250.5, ' %')
    >>> sorted(["Conv13", "7.8e-05", "Conv2", "-0.3", "5 of 10"], key=sort_key)
    ['-0.3', '7.8e-05', '5 of 10', 'Conv2', 'Conv13']
    >>> sort_key("-") is None
    True
    """
    text = text.strip().casefold()
    if text in NONE:
        return None
    parts = NUMBER.split(text.lstrip("~<>"))
    return tuple(float(part.replace(",", "")) if number % 2 else part for number, part in enumerate(parts))


def ranks(cells):
    """The place of each cell of a column when the column is sorted; equal cells share one, and empty ones have none.

    Example:

    >>> ranks(["10 %", "-", "9.5 %", "10 %"])
    [1, None, 0, 1]
    """
    keys = [sort_key(cell) for cell in cells]
    place = {key: number for number, key in enumerate(sorted(set(keys) - {None}))}
    return [place.get(key) for key in keys]


def plain(children):
    """The text of parsed Markdown, given as its tokens, without its marks."""
    return "".join(" " if child.type == "softbreak" else child.content for child in children).strip()


def raw(text):
    """HTML as a token among those of parsed Markdown."""
    return markdown_it.token.Token("html_inline", "", 0, content=text)


def make_sortable(tokens):
    """Give the heads of one table, among its tokens, their buttons and its cells their ranks, if it can be sorted."""
    heads = [(token, tokens[number + 1]) for number, token in enumerate(tokens) if token.type == "th_open"]
    cells = [(token, tokens[number + 1]) for number, token in enumerate(tokens) if token.type == "td_open"]
    pictures = any(child.type == "image" for _, inline in cells for child in inline.children)
    for number, (head, inline) in enumerate(heads):
        head.attrSet("scope", "col")
        column = cells[number :: len(heads)]
        texts = [plain(cell.children) for _, cell in column]
        kind = f"{_kind(texts)} verdict" if plain(inline.children) == VERDICT else _kind(texts)
        for token in (head, *(cell for cell, _ in column)):
            token.attrSet("class", kind)
        if pictures or len(column) < 2:
            continue
        head.attrSet("aria-sort", "none")
        name = "" if plain(inline.children) else f' aria-label="column {number + 1}"'
        inline.children = [raw(f'<button type="button"{name}>'), *inline.children, raw("</button>")]
        for (cell, _), rank in zip(column, ranks(texts), strict=True):
            if rank is not None:
                cell.attrSet("data-rank", str(rank))


def _kind(texts):
    """The class of a column: numbers stand to the right, and sentences need room."""
    keys = [key for key in map(sort_key, texts) if key]
    if max(map(len, texts), default=0) > WIDEST_NUMBER:
        return "long"
    return "number" if keys and all(key[0] == "" for key in keys) else "short"
