import base64
import html.parser
import io
import pathlib
import random
import re

import numpy as np
import PIL.Image
import pytest

from scripts.__main__ import main
from scripts.report.page import write_report
from scripts.report.tables import ranks

ROOT = pathlib.Path(__file__).resolve().parents[3]
README = """# Results

What was printed.

## tiny_fig1: two dots & <more> (section 1)

[Table](tiny_fig1.md), [numbers](tiny_fig1.csv), [from above](above.png), [film](film.gif), [site](https://example.org/a).

![Two "dots"](tiny_fig1.png)

Again ![the dots](tiny_fig1.png), and ![lost](lost.png) and ![remote](https://example.org/b.png).
"""
TABLE = """# tiny_fig1, size laptop

Dots <b>learn</b> & "stay".

| training | test accuracy | weights | |
|---|---|---|---|
| LaPerm | 9.50 % | 1,010 | holds |
| Adam | ~10 % | - | does not hold, as the paper's reviewers said |
| Adam | 9.5 % | 998 | |

Seeds 0 to 2; 3 runs of 1 to 2 s; 2026-11-21.
"""
OTHER = "# tiny_fig2, size quick\n\nNot in the README.\n\n| a |\n|---|\n| 1 |\n\nSeeds 0 to 0; 1 run.\n"
DOTS = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)


