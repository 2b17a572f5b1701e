"""The page is whole, small, and safe whatever names a model has."""

import dataclasses
import html.parser

import keras
import numpy as np
import pytest

from train_by_reconnect import profile


@pytest.fixture(scope="module")
def found():
    layers = [keras.layers.Conv2D(30, 3, name="a_b<script>c"), keras.layers.DepthwiseConv2D(3), keras.layers.Dense(1)]
    return profile(keras.Sequential([keras.Input((12, 12, 3)), *layers], name="net"))


class Tags(html.parser.HTMLParser):
    """Which tags are open, and all that there were."""

    void = ("meta", "br", "path")

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in self.void or self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(text):
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    return tags


def test_it_is_well_formed_and_refers_to_nothing_outside(found, tmp_path):
    text = found.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == text
    tags = parsed(text)
    assert not [attributes for _, attributes in tags.seen if {"src", "href"} & attributes.keys()]
    assert "http" not in text
    assert [tag for tag, _ in tags.seen].count("svg") == len(found.kernels) == 3
    assert [tag for tag, _ in tags.seen].count("script") == 1  # and none by the name of a layer


def test_every_kernel_with_its_numbers_and_every_skipped_tensor(found):
    text = "".join(parsed(found.to_html()).text)
    for row in found.rows:
        assert row["name"] in text
    assert f"{found.rows[0]['plain']:.3f}" in text
    assert f"{found.rows[0]['plain_gaussian_low']:.3f} to {found.rows[0]['plain_gaussian_high']:.3f}" in text
    for each in found.skipped:
        assert each.name in text
        assert each.reason in text
    assert "whether the network was trained" in text


def test_numbers_to_sort_by(found):
    tags = parsed(found.to_html())
    values = [
        float(attributes["data-value"] or "nan")
        for _, attributes in tags.seen
        if attributes.get("data-head") == "plain"
    ]
    # Printed to six digits: to half of the sixth.
    np.testing.assert_allclose(values, [row["plain"] for row in found.rows], rtol=5e-6)


def test_a_hundred_layers_are_below_2_mb(found):
    many = dataclasses.replace(found, kernels=[found.kernels[0]] * 100)
    assert len(many.to_html().encode()) < 2e6


def test_a_notebook_shows_the_table(found):
    text = found._repr_html_()
    assert parsed(text).seen[0][0] == "style"
    assert "<html" not in text
    assert "<script" not in text