class Read(html.parser.HTMLParser):
    """What a page holds; fails where a tag is not closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.words.append((tag, ""))
        if tag not in ("meta", "img", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.words:
            self.words[-1] = (self.words[-1][0], self.words[-1][1] + text)

    def of(self, tag, name):
        return [attributes.get(name) for found, attributes in self.tags if found == tag]

    def texts(self, tag):
        return [text.strip() for found, text in self.words if found == tag]

    def ids(self):
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


def picture(path, pixels=DOTS):
    PIL.Image.fromarray(pixels).save(path)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    for name, text in {"README": README, "tiny_fig1": TABLE, "tiny_fig2": OTHER}.items():
        (folder / f"{name}.md").write_text(text)
    for name in ("tiny_fig1", "above", "tiny_fig1_b", "stray"):
        picture(folder / f"{name}.png")
    (folder / "tiny_fig1.csv").write_text("step\n1\n")
    return folder


@pytest.fixture
def text(results, capsys):
    assert main(["report", "--results", str(results)]) == 0
    assert capsys.readouterr().out.startswith(f"2 experiments in {results}/report.html")
    return (results / "report.html").read_text()


def section(text, anchor):
    """From the opening of a section to that of the next."""
    return text.partition(f'<section id="{anchor}">')[2].partition("<section")[0]


def test_table_by_hand(text):
    table = Read("<table>" + section(text, "results/tiny_fig1.md").partition("<table>")[2].partition("</div>")[0])
    assert table.texts("button") == ["training", "test accuracy", "weights", ""]
    assert table.of("button", "aria-label") == [None, None, None, "column 4"]
    assert table.of("th", "aria-sort") == ["none"] * 4
    assert table.texts("td")[:4] == ["LaPerm", "9.50 %", "1,010", "holds"]
    # Adam < LaPerm; 9.5 = 9.50 < 10; 998 < 1,010 and nothing; does not hold < holds and nothing.
    expected = ["1", "0", "1", "1", "0", "1", None, "0", "0", "0", "0", None]
    assert table.of("td", "data-rank") == expected
    assert table.of("th", "class") == ["short", "number", "number", "long"]


def test_section_by_hand(text):
    shown = section(text, "tiny_fig1")
    assert "<h3>tiny_fig1: two dots &amp; &lt;more&gt; (section 1)</h3>" in shown
    assert '<p class="claim">Dots &lt;b&gt;learn&lt;/b&gt; &amp; &quot;stay&quot;.</p>' in shown
    assert '<a href="#results/tiny_fig1.md">Table</a>, <a href="tiny_fig1.csv">numbers</a>' in shown
    assert '<a href="#results/above.png">from above</a>, film (<code>film.gif</code>)' in shown
    assert '<a href="https://example.org/a">site</a>' in shown
    assert 'Again <a href="#results/tiny_fig1.png">the dots</a>, and lost (<code>lost.png</code>)' in shown
    assert Read(shown.rpartition("</figure>")[0] + "</figure>").texts("figcaption") == [
        *('Two "dots"', "tiny_fig1_b", "above: from above")
    ]
    assert shown.count("<figure><img ") == shown.count("</figcaption></figure>") == 3
    told = "<strong>How it was run.</strong> <code>python -m scripts run tiny_fig1 --size laptop</code>. Seeds 0 to 2;"
    assert told in section(text, "results/tiny_fig1.md")
    assert "Not in the README." in section(text, "tiny_fig2")
    assert Read(section(text, "further-pictures").partition("</section>")[0]).texts("figcaption") == ["stray"]


def test_contents_lists_every_section_in_order(text):
    contents = text.partition("<nav")[2].partition("</nav>")[0]
    assert re.findall('href="#([^"]*)"', contents) == ["of-no-paper", "tiny_fig1", "tiny_fig2", "further-pictures"]


def test_pictures_of_few_colours_are_inside_without_loss(text):
    page = Read(text)
    assert page.of("img", "alt") == ['Two "dots"', "tiny_fig1_b", "above: from above", "stray"]
    for source in page.of("img", "src"):
        kind, _, data = source.partition(",")
        assert kind == "data:image/webp;base64"
        with PIL.Image.open(io.BytesIO(base64.b64decode(data))) as image:
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), DOTS)


def assert_stands_alone(text):
    page = Read(text)
    ids = page.ids()
    assert len(set(ids)) == len(ids)
    assert all(identifier and not re.search(r"\s", identifier) for identifier in ids)
    for link in page.of("a", "href"):
        assert link.startswith("https://") or link.removeprefix("#") in ids or link.endswith(".csv"), link
    assert not {"link", "iframe", "object", "embed", "video", "audio", "source"} & {tag for tag, _ in page.tags}
    assert page.of("script", "src") == [None]
    assert all(source.startswith("data:") for source in page.of("img", "src"))
    assert all(page.of("img", "alt"))
    assert not re.search(r"url\(|@import", text.partition("</style>")[0])


def test_page_stands_alone(text):
    assert_stands_alone(text)
    assert "default-src 'none'" in text


def test_same_inputs_give_the_same_bytes(text, results):
    write_report(results, results / "again.html")
    assert (results / "again.html").read_text() == text


def test_links_to_files_lead_there_from_wherever_the_page_is(results, tmp_path):
    write_report(results, tmp_path / "elsewhere" / "page.html")
    assert '<a href="../results/tiny_fig1.csv">numbers</a>' in (tmp_path / "elsewhere" / "page.html").read_text()


def test_experiments_stand_under_their_papers(results):
    for name in ("rich_fig1", "laperm_fig1"):
        (results / f"{name}.md").write_text(OTHER.replace("tiny_fig2", name))
    write_report(results, results / "report.html")
    contents = (results / "report.html").read_text().partition("<nav")[2].partition("</nav>")[0]
    assert re.findall('href="#([^"]*)"', contents) == [
        *("laperm-qiu-and-suda-2020", "laperm_fig1", "the-rich-regime-li-and-banerjee-2021", "rich_fig1"),
        *("of-no-paper", "tiny_fig1", "tiny_fig2", "further-pictures"),
    ]


def test_the_column_of_verdicts_is_marked(results):
    (results / "tiny_fig1.md").write_text(TABLE.replace("| weights | |", "| weights | verdict |"))
    write_report(results, results / "report.html")
    shown = section((results / "report.html").read_text(), "results/tiny_fig1.md")
    assert Read("<table>" + shown.partition("<table>")[2].partition("</div>")[0]).of("th", "class") == [
        *("short", "number", "number", "long verdict")
    ]


def test_a_large_picture_is_put_in_as_it_is_shown(results):
    noise = np.random.default_rng(0).integers(0, 255, (400, 3000, 3), np.uint8)
    PIL.Image.fromarray(noise).save(results / "above.png", dpi=(150, 150))
    write_report(results, results / "report.html")
    page = Read((results / "report.html").read_text())
    (source,) = (s for s, alt in zip(page.of("img", "src"), page.of("img", "alt"), strict=True) if "above" in alt)
    with PIL.Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as image:
        assert image.size == (1000, 133)  # 3000 / 150 inches would be 1920 pixels of CSS, but the column has 1000


def test_a_section_for_two_experiments_and_a_picture_shown_later(results):
    text = (
        "## tiny_fig2 and tiny_fig1: both\n\n`python -m scripts run tiny_fig2`. [On](above.png), [all](README.md).\n\n"
    )
    (results / "README.md").write_text(f"{text}## Above\n\n![Seen](above.png)\n")
    write_report(results, results / "report.html")
    text = (results / "report.html").read_text()
    claims = re.findall('<p class="claim"><code>(.*?)</code>', section(text, "tiny_fig2-and-tiny_fig1"))
    assert claims == ["tiny_fig2", "tiny_fig1"]
    assert "above.png" in section(text, "above")
    assert "run tiny_fig2" not in section(text, "results/tiny_fig2.md")  # the README says it
    assert "run tiny_fig1" in section(text, "results/tiny_fig1.md")
    assert_stands_alone(text)


def test_a_second_size_of_an_experiment(results):
    (results / "tiny_fig1_paper.md").write_text(TABLE.replace("size laptop", "size paper"))
    picture(results / "tiny_fig1_paper.png")
    (results / "README.md").write_text("## tiny_fig1 and tiny_fig1_paper: both\n\nTwo sizes.\n")
    write_report(results, results / "report.html")
    text = (results / "report.html").read_text()
    assert section(text, "tiny_fig1-and-tiny_fig1_paper").count('<p class="claim">') == 1
    for name, size in (("tiny_fig1", "laptop"), ("tiny_fig1_paper", "paper")):
        told = section(text, f"results/{name}.md")
        assert f"<code>python -m scripts run tiny_fig1 --size {size}</code>" in told
    # Each picture once: tiny_fig1, tiny_fig1_b, tiny_fig1_paper.
    assert section(text, "tiny_fig1-and-tiny_fig1_paper").count("</figcaption>") == 3
    assert_stands_alone(text)


def test_everything_this_repository_says(tmp_path):
    folders = [("results", "*.md"), ("weight_profiles", "README.md"), ("benchmarks", "*.md")]
    for folder, pattern in folders:
        (tmp_path / folder).mkdir()
        for path in (ROOT / folder).glob(pattern):
            (tmp_path / folder / path.name).write_text(path.read_text())
        for path in (ROOT / folder).glob("*.png"):
            picture(tmp_path / folder / path.name)
    names = write_report(tmp_path / "results", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert_stands_alone(text)
    assert set(names) == {path.stem for path in (ROOT / "results").glob("*.md")} - {"README"}
    pictures = {f"{folder}/{path.name}" for folder, _ in folders for path in (ROOT / folder).glob("*.png")}
    documents = {f"{folder}/{path.name}" for folder, pattern in folders for path in (ROOT / folder).glob(pattern)}
    assert pictures | documents <= set(Read(text).ids())


@pytest.mark.parametrize(
    "cells",
    [
        ["-1.15, 0.70", "-0.49, 0.38", "-0.00 (-0.01 to 0.00)", "8.4e-06", "0.0018", "+0.56", "not reached"],
        ["9.80 %", "~53 %", "97.84 % (97.44 to 98.08)", "97.85 % (97.65 to 97.97)", "100 %"],
        ["829,249", "1.6e6", "1,682,085", "16,078,140"],
        ["LeNet, p = 0.01", "LeNet, p = 0.25", "LeNet, p = 0.3", "LeNet, p = 1"],
        ["2026-09-30", "2026-11-05", "2026-11-21"],
        ["Conv2", "conv4", "Conv13", "ResNet-50"],
    ],
)
def test_cells_are_ranked_as_a_reader_would(cells):
    shuffled = random.Random(0).sample(cells, len(cells))
    assert ranks(["-", *shuffled, ""]) == [None, *map(cells.index, shuffled), None]


def test_nothing_to_report_is_one_sentence_and_exit_1(tmp_path, capsys):
    (tmp_path / "README.md").write_text("# Results\n")
    assert main(["report", "--results", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: The results folder must hold the table")
    assert f"Received: --results {tmp_path}" in error
    assert not (tmp_path / "report.html").exists()
